// The line over the talk that says what is wrong and what to do: troubles, and the countdown to the next attempt.

import { atRest } from "./client/phases.js";
import { find, setText } from "./dom.js";

/** @typedef {import("./client/types.js").State} State */

const AWAY = "The server cannot be reached. Everything said so far is saved there; this page tries again by itself.";

export class Banner {
  #banner = find("banner");
  #text = find("banner-text");
  #act = find("banner-act");
  #close = find("banner-close");
  #ticking = 0;
  #away = false;
  /** @type {State} */
  #state;

  /** @param {import("./client/index.js").VoiceBridge} bridge */
  constructor(bridge) {
    this.#state = bridge.state;
    this.#act.addEventListener("click", () => bridge.retry());
    this.#close.addEventListener("click", () => bridge.dismiss());
  }

  /** @param {State} state */
  show(state) {
    window.clearInterval(this.#ticking);
    const { notice, retry, phase } = state;
    const waiting = phase === "reconnecting" && retry !== null;
    const away = this.#away && atRest(state) && notice === null;
    this.#state = state;
    this.#banner.hidden = !waiting && !away && notice === null;
    this.#banner.dataset.tone = waiting || away ? "warning" : notice?.tone ?? "";
    this.#act.hidden = !(waiting || (phase === "error" && notice));
    this.#close.hidden = waiting || notice === null;
    setText(this.#act, waiting ? "Now" : "Try again");
    if (!waiting) return setText(this.#text, away ? AWAY : notice?.text ?? "");
    this.#count(retry.until);
    this.#ticking = window.setInterval(() => this.#count(retry.until), 500);
  }

  /** Nobody talks, and the server is not there. @param {boolean} away */
  showAway(away) {
    this.#away = away;
    this.show(this.#state);
  }

  /** @param {number} until milliseconds since 1970 */
  #count(until) {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    const when = seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again …";
    setText(this.#text, `The connection is lost. Nothing is forgotten. ${when}`);
  }
}
