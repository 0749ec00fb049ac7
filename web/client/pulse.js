// Whether the socket still lives: pings, their round trips, and the silence that means the other end is gone. Pure.

import { ping as message } from "./protocol.js";

/** @typedef {import("./types.js").State} State */

/** Seconds between pings. */
export const PING_SECONDS = 5;
/** Milliseconds without anything from the bridge after a ping: two intervals, less what a timer may be early. */
const SILENT_MS = 9_900;

/** Ask, unless an answer is awaited. @param {State} state @param {number} at @returns {import("./types.js").Step} */
export function ping(state, at) {
  const again = /** @type {const} */ ({ type: "Schedule", name: "ping", seconds: PING_SECONDS });
  if (state.ping?.quiet) return [state, [again]];
  const id = (state.ping?.id ?? 0) + 1;
  return [{ ...state, ping: { id, at, quiet: true } }, [{ type: "Send", message: message(String(id)) }, again]];
}

/** Something came. @param {State} state @returns {State} */
export const heard = (state) => (state.ping?.quiet ? { ...state, ping: { ...state.ping, quiet: false } } : state);

/** The answer came. @param {State} state @param {string} id @param {number} at @returns {State} */
export function ponged(state, id, at) {
  if (state.ping === null || id !== String(state.ping.id)) return state;
  return { ...state, details: { ...state.details, roundTripMs: Math.max(0, at - state.ping.at) } };
}

/** Nobody is there any more. @param {State} state @param {number} at */
export const silent = ({ ping: asked }, at) => asked !== null && asked.quiet && at - asked.at >= SILENT_MS;
