// Microphone → 16 kHz, 16 bit, 20 ms frames, posted to the page; silence while the gate is shut.

import { Resampler } from "./resampler.js";

const RATE = 16000;
/** Samples in a frame: 20 ms. */
const FRAME = 320;
/** Frames that still go out after the gate was shut, so that a last syllable is not cut: 200 ms. */
const TAIL = 10;
/** Samples the browser may give at once; today 128. */
const LONGEST = 2048;

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, RATE, LONGEST);
    this.samples = new Float32Array(this.resampler.bound(LONGEST));
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.open = true;
    this.tail = 0;
    this.port.onmessage = ({ data }) => {
      if (this.open && !data.open) this.tail = TAIL;
      this.open = data.open;
    };
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const channel = inputs[0][0];
    if (channel === undefined) return true;
    if (sampleRate === RATE) {
      this.take(channel, channel.length);
    } else {
      this.take(this.samples, this.resampler.push(channel, channel.length, this.samples));
    }
    return true;
  }

  /** @param {Float32Array} samples @param {number} size */
  take(samples, size) {
    for (let i = 0; i < size; i += 1) {
      const loud = Math.max(-1, Math.min(1, samples[i]));
      this.frame[this.filled] = this.open || this.tail > 0 ? Math.round(loud * 32767) : 0;
      this.filled += 1;
      if (this.filled === FRAME) this.post();
    }
  }

  /** Posting copies the frame, so one is enough. */
  post() {
    this.port.postMessage(this.frame);
    this.filled = 0;
    if (this.tail > 0) this.tail -= 1;
  }
}

registerProcessor("capture", Capture);
