// The two panels: columns where there is room, drawers over the talk where there is not.

import { find } from "./dom.js";

/** The same widths as in styles/layout.css. */
const COLUMNS = { history: matchMedia("(min-width: 760px)"), planner: matchMedia("(min-width: 1120px)") };

/** @typedef {keyof typeof COLUMNS} Name */

const NAMES = /** @type {Name[]} */ (Object.keys(COLUMNS));

export class Drawers {
  #shade = find("shade");
  /** @type {Name | null} */
  #open = null;
  #closed;

  /** @param {(name: Name) => unknown} closed */
  constructor(closed) {
    this.#closed = closed;
    for (const name of NAMES) {
      find(`open-${name}`).addEventListener("click", () => this.open(name));
      COLUMNS[name].addEventListener("change", () => this.#show());
      find(name).querySelector("[data-close]")?.addEventListener("click", () => this.close());
    }
    this.#shade.addEventListener("click", () => this.close());
    this.#show();
  }

  /** @param {Name} name */
  open(name) {
    this.#open = name;
    this.#show();
    /** @type {HTMLElement | null} */ (find(name).querySelector("[data-close]"))?.focus();
  }

  /** @returns {boolean} whether one was open */
  close() {
    const name = this.#open;
    if (name === null) return false;
    this.#open = null;
    this.#show();
    find(`open-${name}`).focus();
    this.#closed(name);
    return true;
  }

  #show() {
    const over = this.#open !== null && !COLUMNS[this.#open].matches;
    for (const name of NAMES) {
      const open = this.#open === name && over;
      find(name).toggleAttribute("data-open", open);
      find(name).inert = !open && !COLUMNS[name].matches;
      find(`open-${name}`).setAttribute("aria-expanded", String(open));
    }
    /** @type {HTMLElement} */ (document.querySelector(".stage")).inert = over;
    this.#shade.hidden = !over;
  }
}
