export function talking(state: State, phase: Phase): Phase;
export function awaitReply(state: State): State;
export function show(state: State, entries: readonly import("./protocol.js").Entry[]): State;
export function lasting(notice: State["notice"]): import("./types.js").Notice | null;
export function askToSignIn(code: string): Effect[];
/** What each message of the bridge means. @type {import("./types.js").ServerRules} */
export const SERVER_RULES: import("./types.js").ServerRules;
export type Phase = import("./phases.js").Phase;
export type State = import("./types.js").State;
export type Effect = import("./types.js").Effect;
export type Step = import("./types.js").Step;
