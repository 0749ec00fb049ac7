// The agent's voice: takes sound as it comes, plays it in time, tells what was heard.

import { OUTPUT_RATE } from "./protocol.js";

/** Milliseconds between reports of what was heard. */
const REPORT_MS = 250;

/**
 * @typedef {object} Listener
 * @property {() => void} started the voice is to be heard
 * @property {() => void} drained nothing is left to play
 * @property {(ms: number) => void} played milliseconds of the current reply that were heard
 * @property {(playedMs: number, droppedMs: number) => void} flushed
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
  /** Times the voice stuttered because sound came too late. */
  underruns = 0;
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

  /** @param {Float64Array | {playedMs: number, droppedMs: number}} report */
  #heard(report) {
    const late = (this.#context?.outputLatency ?? 0) * 1000;
    if (!(report instanceof Float64Array)) {
      this.#listener.level(0);
      this.#listener.flushed(Math.max(0, report.playedMs - (this.#sounding ? late : 0)), report.droppedMs);
      return;
    }
    const [sounding, playedMs, , underruns, level] = report;
    this.underruns = underruns;
    this.#listener.level(sounding ? level : 0);
    const changed = Boolean(sounding) !== this.#sounding;
    this.#sounding = Boolean(sounding);
    if (changed && sounding) this.#listener.started();
    const now = performance.now();
    if (playedMs > 0 && (!sounding || now - this.#reported >= REPORT_MS)) {
      this.#reported = now;
      this.#listener.played(sounding ? Math.max(0, playedMs - late) : playedMs);
    }
    if (changed && !sounding) this.#listener.drained();
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
