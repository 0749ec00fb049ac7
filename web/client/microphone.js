// The microphone: 16 kHz frames of 20 ms from a worklet, opened only when somebody tapped.

import { INPUT_RATE } from "./protocol.js";

/** Frames without a single sound since the opening after which the microphone counts as dead: 5 s. */
const DEAD_FRAMES = 250;

/**
 * @typedef {object} Listener
 * @property {(frame: ArrayBuffer) => void} frame linear16, 16 kHz, 640 bytes
 * @property {(level: number) => void} level loudest sample of the last 20 ms, 0 … 1
 * @property {() => void} silent it gives nothing but zeros
 * @property {() => void} lost it was unplugged, or the permission was taken back
 */

/** @typedef {import("./types.js").MicrophoneTrouble} MicrophoneTrouble */

/** @type {Record<string, MicrophoneTrouble>} */
const TROUBLES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** What kept the microphone from opening. @param {unknown} error @returns {MicrophoneTrouble} */
export const troubleOf = (error) => (error instanceof Error && TROUBLES[error.name]) || "other";

export class Microphone {
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {AudioContext | null} */
  #context = null;
  /** @type {AudioWorkletNode | null} */
  #node = null;
  #open = true;
  #zeros = 0;
  /** Openings and closings so far, so that an opening that took too long is known as such. */
  #openings = 0;
  #listener;

  /** @param {Listener} listener */
  constructor(listener) {
    this.#listener = listener;
  }

  /**
   * Ask for it and begin. @param {string} device id of an input; empty = the system's choice
   * @returns {Promise<MicrophoneTrouble | "open" | "stale">} stale: another opening or a close came between
   */
  async open(device) {
    if (!globalThis.isSecureContext || !navigator.mediaDevices) return "insecure";
    this.close();
    const opening = this.#openings;
    try {
      const stream = await ask(device);
      if (opening !== this.#openings) return stop(stream), "stale";
      this.#stream = stream;
      stream.getAudioTracks()[0].onended = () => this.#listener.lost();
      await this.#build(stream);
      return opening === this.#openings ? "open" : "stale";
    } catch (error) {
      if (opening !== this.#openings) return "stale";
      this.close();
      return troubleOf(error);
    }
  }

  /** @param {MediaStream} stream */
  async #build(stream) {
    const { context, source } = connect(stream);
    this.#context = context;
    await context.audioWorklet.addModule(new URL("./worklets/capture.js", import.meta.url));
    const node = new AudioWorkletNode(context, "capture", { channelCount: 1, channelCountMode: "explicit" });
    node.port.onmessage = ({ data }) => this.#frame(data);
    node.port.postMessage({ open: this.#open });
    source.connect(node).connect(context.destination);
    await context.resume();
    this.#node = node;
    this.#zeros = 0;
  }

  /** @param {Int16Array<ArrayBuffer>} samples */
  #frame(samples) {
    let peak = 0;
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
    this.#listener.level(peak / 32768);
    this.#listener.frame(samples.buffer);
    if (peak > 0) this.#zeros = Infinity;
    else if (this.#open) this.#zeros += 1;
    if (this.#zeros === DEAD_FRAMES) this.#listener.silent();
  }

  /** Sample rate while it is open. */
  get hz() {
    return this.#context?.sampleRate ?? null;
  }

  /** Shut, silence is sent in place of sound. @param {boolean} open */
  gate(open) {
    this.#open = open;
    this.#node?.port.postMessage({ open });
  }

  close() {
    this.#openings += 1;
    if (this.#stream) stop(this.#stream);
    if (this.#node) this.#node.port.onmessage = null;
    void this.#context?.close();
    this.#stream = this.#context = this.#node = null;
    this.#listener.level(0);
  }
}

/** @param {string} device */
async function ask(device) {
  const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
  if (!device) return navigator.mediaDevices.getUserMedia({ audio });
  const chosen = { ...audio, deviceId: { exact: device } };
  return navigator.mediaDevices.getUserMedia({ audio: chosen }).catch((error) => {
    if (troubleOf(error) !== "missing") throw error;
    return navigator.mediaDevices.getUserMedia({ audio });
  });
}

/** At the rate of the wire, or at the system's own where the browser refuses that. @param {MediaStream} stream */
function connect(stream) {
  /** @param {AudioContextOptions} options */
  const at = (options) => {
    const context = new AudioContext({ latencyHint: "interactive", ...options });
    return { context, source: context.createMediaStreamSource(stream) };
  };
  try {
    return at({ sampleRate: INPUT_RATE });
  } catch {
    return at({});
  }
}

/** @param {MediaStream} stream */
function stop(stream) {
  for (const track of stream.getTracks()) {
    track.onended = null;
    track.stop();
  }
}
