// A worklet for tests/web/test_lossy.py: measures the voice as it leaves the page, sample by sample.

/** Samples of zero that count as a gap: 2 ms; a tone's zero crossings are shorter. */
const GAP = 48;

class Tap extends AudioWorkletProcessor {
  constructor() {
    super();
    /** Samples since the last one that was not zero. */
    this.quiet = 0;
    this.sound = 0;
    /** Milliseconds of each silence between sounds. @type {number[]} */
    this.gaps = [];
    this.blocks = 0;
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    for (const sample of inputs[0][0] ?? []) this.take(sample);
    this.blocks += 1;
    if (this.blocks % 40 === 0) this.port.postMessage({ soundMs: (this.sound / sampleRate) * 1000, gaps: this.gaps });
    return true;
  }

  /** @param {number} sample */
  take(sample) {
    if (Math.abs(sample) < 1e-5) {
      this.quiet += 1;
      return;
    }
    if (this.sound > 0 && this.quiet >= GAP) this.gaps.push((this.quiet / sampleRate) * 1000);
    else if (this.sound > 0) this.sound += this.quiet;
    this.sound += 1;
    this.quiet = 0;
  }
}

registerProcessor("tap", Tap);
