// The list of past conversations: newest first, searched, opened by their address (#c=…).

import { api } from "./api.js";
import { failureIn } from "./client/api.js";
import { find, icon, make, setText, time } from "./dom.js";
import { day, length } from "./times.js";

/** @typedef {import("./client/api.js").Conversation} Conversation */

/** Milliseconds without a key before a search begins, and between two refreshes. */
const CALM_MS = 250;
/** Milliseconds before the list is asked again for a conversation that it has not yet; doubled each time. */
const AGAIN_MS = 500;
/** How often at most. */
const TIMES = 5;

/** The conversation an address names, if any. @param {string} hash */
export const named = (hash) => new URLSearchParams(hash.slice(1)).get("c");

/** @param {string} id */
export const address = (id) => `#${new URLSearchParams({ c: id })}`;

export class Conversations {
  #list = find("history-list");
  #empty = find("history-empty");
  #more = find("history-more");
  #search = /** @type {HTMLInputElement} */ (find("search"));
  /** @type {Conversation[]} */
  #items = [];
  /** @type {string | null} */
  #next = null;
  /** @type {string | null} */
  #current = null;
  /** The conversation the list is to have: it is stored a moment after the first words are heard. @type {string | null} */
  #wanted = null;
  #tries = 0;
  #timer = 0;
  #asking = new AbortController();

  #isGone;
  #answered;

  /**
   * @param {(id: string) => boolean} isGone is not to be listed
   * @param {(status: number | null) => void} answered HTTP status of a failure, 0 = not reached; null = the list came
   */
  constructor(isGone, answered) {
    this.#isGone = isGone;
    this.#answered = answered;
    this.#search.addEventListener("input", () => this.refresh());
    this.#more.addEventListener("click", () => void this.#load(this.#next));
  }

  /** Fetch the list anew, soon. @param {string | null} [wanted] a conversation that must be in it, with its title */
  refresh(wanted = null) {
    this.#wanted = wanted;
    this.#tries = 0;
    this.#loadIn(CALM_MS);
  }

  /** @param {number} ms */
  #loadIn(ms) {
    window.clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => void this.#load(null), ms);
  }

  /** Mark the one that is shown. @param {string | null} id */
  mark(id) {
    if (id === this.#current) return;
    this.#current = id;
    for (const link of this.#links) markLink(link, named(link.hash) === id);
  }

  get #links() {
    return [...this.#list.querySelectorAll("a")];
  }

  /** @param {string | null} after */
  async #load(after) {
    this.#asking.abort();
    this.#asking = new AbortController();
    const { signal } = this.#asking;
    const text = this.#search.value.trim();
    const part = await api.conversations({ text, after, signal }).catch((error) => failureIn(error));
    if (signal.aborted) return;
    this.#answered("status" in part ? part.status : null);
    if ("status" in part) return this.#say("The list cannot be loaded right now.");
    this.#items = after === null ? part.items : [...this.#items, ...part.items];
    this.#next = part.next;
    this.redraw();
    const missing = this.#wanted !== null && !text && !this.#items.find(({ id }) => id === this.#wanted)?.title;
    if (missing && this.#tries < TIMES) this.#loadIn(AGAIN_MS * 2 ** this.#tries++);
  }

  /** Show what was fetched last. */
  redraw() {
    const there = this.#items.filter((item) => !this.#isGone(item.id));
    const focused = document.activeElement instanceof HTMLAnchorElement ? document.activeElement.hash : null;
    this.#list.replaceChildren(...there.map((item) => entry(item, item.id === this.#current)));
    this.#links.find(({ hash }) => hash === focused)?.focus();
    this.#more.hidden = this.#next === null;
    const empty = this.#search.value.trim() ? "Nothing found." : "What you talk about will be listed here.";
    this.#say(there.length ? "" : empty);
  }

  /** @param {string} words */
  #say(words) {
    setText(this.#empty, words);
    this.#empty.hidden = !words;
  }
}

/** @param {Conversation} item @param {boolean} current */
function entry(item, current) {
  const made = [...(item.linked_goal_id ? ["goal"] : []), ...(item.linked_task_id ? ["task"] : [])];
  const facts = make("span", { class: "facts" }, time(item.last_activity_at, day(item.last_activity_at, new Date())));
  if (item.duration_seconds > 0) facts.append(` · ${length(item.duration_seconds)}`);
  facts.append(` · ${item.message_count} ${item.message_count === 1 ? "message" : "messages"}`);
  const title = make("span", { class: "name" }, item.title || "Conversation without a title");
  const marks = make("span", { class: "marks" }, ...made.map(mark));
  const link = make("a", { href: address(item.id) }, title, facts, marks);
  markLink(link, current);
  return make("li", {}, link);
}

/** @param {string} kind goal | task */
const mark = (kind) => make("span", { class: "made" }, icon(kind), make("span", { class: "hidden" }, `made a ${kind}`));

/** @param {Element} link @param {boolean} current */
function markLink(link, current) {
  if (current) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}
