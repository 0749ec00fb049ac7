/**
 * What `AgentStartedSpeaking` or `LatencyReport` says; what it leaves out stays.
 * @param {Details} details
 * @param {Readonly<Record<string, unknown>>} report seconds
 * @returns {Details}
 */
export function measured(details: Details, report: Readonly<Record<string, unknown>>): Details;
/** @typedef {import("./types.js").Details} Details */
/** @type {Details} */
export const NO_DETAILS: Details;
export type Details = import("./types.js").Details;
