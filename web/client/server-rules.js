// What each message of the bridge means: rules of session.js. Pure.

import * as captions from "./captions.js";
import { measured } from "./details.js";
import { notice } from "./notices.js";
import { inTurns } from "./phases.js";
import * as wire from "./protocol.js";
import { ping, ponged } from "./pulse.js";
import { add, amend, fold, withdraw } from "./record.js";
import { chain, step } from "./returning.js";

/** @typedef {import("./phases.js").Phase} Phase */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Effect} Effect */
/** @typedef {import("./types.js").Step} Step */

/** Seconds a sentence waits for its sound before it is shown without. */
const CAPTION_SECONDS = 1.5;
/** Milliseconds that a sentence, which is saved first, may come after the end of its reply, which is not. */
const LATE_MS = 500;
/** Codes of sign-ins that are missing, or over. */
const SIGN_IN_CODES = ["BRIDGE_UNAUTHENTICATED", "BRIDGE_SIGNED_OUT", "BRIDGE_SIGN_IN_EXPIRED"];

/** The next phase while turns are taken; else the phase stays. @param {State} state @param {Phase} phase @returns {Phase} */
export const talking = (state, phase) => (inTurns(state) ? phase : state.phase);

/** The agent's turn has begun, unless its voice is already heard. @param {State} state @returns {State} */
export const awaitReply = (state) =>
  state.sounding ? state : { ...state, phase: talking(state, "thinking"), replyDone: false };

/** Put entries into the record, unless they are there.
 * @param {State} state @param {readonly import("./protocol.js").Entry[]} entries @returns {Step} */
function take(state, entries) {
  const cursor = entries[0]?.cursor || null;
  if (cursor !== null && wire.compareCursors(cursor, state.cursor) <= 0) {
    return recall({ ...state, items: entries.reduce(amend, state.items) }, state);
  }
  const said = entries.find((entry) => entry.kind === "message" && entry.role === "user");
  const outbox = said?.kind === "message" ? without(state.outbox, said.content) : state.outbox;
  const next = { ...state, items: entries.reduce(add, state.items), cursor: cursor ?? state.cursor, outbox };
  const news = entries.map((detail) => /** @type {Effect} */ ({ type: "Announce", event: "entry", detail }));
  return chain(step(next, ...news), (taken) => recall(taken, state));
}

/** Tell of calls that are new or different. @param {State} state @param {State} before @returns {Step} */
function recall(state, before) {
  const calls = state.items.filter((item, place) => item.kind === "call" && item !== before.items[place]);
  return step(state, ...calls.map((detail) => /** @type {Effect} */ ({ type: "Announce", event: "call", detail })));
}

/** A sentence of the agent's begins where its sound is now, or where the reply began, or it is a late one.
 * @param {State} state @param {import("./protocol.js").Entry[]} entries @param {number} at @returns {Step} */
function speak(state, entries, at) {
  const { ended, arrivedMs } = state;
  const soon = ended !== null && arrivedMs === ended.toMs && at - ended.at < LATE_MS;
  const late = soon && !state.replySaid ? ended : null;
  const fromMs = state.replySaid ? arrivedMs : state.replyFromMs;
  const items = late ? state.items : captions.close(state.items, fromMs);
  return chain(take({ ...state, items, replySaid: late === null }, entries), (next) => {
    if (!state.sound || next.items === items) return step(next);
    if (late) return step({ ...next, items: captions.squeeze(next.items, late.fromMs, late.toMs) });
    const alone = /** @type {Effect} */ ({ type: "Schedule", name: "caption", seconds: CAPTION_SECONDS });
    return step({ ...next, items: captions.begin(next.items, fromMs) }, alone);
  });
}

/** What came of the reply is all of it; with `at`, its end, a sentence of it may still come.
 * @param {State} state @param {number | null} at @returns {State} */
function replyOver(state, at) {
  const { replyFromMs: fromMs, arrivedMs: toMs } = state;
  const ended = at !== null && toMs > fromMs ? { fromMs, toMs, at } : null;
  const items = captions.close(state.items, toMs);
  return { ...state, replyDone: true, items, replyFromMs: toMs, replySaid: false, ended };
}

/** @param {readonly string[]} outbox @param {string} content @returns {readonly string[]} */
function without(outbox, content) {
  const place = outbox.findIndex((text) => text.trim() === content.trim());
  return place < 0 ? outbox : outbox.filter((_, index) => index !== place);
}

/** @param {State} state @param {readonly import("./protocol.js").Entry[]} entries @returns {State} */
export const show = (state, entries) => ({ ...state, items: fold(entries), cursor: entries.at(-1)?.cursor ?? null });

/** @param {State["notice"]} notice */
export const lasting = (notice) => (notice?.passing ? null : notice);

/** @param {number} at milliseconds since 1970 */
const isoTime = (at) => new Date(at).toISOString();

/** Signing in helps against that. @param {string} code @returns {Effect[]} */
export const askToSignIn = (code) => (SIGN_IN_CODES.includes(code) ? [{ type: "Announce", event: "signIn", detail: code }] : []);

/** What each message of the bridge means. @type {import("./types.js").ServerRules} */
export const SERVER_RULES = {
  Welcome: (state, { request_id: requestId }) => step({ ...state, details: { ...state.details, requestId } }),
  BridgePong: (state, { id }, at) => step(ponged(state, id, at)),
  BridgeReady(state, { session_id, conversation_id, resume_token, recovered }) {
    if (state.live === null) return step(state);
    const live = { ...state.live, id: session_id, conversationId: conversation_id, resumeToken: resume_token };
    const details = { ...state.details, sessionId: session_id, conversationId: conversation_id };
    const next = { ...state, live, conversationId: conversation_id, details };
    if (recovered || state.cursor === null) return step(next);
    return step({ ...next, items: [], cursor: null }, { type: "LoadEntries", conversationId: conversation_id });
  },
  BridgeEntry: (state, { entry }) => take(state, [entry]),
  SettingsApplied(state, _message, at) {
    const texts = state.outbox.map((text) => /** @type {Effect} */ ({ type: "Send", message: wire.injectUserMessage(text) }));
    const phase = state.sounding ? "speaking" : texts.length ? "thinking" : "listening";
    const next = { ...state, phase, settled: true, retry: null, notice: lasting(state.notice) };
    const [pinged, effects] = ping(/** @type {State} */ (next), at);
    return step(pinged, ...texts, ...effects);
  },
  ConversationText(state, message, at) {
    if (message.role !== "user") return speak(state, wire.entriesOf(message, isoTime(at)), at);
    const typed = without(state.outbox, message.content) !== state.outbox;
    const said = typed ? { ...message, modality: /** @type {const} */ ("text") } : message;
    return chain(take(state, wire.entriesOf(said, isoTime(at))), (next) => step(
      { ...awaitReply(next), hearing: false, ended: null, notice: lasting(state.notice) }, { type: "Refresh", what: "conversations" },
    ));
  },
  UserStartedSpeaking: (state) => step(
    { ...replyOver(state, null), phase: talking(state, "listening"), hearing: true },
    { type: "FlushSpeaker" }, { type: "Schedule", name: "hearing", seconds: 15 },
  ),
  EndOfTurn: (state) => step(awaitReply(state)),
  AgentThinking: (state) => step(awaitReply(state)),
  AgentAudioDone: (state, _message, at) => step(
    replyOver(state, at), { type: "EndReply" }, { type: "Schedule", name: "settle", seconds: 0.5 },
  ),
  FunctionCallRequest: (state, message, at) =>
    chain(take(state, wire.entriesOf(message, isoTime(at))), (next) => step(awaitReply(next))),
  FunctionCallResponse: (state, message, at) => chain(take(state, wire.entriesOf(message, isoTime(at))), (next) =>
    step(next, { type: "Refresh", what: "planner" }, { type: "Refresh", what: "conversations" })),
  BridgeCut: (state, message, at) => take(state, wire.entriesOf(message, isoTime(at))),
  AgentStartedSpeaking: (state, message) => step({ ...state, details: measured(state.details, message) }),
  LatencyReport: (state, message) => step({ ...state, details: measured(state.details, message) }),
  FunctionCallCancelled: (state, { functions }) =>
    recall({ ...state, items: withdraw(state.items, functions.map(({ id }) => id)) }, state),
  Warning(state, { code, description }) {
    if (code === "BRIDGE_UPSTREAM_RESUMED") {
      const phase = state.phase === "reconnecting" ? "listening" : state.phase;
      return step({ ...state, phase, notice: lasting(state.notice) });
    }
    const phase = code === "BRIDGE_UPSTREAM_LOST" && state.settled ? "reconnecting" : state.phase;
    return step({ ...state, phase, notice: notice(`Warning ${code}`, description) });
  },
  Error: (state, { code, description }) => step({ ...state, notice: notice(`Error ${code}`, description) }, ...askToSignIn(code)),
};
