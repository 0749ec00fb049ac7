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
    return this.tell("Received", { message: { type, ...fields }, now: "2026-01-01T00:00:00Z" });
  }

  /** Effects of that type since the last message. */
  did(type) {
    return this.effects.filter((effect) => effect.type === type);
  }

  sent() {
    return this.did("Send").map(({ message }) => message);
  }

  session(answer = {}) {
    const ticket = this.state.starting;
    return this.tell("SessionStarted", { ticket, answer: { ...ANSWER, ...answer } });
  }

  ready(fields = {}) {
    const facts = { session_id: "s1", conversation_id: "c1", recovered: true, resume_token: "again" };
    return this.tell("SocketOpened").hear("BridgeReady", { ...facts, ...fields }).hear("SettingsApplied");
  }

  text(role, content, cursor) {
    return this.hear("ConversationText", { role, content, cursor, at: "2026-01-01T00:00:00Z" });
  }
}

/** A talk by voice that is under way. */
export const talking = (preferences) => new Script(preferences).tell("Tapped").tell("MicrophoneOpened").session().ready();
/** All sentences that are shown. */
export const said = ({ state }) =>
  state.items.flatMap((item) => (item.kind === "message" ? item.parts : [])).map(({ content }) => content);
