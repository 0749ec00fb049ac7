// The orb around the big button: the state as a colour, moved by the voice of whoever speaks.

import { find } from "./dom.js";
import { loudness } from "./meter.js";

/** @typedef {import("./client/phases.js").Phase} Phase */

/** Radius of the big button in CSS pixels; the same as in styles/dock.css. */
const CORE = 38;
/** How far the outermost layer stands off at rest, and how much further a full voice drives it. */
const REST = 7;
const DRIVE = 15;
/** Layers from the outside in: share of the distance, how opaque, how fast it turns (radians a second). */
const LAYERS = [
  { reach: 1, alpha: 0.16, speed: 0.7 },
  { reach: 0.72, alpha: 0.22, speed: -0.9 },
  { reach: 0.4, alpha: 0.34, speed: 1.3 },
];
const POINTS = 72;
/** Share of the way to the newest level that is made in a frame, up and down. */
const ATTACK = 0.35;
const RELEASE = 0.09;
/** Milliseconds in which a colour turns into the next one; the same as in styles/dock.css. */
const FADE_MS = 260;

/** Phases in which something is under way and nobody speaks. @type {ReadonlySet<Phase>} */
const WORKING = new Set(/** @type {Phase[]} */ (["connecting", "thinking", "reconnecting"]));
/** Whose voice moves it. @type {Partial<Record<Phase, "you" | "agent">>} */
const VOICES = { listening: "you", speaking: "agent" };

export class Orb {
  #canvas = /** @type {HTMLCanvasElement} */ (find("orb"));
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  /** @type {Phase} */
  #phase = "idle";
  /** Newest level of each voice, 0 … 1. */
  #levels = { you: 0, agent: 0 };
  /** What is shown of it. */
  #energy = 0;
  #fadedAt = 0;
  #running = false;

  constructor() {
    new ResizeObserver(() => this.#resize()).observe(this.#canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#recolour());
    this.#calm.addEventListener("change", () => this.#recolour());
  }

  /** @param {Phase} phase */
  show(phase) {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#recolour();
  }

  /** @param {"you" | "agent"} who @param {number} level loudest sample, 0 … 1 */
  hear(who, level) {
    this.#levels[who] = loudness(level);
    if (VOICES[this.#phase] === who && level > 0) this.#run();
  }

  #recolour() {
    this.#fadedAt = performance.now() + FADE_MS;
    this.#run();
  }

  #resize() {
    this.#canvas.width = this.#canvas.clientWidth * devicePixelRatio;
    this.#canvas.height = this.#canvas.clientHeight * devicePixelRatio;
    this.#draw(0);
  }

  #run() {
    if (this.#running) return;
    this.#running = true;
    requestAnimationFrame((now) => this.#frame(now));
  }

  /** Goes on while there is something to see. @param {number} now milliseconds */
  #frame(now) {
    const voice = VOICES[this.#phase];
    const wanted = voice && !this.#calm.matches ? this.#levels[voice] : 0;
    this.#energy += (wanted - this.#energy) * (wanted > this.#energy ? ATTACK : RELEASE);
    if (this.#energy < 0.004) this.#energy = 0;
    this.#draw(now / 1000);
    const moving = !this.#calm.matches && (WORKING.has(this.#phase) || this.#energy > 0 || wanted > 0);
    this.#running = moving || now < this.#fadedAt;
    if (this.#running) requestAnimationFrame((next) => this.#frame(next));
  }

  /** @param {number} seconds */
  #draw(seconds) {
    const pen = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    const half = this.#canvas.clientWidth / 2;
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, 2 * half, 2 * half);
    pen.translate(half, half);
    pen.fillStyle = pen.strokeStyle = getComputedStyle(this.#canvas).color;
    for (const layer of LAYERS) {
      pen.globalAlpha = layer.alpha;
      blob(pen, layer, this.#energy, seconds);
    }
    if (!WORKING.has(this.#phase)) return;
    if (this.#calm.matches) ring(pen);
    else comet(pen, seconds * (this.#phase === "thinking" ? 3 : 5));
  }
}

/** A circle that the voice pulls out of shape.
 * @param {CanvasRenderingContext2D} pen @param {(typeof LAYERS)[0]} layer @param {number} energy @param {number} seconds */
function blob(pen, { reach, speed }, energy, seconds) {
  const turn = seconds * speed;
  pen.beginPath();
  for (let i = 0; i < POINTS; i += 1) {
    const angle = (i / POINTS) * 2 * Math.PI;
    const wave = Math.sin(3 * angle + 2 * turn) + 0.6 * Math.sin(5 * angle - 3 * turn) + 0.8 * Math.cos(2 * angle + turn);
    const radius = CORE + reach * (REST + energy * DRIVE * (1 + 0.22 * wave));
    pen.lineTo(radius * Math.cos(angle), radius * Math.sin(angle));
  }
  pen.closePath();
  pen.fill();
}

/** A light with a tail that goes round. @param {CanvasRenderingContext2D} pen @param {number} angle */
function comet(pen, angle) {
  const tail = pen.createConicGradient(angle, 0, 0);
  tail.addColorStop(0.25, "transparent");
  tail.addColorStop(1, /** @type {string} */ (pen.strokeStyle));
  pen.strokeStyle = tail;
  ring(pen);
}

/** @param {CanvasRenderingContext2D} pen */
function ring(pen) {
  pen.globalAlpha = 1;
  pen.lineWidth = 3;
  pen.beginPath();
  pen.arc(0, 0, CORE + REST - 1.5, 0, 2 * Math.PI);
  pen.stroke();
}
