// The thin client: performs what the rules of session.js decide. Knows sockets and sound, and nothing of a page.

import { Api, failureIn } from "./api.js";
import { GivenMicrophone, GivenSpeaker } from "./given.js";
import { Microphone } from "./microphone.js";
import { initial, reduce } from "./session.js";
import { BridgeSocket } from "./socket.js";
import { Speaker } from "./speaker.js";

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Effect} Effect */
/** @typedef {import("./types.js").Events} Events */
/** @typedef {import("./types.js").TimerName} TimerName */
/** @typedef {{[K in Effect["type"]]: (effect: Extract<Effect, {type: K}>) => void}} Performers */

/** A talk with an agent. What it is like stands in `state`; what happens is told as events, see `Events`. */
export class VoiceBridge extends EventTarget {
  /** @type {Message[]} */
  #queue = [];
  #busy = false;
  /** The last click of its own began the talk. */
  #tapBegan = false;
  /** @type {Map<TimerName, ReturnType<typeof setTimeout>>} */
  #timers = new Map();
  #microphoneDevice = "";
  #resumed = 0;
  #socket;
  #speaker;
  #microphone;

  /** @param {import("./types.js").Options} [options] */
  constructor({ server, agent, pushToTalk, instance, sound = "AudioContext" in globalThis, WebSocket, fetch, token } = {}) {
    super();
    /** The state now; never changed, but replaced. @type {State} */
    this.state = initial({ agent, pushToTalk, instance, sound });
    /** The bridge's REST interface: past conversations, goals and tasks. */
    this.api = new Api({ server, fetch, token });
    this.#socket = new BridgeSocket(this.#ofSocket(), this.api.server, WebSocket);
    this.#speaker = sound ? new Speaker(this.#ofSpeaker()) : new GivenSpeaker(this.#ofSpeaker());
    const ears = this.#ofMicrophone();
    this.#microphone = sound ? new Microphone(ears) : new GivenMicrophone(ears.frame);
  }

  /** @returns {import("./socket.js").Listener} */
  #ofSocket() {
    return {
      opened: () => this.#dispatch({ type: "SocketOpened", lostMs: this.#socket.lostMs }),
      closed: (code, opened) => this.#dispatch({ type: "SocketClosed", code, opened, ...moment() }),
      received: (message) => {
        this.#noteSound();
        this.#dispatch({ type: "Received", message, at: Date.now() });
      },
      sounded: (sound) => {
        this.#emit("sound", sound);
        this.#speaker.play(sound);
      },
    };
  }

  /** @returns {import("./speaker.js").Listener} */
  #ofSpeaker() {
    return {
      started: (hz) => this.#dispatch({ type: "SoundStarted", hz }),
      drained: (heard) => this.#dispatch({ type: "SoundDrained", ...heard }),
      played: (heard) => this.#dispatch({ type: "SoundPlayed", ...heard }),
      flushed: (flushed) => this.#dispatch({ type: "SoundFlushed", ...flushed }),
      level: (level) => this.#emit("level", { who: "agent", level }),
    };
  }

  /** @returns {import("./microphone.js").Listener} */
  #ofMicrophone() {
    return {
      frame: (frame) => this.#socket.sendSound(frame),
      level: (level) => this.#emit("level", { who: "you", level }),
      silent: () => this.#dispatch({ type: "MicrophoneSilent" }),
      lost: () => this.#dispatch({ type: "MicrophoneFailed", reason: "unplugged" }),
    };
  }

  /**
   * Listen to an event.
   * @template {keyof Events} Name
   * @param {Name} name
   * @param {(detail: Events[Name]) => void} listener
   * @returns {() => void} stops listening
   */
  on(name, listener) {
    const heard = (/** @type {Event} */ event) => listener(/** @type {CustomEvent<Events[Name]>} */ (event).detail);
    this.addEventListener(name, heard);
    return () => this.removeEventListener(name, heard);
  }

  /** Open the microphone and begin, or go on. Call it in a tap or a key press, else browsers keep the sound off. */
  start() {
    this.#dispatch({ type: "Started" });
  }

  /** End the talk; it can be gone on with. What was said last is still done. */
  stop() {
    this.#dispatch({ type: "Hung" });
  }

  /**
   * Start; while the microphone is open, mute and unmute. For a page with one button.
   * @param {number} clicks the click's `detail`: the second of a double click that began the talk mutes nobody
   */
  tap(clicks = 1) {
    const { microphone, muted, pushToTalk } = this.state;
    if (clicks < 2) this.#tapBegan = microphone === "off";
    if (microphone === "off") this.start();
    else if (microphone === "on" && !pushToTalk && !(clicks > 1 && this.#tapBegan)) this.mute(!muted);
  }

  /** Silence goes out in place of the microphone's sound. @param {boolean} on */
  mute(on) {
    this.#dispatch({ type: "Muted", on });
  }

  /** Push-to-talk: the button is held. */
  press() {
    this.#dispatch({ type: "Pressed" });
  }

  /** Push-to-talk: the button was let go. */
  release() {
    this.#dispatch({ type: "Released" });
  }

  /** Say it in writing; begins when nothing runs. @param {string} content */
  sendText(content) {
    this.#dispatch({ type: "Typed", content });
  }

  /**
   * With `sound: false`: one frame of the person's sound, linear16 at 16 kHz, one channel; 20 ms (640 bytes) is a good
   * size. Send all the time between `start` and `stop`, silence too, as fast as it is spoken.
   * @param {ArrayBuffer | Uint8Array | Int16Array} frame
   */
  sendSound(frame) {
    if (!(this.#microphone instanceof GivenMicrophone)) throw new TypeError("sendSound is for clients with sound: false");
    this.#microphone.take(frame);
  }

  /** With `sound: false`, while you play the agent's: how much of the current reply was heard, about four times a second.
   * @param {number} playedMs */
  played(playedMs) {
    this.#dispatch({ type: "SoundPlayed", playedMs, passedMs: 0, underruns: 0 });
  }

  /** Begin anew with the next `start` or `sendText`. */
  renew() {
    this.#resumed += 1;
    this.#dispatch({ type: "Renewed" });
  }

  /**
   * Go on with a past conversation at the next `start` or `sendText`; a talk under way ends. Rejects with `RequestFailed`.
   * @param {string} conversationId
   * @param {readonly import("./protocol.js").Entry[]} [entries] its entries, when they are known already
   */
  async resume(conversationId, entries) {
    this.#resumed += 1;
    const resumed = this.#resumed;
    const known = entries ?? await this.api.entries(conversationId);
    if (resumed === this.#resumed) this.#dispatch({ type: "Adopted", conversationId, entries: known });
  }

  /** The microphone is open only between `press` and `release`. @param {boolean} on */
  pushToTalk(on) {
    this.#dispatch({ type: "PushToTalkChosen", on });
  }

  /** Try again now instead of at the end of the wait. */
  retry() {
    this.#dispatch({ type: "Retried", ...moment() });
  }

  /** The notice was read. */
  dismiss() {
    this.#dispatch({ type: "Dismissed" });
  }

  /** Go on sounding after the system took the sound away; best inside a tap. */
  resumeSound() {
    this.#speaker.resume();
  }

  /** The network, or the page, is back: try again now instead of at the end of the wait. */
  wake() {
    this.resumeSound();
    this.#dispatch({ type: "NetworkReturned", ...moment() });
  }

  /** @param {string} device id of an input; empty = the system's choice */
  async chooseMicrophone(device) {
    this.#microphoneDevice = device;
    if (this.state.microphone === "on") await this.#listen();
  }

  /** @param {string} device id of an output; empty = the system's choice */
  async chooseSpeaker(device) {
    await this.#speaker.choose(device);
  }

  /** Step the rules once; performed effects may queue further messages. @param {Message} message */
  #dispatch(message) {
    this.#queue.push(message);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#step(next);
    } finally {
      this.#busy = false;
    }
  }

  /** What comes next has its place after the sound that came before it. */
  #noteSound() {
    this.#dispatch({ type: "SoundArrived", ms: this.#speaker.arrivedMs });
  }

  /** @param {Message} message */
  #step(message) {
    const before = this.state;
    const [state, effects] = reduce(before, message);
    this.state = state;
    for (const effect of effects) this.#perform(effect);
    if (state.phase !== before.phase) this.#emit("phase", state.phase);
    if (state.notice !== before.notice) this.#emit("notice", state.notice);
    if (state !== before) this.#emit("change", state);
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
    Probe: () => void this.api.reachable().then((reachable) => this.#dispatch({ type: "Probed", reachable, ...moment() })),
    LoadEntries: ({ conversationId }) => void this.#load(conversationId),
    Schedule: ({ name, seconds }) => this.#schedule(name, seconds),
    Unschedule: ({ name }) => this.#unschedule(name),
    Announce: ({ event, detail }) => this.#emit(event, detail),
    Refresh: ({ what }) => this.#emit("refresh", what),
  };

  async #listen() {
    const came = await this.#microphone.open(this.#microphoneDevice);
    if (came === "open") this.#dispatch({ type: "MicrophoneOpened", hz: this.#microphone.hz });
    else if (came !== "stale") this.#dispatch({ type: "MicrophoneFailed", reason: came });
  }

  /** @param {Extract<Effect, {type: "StartSession"}>} wish */
  async #start({ ticket, conversationId, agent }) {
    try {
      const answer = await this.api.startSession({ conversationId, agent });
      this.#dispatch({ type: "SessionStarted", ticket, answer });
    } catch (error) {
      this.#dispatch({ type: "SessionRefused", ticket, failure: failureIn(error), ...moment() });
    }
  }

  /** @param {string} conversationId */
  async #load(conversationId) {
    const entries = await this.api.entries(conversationId).catch(() => null);
    if (entries) this.#dispatch({ type: "EntriesLoaded", conversationId, entries });
  }

  /** @param {TimerName} name @param {number} seconds */
  #schedule(name, seconds) {
    this.#unschedule(name);
    const fire = () => {
      this.#noteSound();
      this.#dispatch({ type: "TimerFired", name, ...moment() });
    };
    const timer = setTimeout(fire, seconds * 1000);
    this.#timers.set(name, timer);
    // Nothing that Node should stay for.
    if (name === "aftermath") /** @type {{unref?: () => void}} */ (/** @type {unknown} */ (timer)).unref?.();
  }

  /** @param {TimerName} name */
  #unschedule(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  /** @template {keyof Events} Name @param {Name} name @param {Events[Name]} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

const moment = () => ({ at: Date.now(), roll: Math.random() });
