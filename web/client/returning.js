// Beginning, ending and coming back after a lost socket: rules of session.js. Pure.

import { release } from "./captions.js";
import { UNREACHABLE } from "./notices.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Effect} Effect */
/** @typedef {import("./types.js").Step} Step */
/** @typedef {{at: number, roll: number}} Moment */

/** Seconds within which the same session can be joined again. */
const REJOIN_SECONDS = 30;
/** Attempts to come back before the person is asked. */
const MAX_ATTEMPTS = 12;

/** @param {import("./types.js").TimerName[]} names @returns {Effect[]} */
const stopped = (...names) => names.map((name) => ({ type: "Unschedule", name }));

/** @type {readonly Effect[]} */
export const HANG_UP = [
  { type: "CloseSocket" }, { type: "CloseMicrophone" },
  ...stopped("keepalive", "ping", "reconnect", "settle", "caption", "hearing"),
];

/** @param {State} state @param {Effect[]} effects @returns {Step} */
export const step = (state, ...effects) => [state, effects];

/** Go on from a step, with what is to be done of both.
 * @param {Step} first @param {(state: State) => Step} next @returns {Step} */
export function chain([state, effects], next) {
  const [after, more] = next(state);
  return [after, [...effects, ...more]];
}

/** Seconds to wait before attempt n. @param {number} attempt from 1 @param {number} roll 0 … 1 */
export function backoff(attempt, roll) {
  const base = Math.min(10, 0.5 * 2 ** (attempt - 1));
  return Math.min(10, Math.max(0.5, base * (0.75 + 0.5 * roll)));
}

/** @param {State} state @param {Effect[]} effects @returns {Step} */
export function begin(state, ...effects) {
  const ticket = state.ticket + 1;
  const { conversationId, retry } = state;
  const agent = conversationId === null ? state.agent : null;
  const phase = retry === null ? "connecting" : "reconnecting";
  const next = { ...state, phase, live: null, settled: false, ping: null, starting: ticket, ticket };
  return step(/** @type {State} */ (next), ...effects, { type: "StartSession", ticket, conversationId, agent });
}

/** @param {State} state @param {"ended" | "error"} phase @param {State["notice"]} said @returns {Step} */
export function rest(state, phase, said) {
  const next = {
    ...state, phase, live: null, starting: null, settled: false, microphone: /** @type {const} */ ("off"),
    muted: false, held: false, hearing: false, ping: null, retry: null, notice: said,
    items: state.sounding ? state.items : release(state.items),
  };
  return step(next, ...HANG_UP, { type: "Refresh", what: "conversations" }, { type: "Refresh", what: "planner" });
}

/** Wait, then try again. @param {State} state @param {Moment} now @param {number} [seconds] @returns {Step} */
export function comeBack(state, { at, roll }, seconds) {
  const attempt = (state.retry?.attempt ?? 0) + 1;
  if (attempt > MAX_ATTEMPTS) return rest(state, "error", UNREACHABLE);
  const delay = seconds ?? backoff(attempt, roll);
  const retry = { attempt, since: state.retry?.since ?? at, until: at + delay * 1000 };
  const phase = /** @type {const} */ ("reconnecting");
  const next = counted({ ...state, phase, settled: false, hearing: false, ping: null, retry }, state);
  return step(next, ...stopped("keepalive", "ping"), { type: "Schedule", name: "reconnect", seconds: delay });
}

/** @param {State} next @param {State} before @returns {State} */
function counted(next, before) {
  const { details } = next;
  return before.retry === null ? { ...next, details: { ...details, reconnects: details.reconnects + 1 } } : next;
}

/** Try now: the same session while it can still be there, a new one of the same conversation after that.
 * @param {State} state @param {Moment} now @returns {Step} */
export function tryAgain(state, { at }) {
  const { live } = state;
  if (state.retry === null || state.starting !== null) return step(state);
  const retry = { ...state.retry, until: at };
  if (live?.resumeToken && at - retry.since <= REJOIN_SECONDS * 1000) {
    const wait = /** @type {Effect} */ ({ type: "Unschedule", name: "reconnect" });
    return step({ ...state, retry }, wait, { type: "Connect", url: live.url, token: live.resumeToken });
  }
  return begin({ ...state, retry });
}

/** An attempt is to come, and not under way. @param {State} state @param {Moment} now */
export const waiting = ({ phase, retry }, { at }) => phase === "reconnecting" && retry !== null && at < retry.until;
