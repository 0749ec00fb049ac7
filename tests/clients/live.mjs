// `node tests/clients/live.mjs MODULES http://server`: a talk through the thin client, for tests that cut its network.
// Each sample of its n-th frame of sound is n. Prints each new phase as JSON, and on "look" how it is now;
// other lines of input are "wake" and "stop".

import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { VoiceBridge } from "../../web/client/index.js";

const FRAME_MS = 20;
const [modules, server] = process.argv.slice(2);
const { WebSocket } = createRequire(pathToFileURL(`${modules}/`))("ws");
const bridge = new VoiceBridge({ server, WebSocket, sound: false });
let sent = 0;
let begun = null;

const timer = setInterval(() => {
  while (begun !== null && sent * FRAME_MS < Date.now() - begun) bridge.sendSound(new Int16Array(320).fill(sent += 1));
}, FRAME_MS);

function tell(phase) {
  const { retry, details } = bridge.state;
  console.log(JSON.stringify({ phase, sent, waits: retry && retry.until - Date.now(), ...details }));
}

bridge.on("phase", (phase) => {
  if (phase === "listening") begun ??= Date.now();
  tell(phase);
  if (phase === "ended" || phase === "error") clearInterval(timer), process.stdin.destroy();
});
createInterface({ input: process.stdin }).on("line", (line) => (line === "look" ? tell("look") : bridge[line]()));
bridge.start();
