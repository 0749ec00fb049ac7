/** Go on from a step, with what is to be done of both.
 * @param {Step} first @param {(state: State) => Step} next @returns {Step} */
export function chain([state, effects]: Step, next: (state: State) => Step): Step;
/** Seconds to wait before attempt n. @param {number} attempt from 1 @param {number} roll 0 … 1 */
export function backoff(attempt: number, roll: number): number;
/** @param {State} state @param {Effect[]} effects @returns {Step} */
export function begin(state: State, ...effects: Effect[]): Step;
/** @param {State} state @param {"ended" | "error"} phase @param {State["notice"]} said @returns {Step} */
export function rest(state: State, phase: "ended" | "error", said: State["notice"]): Step;
/** Wait, then try again. @param {State} state @param {Moment} now @param {number} [seconds] @returns {Step} */
export function comeBack(state: State, { at, roll }: Moment, seconds?: number): Step;
/** Try now: the same session while it can still be there, a new one of the same conversation after that.
 * @param {State} state @param {Moment} now @returns {Step} */
export function tryAgain(state: State, { at }: Moment): Step;
/** @type {readonly Effect[]} */
export const HANG_UP: readonly Effect[];
export function step(state: State, ...effects: Effect[]): Step;
export function waiting({ phase, retry }: State, { at }: Moment): boolean;
export type State = import("./types.js").State;
export type Effect = import("./types.js").Effect;
export type Step = import("./types.js").Step;
export type Moment = {
    at: number;
    roll: number;
};
