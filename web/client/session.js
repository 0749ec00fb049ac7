// The rules of a talk as the page keeps them: (state, message) → [state, effects]. No DOM, no clock, no chance.

import { atRest, inTurns } from "./phases.js";
import * as wire from "./protocol.js";
import { add, amend, fold, interrupt, withdraw } from "./record.js";
import { UNREACHABLE, SILENT_MICROPHONE, microphoneNotice, notice, refusal } from "./notices.js";

/** @typedef {import("./phases.js").Phase} Phase */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Effect} Effect */
/** @typedef {import("./types.js").Step} Step */
/** @typedef {{at: number, roll: number}} Moment */

/** Seconds within which the same session can be joined again. */
const REJOIN_SECONDS = 30;
/** Attempts to come back before the person is asked. */
const MAX_ATTEMPTS = 12;
/** Seconds between signs of life while no sound is sent. */
const KEEP_ALIVE_SECONDS = 8;
/** Seconds in which the bridge still does what was said last. */
const AFTERMATH_SECONDS = 6;
/** Milliseconds of a reply that must be lost for it to count as interrupted. */
const INTERRUPTED_MS = 150;

/** @type {Effect[]} */
const HANG_UP = [
  { type: "CloseSocket" },
  { type: "CloseMicrophone" },
  ...(/** @type {const} */ (["keepalive", "reconnect", "settle", "hearing"])).map((name) =>
    /** @type {Effect} */ ({ type: "Unschedule", name })),
];

/**
 * @param {{agent?: string | null, instance?: string, pushToTalk?: boolean}} [preferences]
 * @returns {State}
 */
export function initial({ agent = null, instance = "", pushToTalk = false } = {}) {
  return {
    phase: "idle", live: null, conversationId: null, agent, instance, items: [], cursor: null, outbox: [],
    starting: null, ticket: 0, settled: false, microphone: "off", muted: false, pushToTalk, held: false, hearing: false,
    sounding: false, replyDone: true, retry: null, notice: null,
  };
}

/** @param {State} state @param {Message} message @returns {Step} */
export function reduce(state, message) {
  const rule = /** @type {import("./types.js").Rule<Message>} */ (RULES[message.type]);
  return rule(state, message);
}

/** Seconds to wait before attempt n. @param {number} attempt from 1 @param {number} roll 0 … 1 */
export function backoff(attempt, roll) {
  const base = Math.min(10, 0.5 * 2 ** (attempt - 1));
  return Math.min(10, Math.max(0.5, base * (0.75 + 0.5 * roll)));
}

/** @param {State} state @param {Effect[]} effects @returns {Step} */
const step = (state, ...effects) => [state, effects];

/** @param {State} state @param {Effect[]} effects @returns {Step} */
function begin(state, ...effects) {
  const ticket = state.ticket + 1;
  const { conversationId, retry } = state;
  const agent = conversationId === null ? state.agent : null;
  const phase = retry === null ? "connecting" : "reconnecting";
  const next = { ...state, phase, live: null, settled: false, starting: ticket, ticket };
  return step(/** @type {State} */ (next), ...effects, { type: "StartSession", ticket, conversationId, agent });
}

/** @param {State} state @param {"ended" | "error"} phase @param {State["notice"]} said @returns {Step} */
function rest(state, phase, said) {
  const next = {
    ...state, phase, live: null, starting: null, settled: false, microphone: /** @type {const} */ ("off"),
    muted: false, held: false, hearing: false, retry: null, notice: said,
  };
  return step(next, ...HANG_UP, { type: "Refresh", what: "conversations" }, { type: "Refresh", what: "planner" });
}

/** Wait, then try again. @param {State} state @param {Moment} now @param {number} [seconds] @returns {Step} */
function comeBack(state, { at, roll }, seconds) {
  const attempt = (state.retry?.attempt ?? 0) + 1;
  if (attempt > MAX_ATTEMPTS) return rest(state, "error", UNREACHABLE);
  const delay = seconds ?? backoff(attempt, roll);
  const retry = { attempt, since: state.retry?.since ?? at, until: at + delay * 1000 };
  const next = { ...state, phase: /** @type {const} */ ("reconnecting"), settled: false, hearing: false, retry };
  return step(next, { type: "Unschedule", name: "keepalive" }, { type: "Schedule", name: "reconnect", seconds: delay });
}

/** Try now: the same session while it can still be there, a new one of the same conversation after that.
 * @param {State} state @param {Moment} now @returns {Step} */
function tryAgain(state, { at }) {
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
const waiting = ({ phase, retry }, { at }) => phase === "reconnecting" && retry !== null && at < retry.until;

/** @param {State} state @returns {Step} */
function gate(state) {
  return step(state, { type: "GateMicrophone", open: !state.muted && (!state.pushToTalk || state.held) });
}

/** @param {State} state @returns {Step} */
function askForMicrophone(state) {
  const phase = atRest(state) ? "connecting" : state.phase;
  const next = { ...state, phase, microphone: /** @type {const} */ ("asking"), muted: false, notice: null };
  return step(next, { type: "OpenSpeaker" }, { type: "OpenMicrophone" });
}

/** The next phase while turns are taken; else the phase stays. @param {State} state @param {Phase} phase @returns {Phase} */
const talking = (state, phase) => (inTurns(state) ? phase : state.phase);

/** The agent's turn has begun, unless its voice is already heard. @param {State} state @returns {State} */
const awaitReply = (state) =>
  state.sounding ? state : { ...state, phase: talking(state, "thinking"), replyDone: false };

/** @param {State} state @param {readonly import("./protocol.js").Entry[]} entries @returns {State} */
function take(state, entries) {
  const cursor = entries[0]?.cursor || null;
  if (cursor !== null && wire.compareCursors(cursor, state.cursor) <= 0) {
    return { ...state, items: entries.reduce(amend, state.items) };
  }
  const said = entries.find((entry) => entry.kind === "message" && entry.role === "user");
  const outbox = said?.kind === "message" ? without(state.outbox, said.content) : state.outbox;
  return { ...state, items: entries.reduce(add, state.items), cursor: cursor ?? state.cursor, outbox };
}

/** @param {readonly string[]} outbox @param {string} content @returns {readonly string[]} */
function without(outbox, content) {
  const place = outbox.findIndex((text) => text.trim() === content.trim());
  return place < 0 ? outbox : outbox.filter((_, index) => index !== place);
}

/** @param {State} state @param {readonly import("./protocol.js").Entry[]} entries @returns {State} */
const show = (state, entries) => ({ ...state, items: fold(entries), cursor: entries.at(-1)?.cursor ?? null });

/** @param {State["notice"]} notice */
const lasting = (notice) => (notice?.passing ? null : notice);

/** What each message of the bridge means. @type {import("./types.js").ServerRules} */
const SERVER_RULES = {
  BridgeReady(state, { session_id, conversation_id, resume_token, recovered }) {
    if (state.live === null) return step(state);
    const live = { ...state.live, id: session_id, conversationId: conversation_id, resumeToken: resume_token };
    const next = { ...state, live, conversationId: conversation_id };
    if (recovered || state.cursor === null) return step(next);
    return step({ ...next, items: [], cursor: null }, { type: "LoadEntries", conversationId: conversation_id });
  },
  BridgeEntry: (state, { entry }) => step(take(state, [entry])),
  SettingsApplied(state) {
    const texts = state.outbox.map((text) => /** @type {Effect} */ ({ type: "Send", message: wire.injectUserMessage(text) }));
    const phase = state.sounding ? "speaking" : texts.length ? "thinking" : "listening";
    const next = { ...state, phase, settled: true, retry: null, notice: lasting(state.notice) };
    return step(/** @type {State} */ (next), ...texts);
  },
  ConversationText(state, message) {
    const typed = message.role === "user" && without(state.outbox, message.content) !== state.outbox;
    const said = typed ? { ...message, modality: /** @type {const} */ ("text") } : message;
    const next = take(state, wire.entriesOf(said, message.now));
    if (message.role !== "user") return step(next);
    const heard = { ...awaitReply(next), hearing: false, notice: lasting(state.notice) };
    return step(heard, { type: "Refresh", what: "conversations" });
  },
  UserStartedSpeaking: (state) => step(
    { ...state, phase: talking(state, "listening"), hearing: true, replyDone: true },
    { type: "FlushSpeaker" }, { type: "Schedule", name: "hearing", seconds: 15 },
  ),
  EndOfTurn: (state) => step(awaitReply(state)),
  AgentThinking: (state) => step(awaitReply(state)),
  AgentAudioDone: (state) => step(
    { ...state, replyDone: true }, { type: "EndReply" }, { type: "Schedule", name: "settle", seconds: 0.5 },
  ),
  FunctionCallRequest: (state, message) => step(awaitReply(take(state, wire.entriesOf(message, message.now)))),
  FunctionCallResponse: (state, message) => step(
    take(state, wire.entriesOf(message, message.now)),
    { type: "Refresh", what: "planner" }, { type: "Refresh", what: "conversations" },
  ),
  BridgeCut: (state, message) => step(take(state, wire.entriesOf(message, message.now))),
  FunctionCallCancelled: (state, { functions }) =>
    step({ ...state, items: withdraw(state.items, functions.map(({ id }) => id)) }),
  Warning(state, { code, description }) {
    if (code === "BRIDGE_UPSTREAM_RESUMED") {
      const phase = state.phase === "reconnecting" ? "listening" : state.phase;
      return step({ ...state, phase, notice: lasting(state.notice) });
    }
    const phase = code === "BRIDGE_UPSTREAM_LOST" && state.settled ? "reconnecting" : state.phase;
    return step({ ...state, phase, notice: notice(`Warning ${code}`, description) });
  },
  Error: (state, { code, description }) => step({ ...state, notice: notice(`Error ${code}`, description) }),
};

/** What each message means. @type {import("./types.js").Rules} */
const RULES = {
  Tapped(state) {
    if (state.microphone === "asking") return step(state);
    if (state.microphone === "off") return askForMicrophone(state);
    return state.pushToTalk ? step(state) : gate({ ...state, muted: !state.muted });
  },
  Pressed(state) {
    const next = { ...state, held: true };
    if (state.microphone === "off") return askForMicrophone(next);
    return state.microphone === "on" ? gate(next) : step(next);
  },
  Released: (state) => state.held ? gate({ ...state, held: false }) : step(state),
  Typed(state, { content }) {
    const text = content.trim();
    if (!text) return step(state);
    const next = { ...state, outbox: [...state.outbox, text] };
    if (state.settled) return step(awaitReply(next), { type: "Send", message: wire.injectUserMessage(text) });
    if (state.live !== null || state.starting !== null) return step(next);
    return begin({ ...next, notice: null }, { type: "OpenSpeaker" });
  },
  Hung: (state) => {
    const [next, effects] = rest({ ...state, outbox: [] }, "ended", null);
    const later = /** @type {Effect} */ ({ type: "Schedule", name: "aftermath", seconds: AFTERMATH_SECONDS });
    return step(next, { type: "FlushSpeaker" }, ...effects, later);
  },
  Renewed(state) {
    return step({ ...initial(state), ticket: state.ticket }, { type: "FlushSpeaker" }, ...HANG_UP);
  },
  Adopted(state, { conversationId, entries }) {
    const next = show({ ...initial(state), ticket: state.ticket, conversationId }, entries);
    return step(next, { type: "FlushSpeaker" }, ...HANG_UP);
  },
  PushToTalkChosen: (state, { on }) => gate({ ...state, pushToTalk: on, held: false, muted: false }),
  Retried(state, now) {
    if (waiting(state, now)) return tryAgain(state, now);
    return atRest(state) ? begin({ ...state, notice: null }, { type: "OpenSpeaker" }) : step(state);
  },
  Dismissed: (state) => step({ ...state, notice: null }),

  MicrophoneOpened(state) {
    if (state.microphone === "off") return step(state, { type: "CloseMicrophone" });
    const [next, effects] = gate({ ...state, microphone: "on" });
    return state.live || state.starting !== null ? step(next, ...effects) : begin(next, ...effects);
  },
  MicrophoneFailed(state, { reason }) {
    const phase = state.live || state.starting !== null || atRest(state) ? state.phase : "idle";
    const said = microphoneNotice(reason);
    return step({ ...state, phase, microphone: "off", held: false, notice: said }, { type: "CloseMicrophone" });
  },
  MicrophoneSilent: (state) => step(state.notice ? state : { ...state, notice: SILENT_MICROPHONE }),

  SessionStarted(state, { ticket, answer }) {
    if (ticket !== state.starting) return step(state);
    const { session_id: id, conversation_id: conversationId, websocket_url: url, token, agent, upstream } = answer;
    const live = { id, conversationId, url, agent, upstream, resumeToken: null };
    const next = show({ ...state, live, conversationId, starting: null }, answer.messages);
    return step(next, { type: "Connect", url, token });
  },
  SessionRefused(state, { ticket, failure, at, roll }) {
    if (ticket !== state.starting) return step(state);
    const next = { ...state, starting: null };
    const { status, retryAfter } = failure;
    const passes = status === 0 || status === 503 || (status === 429 && (retryAfter ?? 60) < 60);
    if (state.retry !== null && passes) return comeBack(next, { at, roll }, retryAfter ?? undefined);
    const gone = status === 404 ? { ...next, conversationId: null } : next;
    return rest(gone, "error", refusal(failure));
  },
  SocketOpened: (state) => step(
    state, { type: "Send", message: wire.settings(state.cursor, state.instance) }, { type: "PassSound" },
    { type: "Schedule", name: "keepalive", seconds: KEEP_ALIVE_SECONDS },
  ),
  SocketClosed(state, { code, opened, at, roll }) {
    if (state.live === null) return step(state);
    if (code === wire.CLOSE_NORMAL) return rest(state, state.notice?.tone === "error" ? "error" : "ended", state.notice);
    const soon = (code === wire.CLOSE_RESTART || code === wire.CLOSE_TOO_SLOW) && state.retry === null;
    if (soon) return comeBack(state, { at, roll }, 0);
    if (opened || state.retry === null || !state.live.resumeToken) return comeBack(state, { at, roll });
    return step({ ...state, phase: "reconnecting" }, { type: "Probe" });
  },
  /** The socket was refused, or nobody was there: only the first means that our session is gone. */
  Probed(state, { reachable, at, roll }) {
    if (state.phase !== "reconnecting" || state.starting !== null || state.settled) return step(state);
    return reachable ? begin(state) : comeBack(state, { at, roll });
  },
  NetworkReturned: (state, now) => waiting(state, now) ? tryAgain(state, now) : step(state),

  Received(state, { message, now }) {
    const rule = /** @type {import("./types.js").Rule<object> | undefined} */ (SERVER_RULES[message.type]);
    return rule ? rule(state, { ...message, now }) : step(state);
  },
  EntriesLoaded(state, { conversationId, entries }) {
    if (conversationId !== state.conversationId) return step(state);
    const newest = entries.at(-1)?.cursor ?? null;
    return step(wire.compareCursors(newest, state.cursor) < 0 ? state : show(state, entries));
  },

  SoundStarted: (state) => step({ ...state, sounding: true, phase: talking(state, "speaking") }),
  SoundDrained: (state) => step(
    { ...state, sounding: false, phase: state.replyDone && state.phase === "speaking" ? "listening" : state.phase },
    { type: "Schedule", name: "settle", seconds: 1.5 },
  ),
  SoundPlayed: (state, { ms }) =>
    state.settled ? step(state, { type: "Send", message: wire.playback(ms) }) : step(state),
  SoundFlushed(state, { playedMs, droppedMs }) {
    const items = droppedMs > INTERRUPTED_MS ? interrupt(state.items) : state.items;
    const next = { ...state, items, sounding: false };
    const told = state.settled && playedMs + droppedMs > 0;
    return told ? step(next, { type: "Send", message: wire.playback(playedMs) }) : step(next);
  },

  TimerFired(state, { name, at, roll }) {
    switch (name) {
      case "keepalive": {
        const again = /** @type {Effect} */ ({ type: "Schedule", name, seconds: KEEP_ALIVE_SECONDS });
        if (state.microphone === "on") return step(state, again);
        return step(state, { type: "Send", message: wire.keepAlive() }, again);
      }
      case "reconnect":
        return tryAgain(state, { at, roll });
      case "aftermath":
        return step(state, { type: "Refresh", what: "planner" }, { type: "Refresh", what: "conversations" });
      case "hearing":
        return step({ ...state, hearing: false });
      case "settle": {
        const over = !state.sounding && (state.phase === "speaking" || (state.phase === "thinking" && state.replyDone));
        return step(over ? { ...state, phase: "listening" } : state);
      }
    }
  },
};
