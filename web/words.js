// What the page says: words of the states and of results. Pure; the only place for such texts.

import { atRest } from "./client/phases.js";
import { clock } from "./times.js";

/** @typedef {import("./client/phases.js").Phase} Phase */
/** @typedef {import("./client/types.js").State} State */

/** @type {Record<Phase, string>} */
export const PHASE_WORDS = {
  idle: "Idle",
  connecting: "Connecting",
  listening: "Listening",
  thinking: "Thinking",
  speaking: "Speaking",
  reconnecting: "Reconnecting",
  ended: "Ended",
  error: "Error",
};

/**
 * One line under the microphone: what to do next.
 * @param {State} state
 * @returns {string}
 */
export function hint(state) {
  const { phase, microphone, muted, pushToTalk, held } = state;
  if (microphone === "asking") return "Allow the microphone";
  if (atRest(state)) return restingHint(state);
  if (phase === "connecting") return "One moment";
  if (phase === "reconnecting") return "What you say is kept";
  if (microphone === "off") return "Type, or tap the microphone to talk";
  if (pushToTalk && !held) return "Hold the button or the space bar to talk";
  if (muted) return "The microphone is muted; tap to go on";
  if (phase === "speaking") return "Talk any time to interrupt";
  return phase === "listening" ? "Say it in your own words" : "";
}

/** @param {State} state */
function restingHint({ phase, conversationId }) {
  if (conversationId !== null) return "Tap to go on with this conversation";
  return phase === "error" ? "Tap to try again" : "Tap and talk, or type below";
}

/**
 * Who answers, said kindly.
 * @param {string} upstream
 * @param {string} title
 */
export function whoAnswers(upstream, title) {
  if (upstream === "local") {
    return "A small agent on this computer; no key is set";
  }
  const name = upstream.charAt(0).toUpperCase() + upstream.slice(1);
  return `${title} through ${name}`;
}

/**
 * Why a sign-in was refused, and when it may be tried again.
 * @param {import("./client/types.js").Failure} failure
 * @param {Date} now
 */
export function signInTrouble({ code, status, description, retryAfter }, now) {
  const again = retryAfter === null ? "" : ` Try again ${soon(retryAfter, now)}.`;
  if (status === 0) return "The server cannot be reached. Try again when you are online.";
  const told = SIGN_IN_WORDS[code] ?? (description || "That did not work.");
  return told + again;
}

/** @type {Record<string, string>} */
const SIGN_IN_WORDS = {
  BRIDGE_WRONG_PIN: "The name or the PIN is wrong.",
  BRIDGE_LOCKED_OUT: "Locked: too many wrong PINs for that name.",
  BRIDGE_TOO_MANY_TRIES: "Too many wrong PINs came from where you are.",
  BRIDGE_USER_LOCKED: "This user is locked. Ask whoever runs this server.",
};

/** In 20 seconds; at 2:35 PM. @param {number} seconds @param {Date} now */
function soon(seconds, now) {
  if (seconds < 90) return `in ${Math.ceil(seconds)} seconds`;
  const minute = new Date(now.getTime() + seconds * 1000 + 59_999);
  return `at ${clock(minute.toISOString())}`;
}

/** @type {Record<import("./client/record.js").Chip["status"], string>} */
export const STATUS_WORDS = {
  running: "working",
  done: "done",
  refused: "needs more",
  failed: "failed",
  timed_out: "took too long",
  unconfirmed: "asks you first",
  cancelled: "withdrawn",
  noted: "noted for later",
};

/**
 * A function's name as people would say it: submit_new_task_intent → New task.
 * @param {string} name
 */
export function functionWords(name) {
  const words = name.replace(/^submit_/, "").replace(/_intent$/, "").replaceAll("_", " ").trim() || name;
  return words.charAt(0).toUpperCase() + words.slice(1);
}
