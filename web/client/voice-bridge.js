// The thin client: performs what the rules of session.js decide. Knows sockets and sound, and nothing of the page.

import * as api from "./api.js";
import { Microphone } from "./microphone.js";
import { initial, reduce } from "./session.js";
import { BridgeSocket } from "./socket.js";
import { Speaker } from "./speaker.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Effect} Effect */
/** @typedef {import("./types.js").TimerName} TimerName */
/** @typedef {{[K in Effect["type"]]: (effect: Extract<Effect, {type: K}>) => void}} Performers */

/**
 * Events: `change` (detail: the state), `level` (detail: {who: "you" | "agent", level: 0 … 1}),
 * `refresh` (detail: "conversations" | "planner").
 */
export class VoiceBridge extends EventTarget {
  /** @type {Message[]} */
  #queue = [];
  #busy = false;
  /** @type {Map<TimerName, number>} */
  #timers = new Map();
  #microphoneDevice = "";

  #socket = new BridgeSocket({
    opened: () => this.dispatch({ type: "SocketOpened", lostMs: this.#socket.lostMs }),
    closed: (code, opened) => this.dispatch({ type: "SocketClosed", code, opened, ...moment() }),
    received: (message) => this.#receive(message),
    sounded: (sound) => this.#speaker.play(sound),
  });

  #speaker = new Speaker({
    started: () => this.dispatch({ type: "SoundStarted" }),
    drained: (heard) => this.dispatch({ type: "SoundDrained", ...heard }),
    played: (heard) => this.dispatch({ type: "SoundPlayed", ...heard }),
    flushed: (flushed) => this.dispatch({ type: "SoundFlushed", ...flushed }),
    level: (level) => this.#emit("level", { who: "agent", level }),
  });

  #microphone = new Microphone({
    frame: (frame) => this.#socket.sendSound(frame),
    level: (level) => this.#emit("level", { who: "you", level }),
    silent: () => this.dispatch({ type: "MicrophoneSilent" }),
    lost: () => this.dispatch({ type: "MicrophoneFailed", reason: "unplugged" }),
  });

  /** @param {{agent?: string | null, instance?: string, pushToTalk?: boolean}} [preferences] */
  constructor(preferences) {
    super();
    /** @type {State} */
    this.state = initial(preferences);
  }

  /** Talk: opens the microphone and begins, or mutes and unmutes. Call it inside a tap. */
  tap() {
    this.dispatch({ type: "Tapped" });
  }

  /** Push-to-talk: the button is held. */
  press() {
    this.dispatch({ type: "Pressed" });
  }

  /** Push-to-talk: the button was let go. */
  release() {
    this.dispatch({ type: "Released" });
  }

  /** Say it in writing; begins when nothing runs. @param {string} content */
  sendText(content) {
    this.dispatch({ type: "Typed", content });
  }

  /** End the talk; it can be gone on with. */
  stop() {
    this.dispatch({ type: "Hung" });
  }

  /** Begin anew with the next tap or text. */
  renew() {
    this.dispatch({ type: "Renewed" });
  }

  /** Go on with a past conversation at the next tap or text.
   * @param {string} conversationId @param {readonly import("./protocol.js").Entry[]} entries */
  adopt(conversationId, entries) {
    this.dispatch({ type: "Adopted", conversationId, entries });
  }

  /** @param {boolean} on */
  pushToTalk(on) {
    this.dispatch({ type: "PushToTalkChosen", on });
  }

  /** Try again now instead of at the end of the wait. */
  retry() {
    this.dispatch({ type: "Retried", ...moment() });
  }

  dismiss() {
    this.dispatch({ type: "Dismissed" });
  }

  /** Go on sounding after the system took the sound away; best inside a tap. */
  resumeSound() {
    this.#speaker.resume();
  }

  /** The network, or the page, is back. */
  wake() {
    this.resumeSound();
    this.dispatch({ type: "NetworkReturned", ...moment() });
  }

  /** @param {string} device */
  async chooseMicrophone(device) {
    this.#microphoneDevice = device;
    if (this.state.microphone === "on") await this.#listen();
  }

  /** @param {string} device */
  async chooseSpeaker(device) {
    await this.#speaker.choose(device);
  }

  /** Step the rules once; performed effects may queue further messages. @param {Message} message */
  dispatch(message) {
    this.#queue.push(message);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#step(next);
    } finally {
      this.#busy = false;
    }
  }

  /** What came is placed in the sound that came before it. @param {import("./protocol.js").ServerMessage} message */
  #receive(message) {
    this.dispatch({ type: "SoundArrived", ms: this.#speaker.arrivedMs });
    this.dispatch({ type: "Received", message, at: Date.now() });
  }

  /** @param {Message} message */
  #step(message) {
    const [state, effects] = reduce(this.state, message);
    const changed = state !== this.state;
    this.state = state;
    for (const effect of effects) this.#perform(effect);
    if (changed) this.#emit("change", state);
  }

  /** @param {Effect} effect */
  #perform(effect) {
    const perform = /** @type {(effect: Effect) => void} */ (this.#performers[effect.type]);
    perform(effect);
  }

  /** @type {Performers} */
  #performers = {
    OpenSpeaker: () => this.#speaker.open(),
    FlushSpeaker: () => this.#speaker.flush(),
    EndReply: () => this.#speaker.end(),
    OpenMicrophone: () => void this.#listen(),
    CloseMicrophone: () => this.#microphone.close(),
    GateMicrophone: ({ open }) => this.#microphone.gate(open),
    StartSession: (wish) => void this.#start(wish),
    Connect: ({ url, token }) => this.#socket.open(url, token),
    CloseSocket: () => this.#socket.close(),
    DropSocket: () => this.#socket.drop(),
    Send: ({ message }) => this.#socket.send(message),
    PassSound: () => this.#socket.passSound(),
    Probe: () => void api.reachable().then((reachable) => this.dispatch({ type: "Probed", reachable, ...moment() })),
    LoadEntries: ({ conversationId }) => void this.#load(conversationId),
    Schedule: ({ name, seconds }) => this.#schedule(name, seconds),
    Unschedule: ({ name }) => this.#unschedule(name),
    Refresh: ({ what }) => this.#emit("refresh", what),
  };

  async #listen() {
    const came = await this.#microphone.open(this.#microphoneDevice);
    if (came === "open") this.dispatch({ type: "MicrophoneOpened" });
    else if (came !== "stale") this.dispatch({ type: "MicrophoneFailed", reason: came });
  }

  /** @param {Extract<Effect, {type: "StartSession"}>} wish */
  async #start({ ticket, conversationId, agent }) {
    try {
      const answer = await api.startSession({ conversationId, agent });
      this.dispatch({ type: "SessionStarted", ticket, answer });
    } catch (error) {
      this.dispatch({ type: "SessionRefused", ticket, failure: api.failureIn(error), ...moment() });
    }
  }

  /** @param {string} conversationId */
  async #load(conversationId) {
    const entries = await api.entries(conversationId).catch(() => null);
    if (entries) this.dispatch({ type: "EntriesLoaded", conversationId, entries });
  }

  /** @param {TimerName} name @param {number} seconds */
  #schedule(name, seconds) {
    this.#unschedule(name);
    const fire = () => {
      this.dispatch({ type: "SoundArrived", ms: this.#speaker.arrivedMs });
      this.dispatch({ type: "TimerFired", name, ...moment() });
    };
    this.#timers.set(name, window.setTimeout(fire, seconds * 1000));
  }

  /** @param {TimerName} name */
  #unschedule(name) {
    window.clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  /** @param {string} type @param {unknown} detail */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const moment = () => ({ at: Date.now(), roll: Math.random() });
