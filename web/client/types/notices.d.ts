/**
 * Words for a trouble; the bridge's own description where there are none.
 * @param {string} trouble a code, or the message it came in and the code: "Error BRIDGE_IDLE"
 * @param {string} description
 * @returns {Notice}
 */
export function notice(trouble: string, description: string): Notice;
/**
 * Words for a session that was refused.
 * @param {import("./types.js").Failure} failure
 * @returns {Notice}
 */
export function refusal({ status, code, description, retryAfter }: import("./types.js").Failure): Notice;
export function microphoneNotice(reason: import("./types.js").MicrophoneTrouble): Notice;
/** @type {Notice} */
export const SILENT_MICROPHONE: Notice;
/** @type {Notice} */
export const UNREACHABLE: Notice;
export type Notice = import("./types.js").Notice;
