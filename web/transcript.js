// What was said, as bubbles, and what was done, as chips. Sticks to the newest unless somebody scrolled away.

import { Captions } from "./captions.js";
import { find, icon, make, time } from "./dom.js";
import { heardOf } from "./client/record.js";
import { clock, day, duration } from "./times.js";
import { STATUS_WORDS, functionWords } from "./words.js";

/** @typedef {import("./client/record.js").Item} Item */

/** @type {Record<import("./client/record.js").Chip["status"], string>} */
const STATUS_ICONS = {
  running: "work", done: "check", noted: "check", refused: "ask", unconfirmed: "ask", failed: "fail", timed_out: "fail", cancelled: "close",
};

/** Pixels from the foot that still count as being there. */
const NEAR = 48;

export class Transcript {
  #log = find("log");
  #scroll = find("scroll");
  #jump = find("jump");
  #waiting = find("waiting");
  /** What is on screen: the item and its element, in order. @type {{item: Item, element: HTMLElement}[]} */
  #shown = [];
  /** @type {readonly Item[]} */
  #items = [];
  /** @type {readonly string[]} */
  #outbox = [];
  #pending = make("div", { class: "pending" });
  #captions = new Captions();
  #stuck = true;
  /** Where we scrolled to last. */
  #placed = 0;

  constructor() {
    this.#log.append(this.#pending);
    this.#scroll.addEventListener("scroll", () => this.#noticeScroll(), { passive: true });
    this.#jump.addEventListener("click", () => this.toNewest());
    const follow = new ResizeObserver(() => this.#follow());
    follow.observe(this.#log);
    follow.observe(this.#scroll);
  }

  /**
   * @param {readonly Item[]} items
   * @param {readonly string[]} outbox typed, not yet in the record
   * @param {"user" | "assistant" | null} waiting who is about to say something
   * @param {number | null} playedMs of the agent's sound; null = this is no talk but its record: nothing is announced
   */
  show(items, outbox, waiting, playedMs) {
    this.#log.setAttribute("aria-live", playedMs === null ? "off" : "polite");
    if (items !== this.#items) this.#update(items);
    if (outbox !== this.#outbox) this.#pending.replaceChildren(...outbox.map(pendingBubble));
    this.#items = items;
    this.#outbox = outbox;
    this.#captions.show(this.#sentences(), playedMs ?? Infinity);
    this.#waiting.hidden = waiting === null;
    this.#waiting.dataset.role = waiting ?? "";
    this.#follow();
  }

  toNewest() {
    this.#stuck = true;
    this.#jump.hidden = true;
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#placed = this.#scroll.scrollTop;
  }

  /** Stay at the foot; but who has just scrolled up, of which the event is still to come, is left where they are. */
  #follow() {
    if (this.#scroll.scrollTop < this.#placed) this.#noticeScroll();
    if (this.#stuck) this.toNewest();
  }

  /** What the agent said with sound, and where it stands. @returns {import("./captions.js").Sentence[]} */
  #sentences() {
    return this.#shown.flatMap(({ item, element }) => {
      if (item.kind !== "message" || item.parts.every((part) => part.fromMs === null)) return [];
      const spans = element.querySelectorAll(".bubble > span");
      return item.parts.map((part, place) => ({ part, text: /** @type {Node} */ (spans[place].firstChild) }));
    });
  }

  #noticeScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroll;
    this.#stuck = scrollHeight - scrollTop - clientHeight < NEAR;
    this.#jump.hidden = this.#stuck;
  }

  /** Touch only what changed. @param {readonly Item[]} items */
  #update(items) {
    let kept = 0;
    while (kept < items.length && this.#shown[kept]?.item.id === items[kept].id) kept += 1;
    for (const { element } of this.#shown.splice(kept)) element.remove();
    items.forEach((item, place) => {
      const shown = this.#shown[place];
      if (!shown) this.#append(item, items[place - 1]);
      else if (shown.item !== item) {
        fill(shown.element, item);
        shown.item = item;
      }
    });
  }

  /** @param {Item} item @param {Item | undefined} before */
  #append(item, before) {
    const element = make("article", { class: `item ${item.kind}` });
    const newDay = !before || new Date(before.at).toDateString() !== new Date(item.at).toDateString();
    if (newDay) element.dataset.day = day(item.at, new Date());
    fill(element, item);
    this.#pending.before(element);
    this.#shown.push({ item, element });
  }
}

/** @param {HTMLElement} element @param {Item} item */
function fill(element, item) {
  if (item.kind === "message") fillBubble(element, item);
  else fillChip(element, item);
}

/** Sentences are added one by one, so that only the new one is announced.
 * @param {HTMLElement} element @param {import("./client/record.js").Bubble} item */
function fillBubble(element, { role, parts, at, typed }) {
  element.dataset.role = role;
  const bubble = element.querySelector("p") ?? make("p", { class: "bubble" });
  parts.forEach((part, place) => {
    const [heard, unheard] = heardOf(part);
    const sentence = bubble.children[place] ?? bubble.appendChild(make("span"));
    if (sentence.textContent === `${heard}${unheard} ` && !unheard) return;
    sentence.replaceChildren(heard, ...(unheard ? [make("del", { title: "Not heard" }, unheard)] : []), " ");
  });
  const interrupted = parts.some((part) => part.interrupted);
  const foot = element.querySelector("footer") ?? make("footer");
  const notes = [role === "user" && typed ? "typed" : "", interrupted ? "interrupted" : ""].filter(Boolean).join(", ");
  foot.replaceChildren(time(at, clock(at)), notes && ` · ${notes}`);
  element.toggleAttribute("data-interrupted", interrupted);
  const who = make("span", { class: "hidden" }, role === "user" ? "You: " : "Agent: ");
  if (!bubble.isConnected) element.replaceChildren(who, bubble, foot);
}

/** @param {HTMLElement} element @param {import("./client/record.js").Chip} item */
function fillChip(element, { name, args, status, content, duration: ms }) {
  const open = element.querySelector("details")?.open ?? false;
  const state = make("span", { class: "chip-state" }, STATUS_WORDS[status]);
  const took = status === "running" ? null : make("span", { class: "chip-time" }, duration(ms));
  const label = make("span", { class: "chip-name" }, functionWords(name));
  const head = make("summary", {}, icon(STATUS_ICONS[status]), label, state, took);
  const wanted = Object.entries(readArguments(args)).flatMap(([key, value]) => [
    make("dt", {}, functionWords(key)), make("dd", {}, typeof value === "string" ? value : JSON.stringify(value)),
  ]);
  const detail = make("div", { class: "chip-detail" }, make("dl", {}, ...wanted), make("p", {}, content));
  element.dataset.status = status;
  element.replaceChildren(make("details", { class: "chip", open }, head, detail));
}

/** @param {string} args JSON as text; from a language model, so perhaps not JSON at all @returns {Record<string, unknown>} */
function readArguments(args) {
  try {
    const read = JSON.parse(args || "{}");
    return read !== null && typeof read === "object" ? read : { arguments: args };
  } catch {
    return { arguments: args };
  }
}

/** @param {string} text */
function pendingBubble(text) {
  const parts = [make("p", { class: "bubble" }, text), make("footer", {}, "waiting")];
  return make("article", { class: "item message", "data-role": "user" }, ...parts);
}
