/** Ask, unless an answer is awaited. @param {State} state @param {number} at @returns {import("./types.js").Step} */
export function ping(state: State, at: number): import("./types.js").Step;
/** The answer came. @param {State} state @param {string} id @param {number} at @returns {State} */
export function ponged(state: State, id: string, at: number): State;
/** @typedef {import("./types.js").State} State */
/** Seconds between pings. */
export const PING_SECONDS: 5;
export function heard(state: State): State;
export function silent({ ping: asked }: State, at: number): boolean;
export type State = import("./types.js").State;
