// Somebody's app on Deepgram's JavaScript SDK, in Node or in a browser: only the base URL is ours.

/**
 * Hear the greeting, type each line when the reply before it is over, hang up after the last reply.
 * @param {any} DeepgramClient the SDK's @param {string} address host:port @param {string[]} lines
 * @returns {Promise<{messages: object[], bytes: number, errors: string[]}>}
 */
export async function talk(DeepgramClient, address, lines) {
  const environment = {
    base: `http://${address}`, production: `ws://${address}`, agent: `ws://${address}`, agentRest: `http://${address}`,
  };
  const client = new DeepgramClient({ apiKey: "not-ours", environment });
  const agent = await client.agent.v1.connect({ reconnectAttempts: 0 });
  const messages = [], errors = [];
  let bytes = 0;
  const over = new Promise((resolve) => {
    agent.on("message", (message) => {
      if (message.type === undefined || message instanceof Blob) {
        bytes += message.size ?? message.byteLength;
        return;
      }
      messages.push(message);
      if (message.type === "Error") resolve(null);
      if (message.type !== "AgentAudioDone") return;
      const content = lines.shift();
      if (content === undefined) resolve(null);
      else agent.sendInjectUserMessage({ type: "InjectUserMessage", content });
    });
    agent.on("error", (error) => errors.push(String(error.message)));
    agent.on("close", resolve);
  });
  agent.connect();
  await agent.waitForOpen();
  agent.sendSettings({
    type: "Settings",
    audio: {
      input: { encoding: "linear16", sample_rate: 16000 },
      output: { encoding: "linear16", sample_rate: 24000, container: "none" },
    },
    agent: { greeting: "Hello" },
  });
  await over;
  agent.close();
  return { messages, bytes, errors };
}
