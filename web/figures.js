// The figures of a talk in words: stages against their budgets, the line, the ids, and all of it as a text to pass on. Pure.

import { INPUT_RATE, OUTPUT_RATE } from "./client/protocol.js";
import { duration } from "./times.js";

/** @typedef {import("./client/types.js").Details} Details */
/** @typedef {keyof Details["latency"]} StageName */
/** @typedef {{name: string, value: string, verdict: "" | "within budget" | "over budget", share: number}} Stage */

/** Milliseconds each stage of an answer may take. @type {Record<StageName, number>} */
export const BUDGETS_MS = { hear: 500, think: 2000, speak: 500, total: 3000 };

/** @type {Record<StageName, string>} */
const STAGE_WORDS = { hear: "Hearing you", think: "Thinking", speak: "Beginning to speak", total: "In all" };

/** The stages of the last answer; `share` is the part of the budget that was used, 0 … 1.
 * @param {Details["latency"]} latency @returns {Stage[]} */
export const stages = (latency) => /** @type {StageName[]} */ (Object.keys(BUDGETS_MS)).map((key) => stage(key, latency[key]));

/** @param {StageName} key @param {number | null} seconds @returns {Stage} */
function stage(key, seconds) {
  const name = STAGE_WORDS[key];
  const budget = BUDGETS_MS[key];
  if (seconds === null) return { name, value: `not told, of ${duration(budget)}`, verdict: "", share: 0 };
  const ms = seconds * 1000;
  const verdict = ms > budget ? "over budget" : "within budget";
  return { name, value: `${duration(ms)} of ${duration(budget)}`, verdict, share: Math.min(1, ms / budget) };
}

/** The line and the sound. @param {Details} details @returns {[name: string, value: string][]} */
export const figures = ({ roundTripMs, reconnects, underruns, lostMs, microphoneHz, speakerHz }) => [
  ["Round trip to the server", roundTripMs === null ? "not measured yet" : duration(roundTripMs)],
  ["Reconnects", String(reconnects)],
  ["Gaps in the agent's voice", String(underruns)],
  ["Of your voice lost", duration(lostMs)],
  ["Microphone", rate(microphoneHz, INPUT_RATE)],
  ["Loudspeaker", rate(speakerHz, OUTPUT_RATE)],
];

/** @param {number | null} hz of the device @param {number} wire of the sound that is sent or comes */
function rate(hz, wire) {
  if (hz === null) return "off";
  return hz === wire ? `${hz / 1000} kHz` : `${hz / 1000} kHz, resampled`;
}

/** Names to find a talk by in the logs. @param {Details} details @returns {[name: string, id: string | null][]} */
export const ids = ({ sessionId, conversationId, requestId }) => [
  ["Session", sessionId],
  ["Conversation", conversationId],
  ["Request", requestId],
];

/** All of it as a text for whoever is asked for help. Holds nothing that was said.
 * @param {Details} details @param {readonly [string, string][]} surroundings what else matters: time, browser, state */
export function report(details, surroundings) {
  const delays = stages(details.latency).map(({ name, value, verdict }) => [name, [value, verdict].filter(Boolean).join(", ")]);
  const names = ids(details).map(([name, id]) => [name, id ?? "none"]);
  return [...surroundings, ...names, ...figures(details), ...delays].map(([name, value]) => `${name}: ${value}\n`).join("");
}
