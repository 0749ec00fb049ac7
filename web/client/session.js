// The rules of a talk as a client keeps them: (state, message) → [state, effects]. No DOM, no clock, no chance.

import { release } from "./captions.js";
import { NO_DETAILS } from "./details.js";
import { SILENT_MICROPHONE, microphoneNotice, refusal } from "./notices.js";
import { atRest } from "./phases.js";
import * as wire from "./protocol.js";
import { heard, ping, silent } from "./pulse.js";
import { interrupt } from "./record.js";
import { HANG_UP, begin, chain, comeBack, rest, step, tryAgain, waiting } from "./returning.js";
import { SERVER_RULES, askToSignIn, awaitReply, show, talking } from "./server-rules.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Effect} Effect */
/** @typedef {import("./types.js").Step} Step */

/** Seconds between signs of life while no sound is sent. */
const KEEP_ALIVE_SECONDS = 8;
/** Seconds in which the bridge still does what was said last. */
const AFTERMATH_SECONDS = 6;
/** Milliseconds of a reply that must be lost for it to count as interrupted. */
const INTERRUPTED_MS = 150;
/** Milliseconds of a reply between reports of what was heard, at least. */
const REPORT_MS = 240;

/** `sound`: the agent's voice is played here.
 * @param {{agent?: string | null, instance?: string, pushToTalk?: boolean, sound?: boolean}} [preferences]
 * @returns {State}
 */
export function initial({ agent = null, instance = "", pushToTalk = false, sound = true } = {}) {
  return {
    phase: "idle", live: null, conversationId: null, agent, instance, items: [], cursor: null, outbox: [],
    starting: null, ticket: 0, settled: false, microphone: "off", muted: false, pushToTalk, held: false, hearing: false,
    sounding: false, replyDone: true, sound, arrivedMs: 0, playedMs: 0, replyFromMs: 0, replySaid: false,
    ended: null, heardMs: 0, toldMs: 0, ping: null,
    details: NO_DETAILS, retry: null, notice: null,
  };
}

/** Another conversation, on the same line of sound. @param {State} state @returns {State} */
function afresh(state) {
  const { ticket, arrivedMs, playedMs } = state;
  return { ...initial(state), ticket, arrivedMs, playedMs, replyFromMs: arrivedMs };
}

/** @param {State} state @param {Message} message @returns {Step} */
export function reduce(state, message) {
  const rule = /** @type {import("./types.js").Rule<Message>} */ (RULES[message.type]);
  return rule(state, message);
}

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

/** Tell the bridge how much of the current reply was heard.
 * @param {State} state @param {number} playedMs @returns {Step} */
function tellHeard(state, playedMs) {
  const next = { ...state, heardMs: playedMs };
  if (!state.settled) return step(next);
  return step({ ...next, toldMs: playedMs }, { type: "Send", message: wire.playback(playedMs) });
}

/** The last word on a reply that is left before its end. @param {State} state @returns {Step} */
const tellLast = (state) => (state.sounding && state.heardMs !== state.toldMs ? tellHeard(state, state.heardMs) : step(state));

/** What each message means. @type {import("./types.js").Rules} */
const RULES = {
  Started: (state) => (state.microphone === "off" ? askForMicrophone(state) : step(state)),
  Muted: (state, { on }) => (state.microphone === "off" ? step(state) : gate({ ...state, muted: on })),
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
    const later = /** @type {Effect} */ ({ type: "Schedule", name: "aftermath", seconds: AFTERMATH_SECONDS });
    return chain(tellLast(state), (told) => {
      const [next, effects] = rest({ ...told, outbox: [] }, "ended", null);
      return step(next, { type: "FlushSpeaker" }, ...effects, later);
    });
  },
  Renewed(state) {
    return chain(tellLast(state), (told) => step(afresh(told), { type: "FlushSpeaker" }, ...HANG_UP));
  },
  Adopted(state, { conversationId, entries }) {
    const next = show({ ...afresh(state), conversationId }, entries);
    return chain(tellLast(state), () => step(next, { type: "FlushSpeaker" }, ...HANG_UP));
  },
  PushToTalkChosen: (state, { on }) => gate({ ...state, pushToTalk: on, held: false, muted: false }),
  Retried(state, now) {
    if (waiting(state, now)) return tryAgain(state, now);
    return atRest(state) ? begin({ ...state, notice: null }, { type: "OpenSpeaker" }) : step(state);
  },
  Dismissed: (state) => step({ ...state, notice: null }),

  MicrophoneOpened(state, { hz }) {
    if (state.microphone === "off") return step(state, { type: "CloseMicrophone" });
    const [next, effects] = gate({ ...state, microphone: "on", details: { ...state.details, microphoneHz: hz } });
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
    return chain(rest(gone, "error", refusal(failure)), (next) => step(next, ...askToSignIn(failure.code)));
  },
  SocketOpened: (state, { lostMs }) => step(
    { ...state, details: { ...state.details, lostMs } },
    { type: "Send", message: wire.settings(state.cursor, state.instance) }, { type: "PassSound" },
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

  Received(state, { message, at }) {
    const rule = /** @type {import("./types.js").ServerRule<object> | undefined} */ (SERVER_RULES[message.type]);
    const next = heard(state);
    return rule ? rule(next, message, at) : step(next);
  },
  EntriesLoaded(state, { conversationId, entries }) {
    if (conversationId !== state.conversationId) return step(state);
    const newest = entries.at(-1)?.cursor ?? null;
    return step(wire.compareCursors(newest, state.cursor) < 0 ? state : show(state, entries));
  },

  SoundArrived: (state, { ms }) => step(ms === state.arrivedMs ? state : { ...heard(state), arrivedMs: ms }),
  SoundStarted: (state, { hz }) => step(
    { ...state, sounding: true, phase: talking(state, "speaking"), details: { ...state.details, speakerHz: hz } },
  ),
  SoundPlayed(state, { playedMs, passedMs, underruns }) {
    const next = { ...state, heardMs: playedMs, playedMs: passedMs, details: { ...state.details, underruns } };
    const soon = playedMs === 0 || Math.abs(playedMs - state.toldMs) < REPORT_MS;
    return soon ? step(next) : tellHeard(next, playedMs);
  },
  SoundDrained(state, { playedMs, passedMs, underruns }) {
    const phase = state.replyDone && state.phase === "speaking" ? "listening" : state.phase;
    const details = { ...state.details, underruns };
    /** @type {State} */
    const drained = { ...state, sounding: false, phase, playedMs: passedMs, details };
    const [next, effects] = playedMs > 0 ? tellHeard(drained, playedMs) : step(drained);
    return step(next, ...effects, { type: "Schedule", name: "settle", seconds: 1.5 });
  },
  SoundFlushed(state, { playedMs, passedMs, droppedMs }) {
    const items = droppedMs > INTERRUPTED_MS ? interrupt(state.items, passedMs) : state.items;
    const next = { ...state, items: release(items), sounding: false, playedMs: passedMs + droppedMs };
    return playedMs + droppedMs > 0 ? tellHeard(next, playedMs) : step(next);
  },

  TimerFired(state, { name, at, roll }) {
    switch (name) {
      case "keepalive": {
        const again = /** @type {Effect} */ ({ type: "Schedule", name, seconds: KEEP_ALIVE_SECONDS });
        if (state.microphone === "on") return step(state, again);
        return step(state, { type: "Send", message: wire.keepAlive() }, again);
      }
      case "ping":
        if (!state.settled) return step(state);
        if (!silent(state, at)) return ping(state, at);
        return chain(step(state, { type: "DropSocket" }), (left) => comeBack(left, { at, roll }));
      case "reconnect":
        return tryAgain(state, { at, roll });
      case "aftermath":
        return step(state, { type: "Refresh", what: "planner" }, { type: "Refresh", what: "conversations" });
      case "hearing":
        return step({ ...state, hearing: false });
      case "caption":
        return step(state.sounding ? state : { ...state, items: release(state.items) });
      case "settle": {
        if (state.sounding) return step(state);
        const over = state.phase === "speaking" || (state.phase === "thinking" && state.replyDone);
        return step({ ...state, items: release(state.items), phase: over ? "listening" : state.phase });
      }
    }
  },
};
