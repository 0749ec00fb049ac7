// The agent's voice: takes sound as it comes, plays it in time, tells what was heard.

import { OUTPUT_RATE } from "./protocol.js";

/** Bytes in a millisecond of the wire's sound. */
const BYTES_PER_MS = (OUTPUT_RATE * 2) / 1000;
/** Milliseconds between reports of what was heard. */
const REPORT_MS = 100;

/** @typedef {import("./types.js").Heard} Heard */

/**
 * @typedef {object} Listener
 * @property {(hz: number | null) => void} started the voice is to be heard, at that sample rate
 * @property {(heard: Heard) => void} played how far it is, ten times a second
 * @property {(heard: Heard) => void} drained nothing is left to play
 * @property {(flushed: {playedMs: number, passedMs: number, droppedMs: number}) => void} flushed
 * @property {(level: number) => void} level loudest sample of the last 50 ms, 0 … 1
 */

export class Speaker {
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {AudioWorkletNode | null} */
  #node = null;
  /** What came before the worklet was there. @type {(ArrayBuffer | {type: "end"})[]} */
  #waiting = [];
  #sounding = false;
  #reported = 0;
  #device = "";
  /** Milliseconds of sound that were given to `play`. */
  arrivedMs = 0;
  /** How many of them came before the worklet's first. */
  #beforeMs = 0;
  #listener;

  /** @param {Listener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /** Unlock the sound. Must be called inside a tap or a key press, before any await; may be called again. */
  open() {
    if (this.#context === null) {
      this.#context = makeContext();
      this.#build(this.#context).catch(() => this.#giveUp());
    }
    this.resume();
  }

  /** Go on after the system took the sound away. */
  resume() {
    if (this.#context?.state !== "running") this.#context?.resume().catch(() => undefined);
  }

  /** @param {AudioContext} context */
  async #build(context) {
    await context.audioWorklet.addModule(new URL("./worklets/playback.js", import.meta.url));
    const node = new AudioWorkletNode(context, "playback", { numberOfInputs: 0, outputChannelCount: [1] });
    node.port.onmessage = ({ data }) => this.#heard(data);
    node.connect(context.destination);
    this.#node = node;
    const waiting = this.#waiting.reduce((sum, order) => sum + (order instanceof ArrayBuffer ? order.byteLength : 0), 0);
    this.#beforeMs = this.arrivedMs - waiting / BYTES_PER_MS;
    for (const order of this.#waiting) this.#order(order);
    this.#waiting = [];
    await this.choose(this.#device);
  }

  /** The worklet could not be loaded: the next tap tries again. */
  #giveUp() {
    void this.#context?.close();
    this.#context = null;
    this.#waiting = [];
  }

  /** Play after what is there already; the buffer is given away. @param {ArrayBuffer} sound linear16, 24 kHz */
  play(sound) {
    this.arrivedMs += sound.byteLength / BYTES_PER_MS;
    this.#order(sound);
  }

  /** The reply is complete; the next sound begins another one. */
  end() {
    this.#order({ type: "end" });
  }

  /** Fall silent within 20 ms and drop what is left; `flushed` follows. */
  flush() {
    this.#waiting = [];
    this.#node?.port.postMessage({ type: "flush" });
  }

  /** @param {ArrayBuffer | {type: "end"}} order */
  #order(order) {
    if (this.#node === null) {
      if (this.#context !== null) this.#waiting.push(order);
    } else {
      this.#node.port.postMessage(order, order instanceof ArrayBuffer ? [order] : []);
    }
  }

  /** @param {Float64Array | {playedMs: number, passedMs: number, droppedMs: number}} report */
  #heard(report) {
    const late = this.#sounding ? (this.#context?.outputLatency ?? 0) * 1000 : 0;
    if (report instanceof Float64Array) return this.#report(report);
    const { playedMs, passedMs, droppedMs } = report;
    this.#listener.level(0);
    this.#listener.flushed({
      playedMs: Math.max(0, playedMs - late), passedMs: Math.max(0, this.#beforeMs + passedMs - late), droppedMs,
    });
  }

  /** @param {Float64Array} report */
  #report([sounding, playedMs, passedMs, underruns, level]) {
    this.#listener.level(sounding ? level : 0);
    const was = this.#sounding;
    this.#sounding = Boolean(sounding);
    if (sounding && !was) this.#listener.started(this.#context?.sampleRate ?? null);
    const late = sounding ? (this.#context?.outputLatency ?? 0) * 1000 : 0;
    const heard = {
      playedMs: Math.max(0, playedMs - late), passedMs: this.#beforeMs + Math.max(0, passedMs - late), underruns,
    };
    if (was && !sounding) return this.#listener.drained(heard);
    const now = performance.now();
    if (!sounding || now - this.#reported < REPORT_MS) return;
    this.#reported = now;
    this.#listener.played(heard);
  }

  /** Whether the browser lets the page choose where sound goes. */
  static get choosable() {
    return "AudioContext" in globalThis && "setSinkId" in AudioContext.prototype;
  }

  /** @param {string} device id of an output; empty = the system's choice */
  async choose(device) {
    this.#device = device;
    const context = /** @type {(AudioContext & {setSinkId?: (id: string) => Promise<void>}) | null} */ (this.#context);
    if (!Speaker.choosable || !context || (device === "" && !this.#node)) return;
    await context.setSinkId?.(device).catch(() => undefined);
  }
}

/** The rate of the wire, or the system's own where the browser refuses that. */
function makeContext() {
  try {
    return new AudioContext({ sampleRate: OUTPUT_RATE, latencyHint: "interactive" });
  } catch {
    return new AudioContext({ latencyHint: "interactive" });
  }
}
