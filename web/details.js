// The drawer with the figures of a talk, for whoever looks closer or asks for help. Kept up to date while it is open.

import { find, icon, make, setText } from "./dom.js";
import { figures, ids, report, stages } from "./figures.js";

/** @typedef {import("./client/types.js").State} State */

export class Details {
  #dialog = /** @type {HTMLDialogElement} */ (find("details"));
  #stages = find("stages");
  #figures = find("figures");
  #ids = find("ids");
  #said = find("copied");
  /** @type {State} */
  #state;

  /** @param {State} state */
  constructor(state) {
    this.#state = state;
    this.#stages.append(...stages(state.details.latency).map(({ name }) => stageRow(name)));
    this.#figures.append(...figures(state.details).map(([name]) => row(name)));
    this.#ids.append(...ids(state.details).map(([name], place) => row(name, this.#copier(name, place))));
    find("copy-all").addEventListener("click", () => void this.#copy("All figures are", this.#report(), this.#dialog));
    find("open-details").addEventListener("click", () => this.open());
  }

  open() {
    setText(this.#said, "");
    this.#dialog.showModal();
    this.show(this.#state);
  }

  /** @param {State} state */
  show(state) {
    this.#state = state;
    if (!this.#dialog.open) return;
    stages(state.details.latency).forEach((stage, place) => fillStage(this.#stages.children[place], stage));
    figures(state.details).forEach(([, value], place) => setText(valueOf(this.#figures, place), value));
    ids(state.details).forEach(([, id], place) => {
      setText(valueOf(this.#ids, place), id ?? "none yet");
      /** @type {HTMLButtonElement} */ (this.#ids.children[place].querySelector("button")).disabled = id === null;
    });
  }

  /** @param {string} name @param {number} place */
  #copier(name, place) {
    const button = make("button", { class: "round", type: "button", "aria-label": `Copy the id: ${name}` }, icon("copy"));
    button.addEventListener("click", () => {
      const id = ids(this.#state.details)[place][1];
      if (id !== null) void this.#copy(`${name} is`, id, valueOf(this.#ids, place));
    });
    return button;
  }

  #report() {
    const { phase, live } = this.#state;
    return report(this.#state.details, [
      ["Time", new Date().toISOString()], ["State", phase], ["Agent", live?.agent.name ?? "none"], ["Browser", navigator.userAgent],
    ]);
  }

  /** Where the page may not copy, the text is at least selected. @param {string} what @param {string} text @param {Node} shown */
  async #copy(what, text, shown) {
    const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    if (!copied) getSelection()?.selectAllChildren(shown);
    setText(this.#said, copied ? `${what} copied.` : `${what} selected; copy it with the keyboard.`);
  }
}

/** @param {string} name @param {...Node} more */
const row = (name, ...more) => make("div", {}, make("dt", {}, name), make("dd", {}), ...wrapped(more));

/** Only dt and dd may stand in a row of a list. @param {Node[]} nodes */
const wrapped = (nodes) => nodes.map((node) => make("dd", { class: "act" }, node));

/** @param {Element} list @param {number} place */
const valueOf = (list, place) => /** @type {Element} */ (list.children[place].querySelector("dd"));

/** @param {string} name */
const stageRow = (name) =>
  make("li", { class: "budget" }, make("span", {}, name), make("span", { class: "took" }), make("em", {}),
    make("span", { class: "bar", "aria-hidden": "true" }));

/** @param {Element} element @param {import("./figures.js").Stage} stage */
function fillStage(element, { value, verdict, share }) {
  const [, took, word, bar] = element.children;
  setText(took, value);
  setText(word, verdict);
  /** @type {HTMLElement} */ (element).dataset.verdict = verdict;
  /** @type {HTMLElement} */ (bar).style.setProperty("--share", share.toFixed(3));
}
