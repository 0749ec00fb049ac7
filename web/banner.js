// The line over the talk that says what is wrong and what to do: troubles, and the countdown to the next attempt.

import { find, setText } from "./dom.js";

/** @typedef {import("./client/types.js").State} State */

export class Banner {
  #banner = find("banner");
  #text = find("banner-text");
  #act = find("banner-act");
  #close = find("banner-close");
  #ticking = 0;

  /** @param {import("./client/index.js").VoiceBridge} bridge */
  constructor(bridge) {
    this.#act.addEventListener("click", () => bridge.retry());
    this.#close.addEventListener("click", () => bridge.dismiss());
  }

  /** @param {State} state */
  show(state) {
    window.clearInterval(this.#ticking);
    const { notice, retry, phase } = state;
    const waiting = phase === "reconnecting" && retry !== null;
    this.#banner.hidden = !waiting && notice === null;
    this.#banner.dataset.tone = waiting ? "warning" : notice?.tone ?? "";
    this.#act.hidden = !(waiting || (phase === "error" && notice));
    this.#close.hidden = waiting || notice === null;
    setText(this.#act, waiting ? "Now" : "Try again");
    if (!waiting) return setText(this.#text, notice?.text ?? "");
    this.#count(retry.until);
    this.#ticking = window.setInterval(() => this.#count(retry.until), 500);
  }

  /** @param {number} until milliseconds since 1970 */
  #count(until) {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    const when = seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again …";
    setText(this.#text, `The connection is lost. Nothing is forgotten. ${when}`);
  }
}
