// Deletes a past conversation: out of sight at once, for good some seconds later, unless it is undone.

import { api } from "./api.js";
import { find, setText } from "./dom.js";

/** Milliseconds in which it can be undone. */
const UNDO_MS = 8000;

export class Deletion {
  #bar = find("deleted");
  #text = find("deleted-text");
  #undo = find("undo");
  /** What is out of sight; no longer in the store or soon not. @type {Set<string>} */
  #gone = new Set();
  /** What can still be had back. @type {string | null} */
  #pending = null;
  #timer = 0;
  #changed;

  /** @param {() => void} changed the list looks different now */
  constructor(changed) {
    this.#changed = changed;
    this.#undo.addEventListener("click", () => this.#restore());
    window.addEventListener("pagehide", () => this.#finish());
  }

  /** Not to be listed any more. @param {string} id */
  covers(id) {
    return this.#gone.has(id);
  }

  /** @param {string} id */
  begin(id) {
    this.#finish();
    this.#pending = id;
    this.#gone.add(id);
    this.#say("The conversation is deleted. Goals and tasks stay.", true);
    this.#timer = window.setTimeout(() => this.#finish(), UNDO_MS);
    this.#changed();
    this.#undo.focus();
  }

  #restore() {
    window.clearTimeout(this.#timer);
    if (this.#pending !== null) this.#gone.delete(this.#pending);
    this.#pending = null;
    this.#bar.hidden = true;
    this.#changed();
  }

  /** Nobody wants it back. */
  #finish() {
    const id = this.#pending;
    if (id === null) return;
    window.clearTimeout(this.#timer);
    this.#pending = null;
    this.#bar.hidden = true;
    api.remove(id).catch(() => {
      this.#gone.delete(id);
      this.#say("The conversation could not be deleted; it is in the list again.", false);
      this.#changed();
    });
  }

  /** @param {string} words @param {boolean} undoable */
  #say(words, undoable) {
    setText(this.#text, words);
    this.#undo.hidden = !undoable;
    this.#bar.hidden = false;
  }
}
