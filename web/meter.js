// A level meter: the last second of a voice as bars that walk towards the other side of the bridge.

/** Pixels, before the screen's own scale. */
const BAR = 3;
const GAP = 3;
/** Milliseconds a bar stands for. */
const STEP_MS = 60;

export class Meter {
  #canvas;
  #flow;
  /** Newest last. @type {number[]} */
  #levels = [];
  #loudest = 0;
  #since = 0;
  #running = false;
  #calm = matchMedia("(prefers-reduced-motion: reduce)");

  /** @param {HTMLCanvasElement} canvas @param {"right" | "left"} flow where the bars walk to */
  constructor(canvas, flow) {
    this.#canvas = canvas;
    this.#flow = flow;
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#draw());
  }

  /** @param {number} level 0 … 1 */
  push(level) {
    this.#loudest = Math.max(this.#loudest, level);
    if (this.#running) return;
    this.#running = true;
    requestAnimationFrame((now) => this.#frame(now));
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#canvas;
    this.#canvas.width = clientWidth * devicePixelRatio;
    this.#canvas.height = clientHeight * devicePixelRatio;
    this.#draw();
  }

  get #count() {
    return Math.max(1, Math.floor((this.#canvas.clientWidth + GAP) / (BAR + GAP)));
  }

  /** @param {number} now */
  #frame(now) {
    if (now - this.#since >= STEP_MS) {
      this.#since = now;
      this.#levels.push(loudness(this.#loudest));
      this.#levels.splice(0, this.#levels.length - this.#count);
      this.#loudest = 0;
      this.#draw();
    }
    this.#running = this.#levels.some((level) => level > 0);
    if (this.#running) requestAnimationFrame((next) => this.#frame(next));
  }

  #draw() {
    const pen = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = getComputedStyle(this.#canvas).color;
    const count = this.#count;
    for (let i = 0; i < count; i += 1) {
      const level = this.#levelAt(count - 1 - i);
      const x = this.#flow === "right" ? i * (BAR + GAP) : width - BAR - i * (BAR + GAP);
      const tall = Math.max(BAR, level * height);
      pen.globalAlpha = level > 0 ? 1 : 0.35;
      pen.beginPath();
      pen.roundRect(x, (height - tall) / 2, BAR, tall, BAR / 2);
      pen.fill();
    }
  }

  /** Level of a bar; `place` 0 is the oldest. With reduced motion all bars show the newest. @param {number} place */
  #levelAt(place) {
    const newest = this.#levels.length - 1;
    if (this.#calm.matches) return this.#levels[newest] ?? 0;
    return this.#levels[newest - (this.#count - 1 - place)] ?? 0;
  }
}

/** Peak → what an ear makes of it: −50 dB is nothing, 0 dB is full. @param {number} peak 0 … 1 */
export function loudness(peak) {
  if (peak <= 0) return 0;
  return Math.max(0, (20 * Math.log10(peak) + 50) / 50) ** 1.6;
}
