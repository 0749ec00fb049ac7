// A talk played as a script: what happens to the rules of session.js, and what they want done about it.

import { initial, reduce } from "../../web/client/session.js";

/** What `POST /api/v1/voice/session` answers. */
export const ANSWER = {
  session_id: "s1", conversation_id: "c1", websocket_url: "ws://here/v1/agent/converse", token: "ticket",
  agent: { name: "flux", title: "Flux", greeting: "Hey!" }, upstream: "local", messages: [],
};
/** When everything happens, unless a test says otherwise. */
export const T0 = 1_000_000;

/** A talk that remembers what it was asked to do. */
export class Script {
  constructor(preferences) {
    this.state = initial(preferences);
    this.effects = [];
  }

  tell(type, fields = {}) {
    const [state, effects] = reduce(this.state, { type, at: T0, roll: 0.5, ...fields });
    this.state = state;
    this.effects = effects;
    return this;
  }

  hear(type, fields = {}) {
    return this.tell("Received", { message: { type, ...fields } });
  }

  /** The agent's sound: how much has come, and how much of it is over. */
  sound(arrivedMs, passedMs = null, fields = {}) {
    this.tell("SoundArrived", { ms: arrivedMs });
    return passedMs === null ? this : this.tell("SoundPlayed", { playedMs: passedMs, passedMs, underruns: 0, ...fields });
  }

  fire(name, fields = {}) {
    return this.tell("TimerFired", { name, ...fields });
  }

  /** Effects of that type since the last message. */
  did(type) {
    return this.effects.filter((effect) => effect.type === type);
  }

  /** What was sent, pings aside. */
  sent() {
    return this.did("Send").map(({ message }) => message).filter(({ type }) => type !== "BridgePing");
  }

  /** Ids of the pings that were sent. */
  pinged() {
    return this.did("Send").map(({ message }) => message).filter(({ type }) => type === "BridgePing").map(({ id }) => id);
  }

  session(answer = {}) {
    const ticket = this.state.starting;
    return this.tell("SessionStarted", { ticket, answer: { ...ANSWER, ...answer } });
  }

  ready(fields = {}) {
    const facts = { session_id: "s1", conversation_id: "c1", recovered: true, resume_token: "again" };
    return this.tell("SocketOpened", { lostMs: 0 }).hear("BridgeReady", { ...facts, ...fields }).hear("SettingsApplied");
  }

  text(role, content, cursor) {
    return this.hear("ConversationText", { role, content, cursor, at: "2026-01-01T00:00:00Z" });
  }
}

/** A talk by voice that is under way. */
export const talking = (preferences) => new Script(preferences).tell("Started").tell("MicrophoneOpened").session().ready();
/** What came of the last reply and is over. */
export const drained = (script, ms) => script.tell("SoundDrained", { playedMs: ms, passedMs: ms, underruns: 0 });
/** All sentences that are shown. */
export const said = ({ state }) =>
  state.items.flatMap((item) => (item.kind === "message" ? item.parts : [])).map(({ content }) => content);
