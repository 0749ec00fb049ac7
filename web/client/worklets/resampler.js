// Changes the sample rate of a stream, chunk by chunk, with a windowed sinc; allocates only when it is made.

/** Zero crossings of the sinc on each side. */
const CROSSINGS = 12;
/** Positions between two samples that the table knows. */
const PHASES = 256;

export class Resampler {
  /**
   * @param {number} from Hz
   * @param {number} to Hz
   * @param {number} longest samples in one chunk, at most
   */
  constructor(from, to, longest) {
    /** Input samples per output sample. */
    this.stride = from / to;
    const cutoff = Math.min(1, to / from) * 0.95;
    /** Samples on each side that one output sample looks at. */
    this.reach = Math.ceil(CROSSINGS / cutoff);
    this.table = sincTable(this.reach, cutoff);
    /** The last `2 · reach` samples of the chunks before, then the chunk. */
    this.window = new Float32Array(2 * this.reach + longest);
    /** Where in the window the next output sample stands. */
    this.position = this.reach;
  }

  /** Samples that `size` more may become, at most. @param {number} size */
  bound(size) {
    return Math.ceil(size / this.stride) + 1;
  }

  /**
   * @param {Float32Array} input
   * @param {number} size samples of it to read
   * @param {Float32Array} output at least `bound(size)` long
   * @returns {number} samples written
   */
  push(input, size, output) {
    const { window, reach, stride } = this;
    const kept = 2 * reach;
    for (let i = 0; i < size; i += 1) window[kept + i] = input[i];
    let written = 0;
    while (this.position + reach < kept + size) {
      output[written] = this.sample(this.position);
      written += 1;
      this.position += stride;
    }
    this.position -= size;
    window.copyWithin(0, size, size + kept);
    return written;
  }

  /** The signal at a place between samples. @param {number} position */
  sample(position) {
    const { window, reach, table } = this;
    const whole = Math.floor(position);
    const row = Math.round((position - whole) * PHASES) * 2 * reach;
    let sum = 0;
    for (let i = 0; i < 2 * reach; i += 1) sum += window[whole - reach + 1 + i] * table[row + i];
    return sum;
  }

  /** Forget what came before. */
  reset() {
    this.window.fill(0);
    this.position = this.reach;
  }
}

/**
 * One row of `2 · reach` weights per phase; each row sums to 1.
 * @param {number} reach
 * @param {number} cutoff share of the input's Nyquist frequency
 */
function sincTable(reach, cutoff) {
  const width = 2 * reach;
  const table = new Float32Array((PHASES + 1) * width);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    let sum = 0;
    for (let i = 0; i < width; i += 1) {
      const distance = i - reach + 1 - phase / PHASES;
      const x = Math.PI * distance * cutoff;
      const hann = 0.5 + 0.5 * Math.cos((Math.PI * distance) / (reach + 1));
      table[phase * width + i] = (x === 0 ? 1 : Math.sin(x) / x) * hann;
      sum += table[phase * width + i];
    }
    for (let i = 0; i < width; i += 1) table[phase * width + i] /= sum;
  }
  return table;
}
