// Sound on its way to the ear: a ring buffer that knows where a reply begins, how much was heard, and how to stop softly.

/** Seconds: there before playing begins, at least and at most, and waited longer than that takes at the pace of speech. */
const [LEAST, MOST, PATIENCE] = [0.08, 0.32, 0.22];

export class Ring {
  /** @param {number} rate Hz @param {number} [capacity] samples; it grows when a reply is longer */
  constructor(rate, capacity = rate * 16) {
    this.rate = rate;
    this.buffer = new Float32Array(capacity);
    /** Samples written since the beginning. */
    this.written = 0;
    /** Samples played or dropped since the beginning. */
    this.played = 0;
    /** Where the current reply began. */
    this.start = 0;
    /** The current reply is complete: what is written next begins another one. */
    this.ended = true;
    /** Nothing is played before that much is there, unless the reply is complete. Grows while the network stutters. */
    this.threshold = Math.round(rate * LEAST);
    /** Underruns before the current reply. */
    this.underrunsBefore = 0;
    this.sounding = false;
    this.underruns = 0;
    /** Samples of silence while too little was there. */
    this.waited = 0;
    this.fadeLength = Math.round(rate * 0.02);
    /** Samples of the fade that are left; 0 = none. */
    this.fade = 0;
    /** Where playing goes on after the fade. */
    this.fadeTo = 0;
    /** The loudest sample of the last `read`. */
    this.peak = 0;
  }

  get buffered() {
    return this.written - this.played;
  }

  /** Milliseconds of the current reply that were played. */
  get playedMs() {
    return (Math.max(0, this.played - this.start) / this.rate) * 1000;
  }

  /** @param {Float32Array} samples @param {number} size */
  write(samples, size) {
    if (this.ended) this.begin();
    if (this.buffered + size > this.buffer.length) this.grow(this.buffered + size);
    for (let i = 0; i < size; i += 1) this.buffer[(this.written + i) % this.buffer.length] = samples[i];
    this.written += size;
  }

  /** Another reply: after one that stuttered wait twice as long, after one that did not a little less. */
  begin() {
    this.start = this.written;
    this.ended = false;
    const wished = this.threshold * (this.underruns > this.underrunsBefore ? 2 : 0.95);
    this.underrunsBefore = this.underruns;
    this.threshold = Math.round(Math.min(MOST * this.rate, Math.max(LEAST * this.rate, wished)));
  }

  /** @param {number} least samples */
  grow(least) {
    const bigger = new Float32Array(Math.max(least, this.buffer.length * 2));
    for (let at = this.played; at < this.written; at += 1) {
      bigger[at % bigger.length] = this.buffer[at % this.buffer.length];
    }
    this.buffer = bigger;
  }

  /** The reply is complete. */
  end() {
    this.ended = true;
  }

  /** Stop within 20 ms and drop what is there. @returns {number} milliseconds dropped */
  flush() {
    const dropped = this.buffered;
    if (this.fade === 0 && this.sounding) this.fade = Math.min(this.fadeLength, dropped);
    this.fadeTo = this.written;
    this.ended = true;
    if (this.fade === 0) this.stop();
    return (dropped / this.rate) * 1000;
  }

  /** What was dropped was not heard: nothing of the reply counts any more. */
  stop() {
    this.played = Math.max(this.played, this.fadeTo);
    this.start = Math.max(this.start, this.fadeTo);
    this.fade = 0;
    this.sounding = false;
  }

  /** Fill `out`; silence where nothing is to be played. @param {Float32Array} out */
  read(out) {
    this.peak = 0;
    for (let i = 0; i < out.length; i += 1) {
      out[i] = this.next();
      this.peak = Math.max(this.peak, Math.abs(out[i]));
    }
  }

  next() {
    if (!this.sounding && !this.ready()) return 0;
    if (this.buffered === 0) return this.dry();
    const sample = this.buffer[this.played % this.buffer.length];
    this.played += 1;
    if (this.fade === 0) return sample;
    const gain = this.fade / this.fadeLength;
    this.fade -= 1;
    if (this.fade === 0) this.stop();
    return sample * gain;
  }

  /** Whether playing may begin: enough is there, or no more will come, or it was waited for long enough. */
  ready() {
    if (this.buffered === 0) return false;
    const late = this.waited > this.threshold + this.rate * PATIENCE;
    this.sounding = late || this.ended || this.buffered >= this.threshold;
    this.waited = this.sounding ? 0 : this.waited + 1;
    return this.sounding;
  }

  dry() {
    this.sounding = false;
    if (!this.ended) this.underruns += 1;
    return 0;
  }
}
