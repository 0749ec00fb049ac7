// Figures about a talk: for a person who looks closer, and for whoever they ask for help. Pure.

/** @typedef {import("./types.js").Details} Details */

/** @type {Details} */
export const NO_DETAILS = {
  requestId: null, sessionId: null, conversationId: null, roundTripMs: null, reconnects: 0, underruns: 0, lostMs: 0,
  microphoneHz: null, speakerHz: null,
  latency: { hear: null, think: null, speak: null, total: null },
};

/** What agents call the stages; of several names for one the first that is there counts. */
const STAGES = /** @type {const} */ ({
  hear: ["stt_latency"],
  think: ["ttt_latency", "ttt_text_latency", "ttt_token_latency"],
  speak: ["tts_latency"],
  total: ["total_latency"],
});

/**
 * What `AgentStartedSpeaking` or `LatencyReport` says; what it leaves out stays.
 * @param {Details} details
 * @param {Readonly<Record<string, unknown>>} report seconds
 * @returns {Details}
 */
export function measured(details, report) {
  const latency = { ...details.latency };
  for (const stage of /** @type {(keyof typeof STAGES)[]} */ (Object.keys(STAGES))) {
    const told = STAGES[stage].map((key) => report[key]).find((value) => typeof value === "number");
    if (typeof told === "number") latency[stage] = told;
  }
  return { ...details, latency };
}
