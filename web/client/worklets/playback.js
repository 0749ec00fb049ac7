// Sound from the bridge → loudspeaker: fills a ring on arrival, empties it in time, reports what was heard.

import { Resampler } from "./resampler.js";
import { Ring } from "./ring.js";

const RATE = 24000;
/** Samples resampled at a time. */
const CHUNK = 4096;

/** Milliseconds of all sound so far that were played or dropped. @param {Ring} ring */
const passedMs = (ring) => (ring.played / ring.rate) * 1000;

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ring = new Ring(sampleRate);
    this.resampler = new Resampler(RATE, sampleRate, CHUNK);
    this.chunk = new Float32Array(CHUNK);
    this.resampled = new Float32Array(this.resampler.bound(CHUNK));
    this.was = false;
    this.peak = 0;
    this.sinceReport = 0;
    /** Sounding (0 or 1), played ms of the reply, passed ms of all sound, underruns, peak. */
    this.report = new Float64Array(5);
    this.port.onmessage = ({ data }) => this.obey(data);
  }

  /** @param {ArrayBuffer | {type: "end" | "flush"}} order */
  obey(order) {
    if (order instanceof ArrayBuffer) return this.fill(new Int16Array(order, 0, order.byteLength >> 1));
    if (order.type === "end") return this.ring.end();
    const { ring } = this;
    const { playedMs } = ring;
    const passed = passedMs(ring);
    this.resampler.reset();
    this.port.postMessage({ playedMs, passedMs: passed, droppedMs: ring.flush() });
  }

  /** @param {Int16Array} sound */
  fill(sound) {
    for (let from = 0; from < sound.length; from += CHUNK) {
      const size = Math.min(CHUNK, sound.length - from);
      for (let i = 0; i < size; i += 1) this.chunk[i] = sound[from + i] / 32768;
      if (sampleRate === RATE) this.ring.write(this.chunk, size);
      else this.ring.write(this.resampled, this.resampler.push(this.chunk, size, this.resampled));
    }
  }

  /** @param {Float32Array[][]} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, outputs) {
    const out = outputs[0][0];
    this.ring.read(out);
    for (let channel = 1; channel < outputs[0].length; channel += 1) outputs[0][channel].set(out);
    this.peak = Math.max(this.peak, this.ring.peak);
    this.sinceReport += out.length;
    const { sounding } = this.ring;
    if (sounding !== this.was || (sounding && this.sinceReport >= sampleRate * 0.05)) this.tell(sounding);
    return true;
  }

  /** Posting copies the report, so one is enough. @param {boolean} sounding */
  tell(sounding) {
    const { report, ring } = this;
    report[0] = Number(sounding);
    report[1] = ring.playedMs;
    report[2] = passedMs(ring);
    report[3] = ring.underruns;
    report[4] = this.peak;
    this.port.postMessage(report);
    this.was = sounding;
    this.peak = 0;
    this.sinceReport = 0;
  }
}

registerProcessor("playback", Playback);
