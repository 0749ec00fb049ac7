// Sound that the program brings and plays itself: what stands in for microphone and speaker without a browser.

import { OUTPUT_RATE } from "./protocol.js";

/** Bytes in a millisecond of the agent's sound. */
const BYTES_PER_MS = (OUTPUT_RATE * 2) / 1000;

/** In place of a microphone: frames are given from outside. */
export class GivenMicrophone {
  #open = false;
  #gate = true;
  #pass;
  hz = null;

  /** @param {(frame: ArrayBuffer) => void} pass where frames go */
  constructor(pass) {
    this.#pass = pass;
  }

  /** @returns {Promise<"open">} */
  async open() {
    this.#open = true;
    return "open";
  }

  /** Shut, silence is sent in place of sound. @param {boolean} open */
  gate(open) {
    this.#gate = open;
  }

  close() {
    this.#open = false;
  }

  /**
   * One frame; without a talk it is thrown away.
   * @param {ArrayBuffer | Uint8Array | Int16Array} frame linear16, 16 kHz
   */
  take(frame) {
    if (this.#open) this.#pass(this.#gate ? bytesOf(frame) : new ArrayBuffer(frame.byteLength));
  }
}

/** In place of a speaker: what comes counts as heard at once. */
export class GivenSpeaker {
  #sounding = false;
  #listener;
  /** Milliseconds of sound that came. */
  arrivedMs = 0;

  /** @param {import("./speaker.js").Listener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  open() {}

  resume() {}

  async choose() {}

  /** @param {ArrayBuffer} sound linear16, 24 kHz */
  play(sound) {
    this.arrivedMs += sound.byteLength / BYTES_PER_MS;
    if (!this.#sounding) this.#listener.started(null);
    this.#sounding = true;
  }

  end() {
    this.#fall(() => this.#listener.drained({ playedMs: 0, passedMs: 0, underruns: 0 }));
  }

  flush() {
    this.#fall(() => this.#listener.flushed({ playedMs: 0, passedMs: 0, droppedMs: 0 }));
  }

  /** @param {() => void} tell */
  #fall(tell) {
    if (!this.#sounding) return;
    this.#sounding = false;
    tell();
  }
}

/** @param {ArrayBuffer | Uint8Array | Int16Array} frame @returns {ArrayBuffer} */
function bytesOf(frame) {
  if (frame instanceof ArrayBuffer) return frame;
  const { buffer, byteOffset, byteLength } = frame;
  return /** @type {ArrayBuffer} */ (buffer.slice(byteOffset, byteOffset + byteLength));
}
