// The wire between page and bridge: the JSON of each message, how to make ours and how to read theirs.

/** @typedef {"user" | "assistant"} Role */
/** @typedef {"done" | "refused" | "failed" | "timed_out" | "unconfirmed" | "cancelled" | "noted"} Status */

/**
 * One thing that was said or done, in its place. `cursor` is `epoch:idx`, `at` is ISO 8601.
 * @typedef {{cursor: string, at: string, kind: "message", role: Role, content: string, modality?: "voice" | "text",
 *   interrupted?: boolean, heard?: string | null}} MessageEntry
 * @typedef {{cursor: string, at: string, kind: "call", id: string, name: string, arguments: string}} CallEntry
 * @typedef {{cursor: string, at: string, kind: "result", id: string, name: string, content: string, status: Status,
 *   duration_ms: number, goal_id?: string | null, task_id?: string | null}} ResultEntry
 * @typedef {{cursor: string, at: string, kind: "cut", of: string, heard: string}} CutEntry
 * @typedef {MessageEntry | CallEntry | ResultEntry | CutEntry} Entry
 */

/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 * @typedef {{type: "Welcome", request_id: string}} Welcome
 * @typedef {{type: "BridgeReady", session_id: string, conversation_id: string, agent: string, cursor: string | null,
 *   resumed: boolean, recovered: boolean, resume_token: string}} BridgeReady
 * @typedef {{type: "BridgeEntry", entry: Entry}} BridgeEntry
 * @typedef {{type: "SettingsApplied"}} SettingsApplied
 * @typedef {{type: "ConversationText", role: Role, content: string, cursor?: string, at?: string,
 *   modality?: "voice" | "text"}} ConversationText
 * @typedef {{type: "UserStartedSpeaking"}} UserStartedSpeaking
 * @typedef {{type: "EndOfTurn"}} EndOfTurn
 * @typedef {{type: "AgentThinking"}} AgentThinking
 * @typedef {{type: "AgentAudioDone"}} AgentAudioDone
 * @typedef {{type: "AgentStartedSpeaking" | "LatencyReport", [stage: string]: unknown}} Latencies
 * @typedef {{type: "BridgePong", id: string}} BridgePong
 * @typedef {{type: "FunctionCallRequest", functions: {id: string, name: string, arguments: string}[],
 *   cursor?: string, at?: string}} FunctionCallRequest
 * @typedef {{type: "FunctionCallResponse", id: string, name: string, content: string, status?: Status,
 *   duration_ms?: number, cursor?: string, at?: string}} FunctionCallResponse
 * @typedef {{type: "BridgeCut", of: string, heard: string, cursor?: string, at?: string}} BridgeCut
 * @typedef {{type: "FunctionCallCancelled", functions: {id: string}[]}} FunctionCallCancelled
 * @typedef {{type: "Warning" | "Error", code: string, description: string}} Trouble
 * @typedef {Welcome | BridgeReady | BridgeEntry | SettingsApplied | ConversationText | UserStartedSpeaking | EndOfTurn |
 *   AgentThinking | AgentAudioDone | Latencies | BridgePong | FunctionCallRequest | FunctionCallResponse | FunctionCallCancelled | BridgeCut |
 *   Trouble} ServerMessage
 */

/** @typedef {{type: string, [key: string]: unknown}} ClientMessage */

/**
 * What `POST /api/v1/voice/session` answers.
 * @typedef {{session_id: string, conversation_id: string, websocket_url: string, token: string,
 *   agent: {name: string, title: string, greeting: string}, upstream: string, messages: Entry[]}} SessionAnswer
 */

/** Hz of what the page sends: linear16, one channel. */
export const INPUT_RATE = 16000;
/** Hz of what the page plays: linear16, one channel. */
export const OUTPUT_RATE = 24000;
/** The bridge restarts: come back. */
export const CLOSE_RESTART = 1012;
/** This end was too slow: come back. */
export const CLOSE_TOO_SLOW = 4410;
/** Over on purpose: do not come back. */
export const CLOSE_NORMAL = 1000;

/**
 * The first message on every socket.
 * @param {string | null} cursor the last entry seen
 * @param {string} instance this page's own name for itself
 * @returns {ClientMessage}
 */
export function settings(cursor, instance) {
  return {
    type: "Settings",
    audio: {
      input: { encoding: "linear16", sample_rate: INPUT_RATE },
      output: { encoding: "linear16", sample_rate: OUTPUT_RATE, container: "none" },
    },
    agent: {},
    bridge: cursor === null ? { instance } : { cursor, instance },
  };
}

/** @param {string} content @returns {ClientMessage} */
export const injectUserMessage = (content) => ({ type: "InjectUserMessage", content });

/** @param {number} ms of the current reply that were heard @returns {ClientMessage} */
export const playback = (ms) => ({ type: "Playback", played_ms: Math.round(ms) });

/** @param {string} id comes back in `BridgePong` @returns {ClientMessage} */
export const ping = (id) => ({ type: "BridgePing", id });

/** @returns {ClientMessage} */
export const keepAlive = () => ({ type: "KeepAlive" });

/**
 * Read a text frame; null when it is not a message at all.
 * @param {string} text
 * @returns {ServerMessage | null}
 */
export function parse(text) {
  try {
    const message = JSON.parse(text);
    return typeof message?.type === "string" ? message : null;
  } catch {
    return null;
  }
}

/**
 * Where cursor `a` stands to cursor `b`: negative before, 0 the same, positive after. Nothing is before everything.
 * @param {string | null} a
 * @param {string | null} b
 */
export function compareCursors(a, b) {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  const [epochA = 0, idxA = 0] = a.split(":").map(Number);
  const [epochB = 0, idxB = 0] = b.split(":").map(Number);
  return epochA - epochB || idxA - idxB;
}

/**
 * The entries in a live message; `at` and `cursor` stand on the message.
 * @param {ConversationText | FunctionCallRequest | FunctionCallResponse | BridgeCut} message
 * @param {string} now ISO 8601, for a message without a time
 * @returns {Entry[]}
 */
export function entriesOf(message, now) {
  const place = { cursor: message.cursor ?? "", at: message.at ?? now };
  switch (message.type) {
    case "ConversationText": {
      const { role, content, modality } = message;
      return [{ ...place, kind: "message", role, content, ...(modality && { modality }) }];
    }
    case "FunctionCallRequest":
      return message.functions.map(({ id, name, arguments: args }) => ({
        ...place, kind: "call", id, name, arguments: args,
      }));
    case "FunctionCallResponse": {
      const { id, name, content, status = "done", duration_ms = 0 } = message;
      return [{ ...place, kind: "result", id, name, content, status, duration_ms }];
    }
    case "BridgeCut":
      return [{ ...place, kind: "cut", of: message.of, heard: message.heard }];
  }
}
