// Words for troubles: what happened and what to do next. Pure; the only place for such texts.

/** @typedef {import("./types.js").Notice} Notice */

/** @type {Record<import("./types.js").MicrophoneTrouble, string>} */
const MICROPHONE_WORDS = {
  denied: "The browser may not use the microphone here. Allow it with the icon beside the address, then tap again. "
    + "Typing works as it is.",
  missing: "No microphone was found. Plug one in and tap again, or go on by typing.",
  busy: "Another program is using the microphone. Close it and tap again, or go on by typing.",
  insecure: "Browsers give the microphone only to pages opened over https, or on this computer as localhost. "
    + "Typing works here too.",
  unplugged: "The microphone is gone. Plug it in and tap again, or go on by typing.",
  other: "The microphone could not be opened. Tap to try again, or go on by typing.",
};

/** Code of a trouble, or what came and its code → its words. @type {Record<string, [tone: Notice["tone"], text: string]>} */
const CODE_WORDS = {
  "Warning BRIDGE_IDLE": ["info", "Are you still there? The talk ends in half a minute."],
  BRIDGE_UPSTREAM_LOST: ["warning", "The agent was lost for a moment. It is being called back; nothing is forgotten."],
  "Warning BRIDGE_UPSTREAM_BUSY": ["info", "The agent is busy with others. You are in the queue."],
  BRIDGE_UPSTREAM_BUSY: ["error", "The agent is still busy with others. Try again in a few minutes."],
  BRIDGE_UPSTREAM_FAILED: ["error", "The agent cannot be reached. Everything said so far is saved; try again later."],
  BRIDGE_GOING_AWAY: ["info", "The server restarts. You will be back in a moment; nothing is forgotten."],
  BRIDGE_AUDIO_DROPPED: ["warning", "The connection is slow; some sound was lost."],
  BRIDGE_TAKEN_OVER: ["info", "This talk ended because another one was begun. Everything said here is saved."],
  BRIDGE_ENDED: ["info", "This conversation was ended from elsewhere."],
  BRIDGE_IDLE: ["info", "It was quiet for a long time, so the talk has ended. Everything is saved."],
  BRIDGE_SESSION_LIMIT: ["info", "This talk has lasted as long as one may. Everything is saved; tap to go on."],
  BRIDGE_QUOTA: ["warning", "The limit for talks is reached. Everything said so far is saved."],
  BRIDGE_UNAVAILABLE: ["warning", "The server cannot take a talk right now. Try again in a moment."],
  BRIDGE_UNAUTHENTICATED: ["warning", "Sign in to go on. Everything said so far is saved."],
  BRIDGE_SIGNED_OUT: ["info", "You are signed out. Everything said so far is saved."],
  BRIDGE_SIGN_IN_EXPIRED: ["info", "Your sign-in has expired. Everything said so far is saved; sign in again."],
  BRIDGE_NOT_FOUND: ["error", "That conversation is not there any more. You can begin a new one."],
};

/** Troubles that are over as soon as the talk goes on. */
const PASSING = [
  "Warning BRIDGE_IDLE",
  "Warning BRIDGE_UPSTREAM_BUSY",
  "BRIDGE_UPSTREAM_LOST",
  "BRIDGE_GOING_AWAY",
  "BRIDGE_AUDIO_DROPPED",
];

/**
 * Words for a trouble; the bridge's own description where there are none.
 * @param {string} trouble a code, or the message it came in and the code: "Error BRIDGE_IDLE"
 * @param {string} description
 * @returns {Notice}
 */
export function notice(trouble, description) {
  const code = trouble.split(" ").at(-1) ?? trouble;
  const tone = trouble.startsWith("Warning ") ? "warning" : "error";
  const known = CODE_WORDS[trouble] ?? CODE_WORDS[code];
  const [ownTone, text] = known ?? [tone, description || "Something went wrong; what was said is saved."];
  return { tone: ownTone, text, passing: PASSING.includes(trouble) || PASSING.includes(code) };
}

/** @param {import("./types.js").MicrophoneTrouble} reason @returns {Notice} */
export const microphoneNotice = (reason) => ({ tone: "warning", text: MICROPHONE_WORDS[reason], passing: false });

/** @type {Notice} */
export const SILENT_MICROPHONE = {
  tone: "warning",
  text: "The microphone gives no sound at all. Is it muted, or is another one meant? The settings let you choose.",
  passing: false,
};

/** @type {Notice} */
export const UNREACHABLE = {
  tone: "error",
  text: "The server cannot be reached. Everything said so far is saved; try again when you are online.",
  passing: false,
};

/**
 * Words for a session that was refused.
 * @param {import("./types.js").Failure} failure
 * @returns {Notice}
 */
export function refusal({ status, code, description, retryAfter }) {
  if (status === 0) return UNREACHABLE;
  const words = notice(code, description);
  if (retryAfter === null || retryAfter < 1) return words;
  return { ...words, text: `${words.text} It works again ${inSeconds(retryAfter)}.` };
}

/** @param {number} seconds */
function inSeconds(seconds) {
  if (seconds < 90) return `in ${Math.ceil(seconds)} seconds`;
  if (seconds < 5400) return `in ${Math.ceil(seconds / 60)} minutes`;
  return `in ${Math.ceil(seconds / 3600)} hours`;
}
