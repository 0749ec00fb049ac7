// Captions in step with the sound: what is still to be said is dimmed. The text itself is never touched, so nothing
// moves and a screen reader reads each sentence once. A browser without highlights shows each sentence at once.

import { revealed } from "./client/captions.js";

/** @typedef {{part: import("./client/record.js").Part, text: Node}} Sentence */

/** The same name as in styles/transcript.css. */
const NAME = "to-come";

export class Captions {
  #toCome = "Highlight" in globalThis ? new Highlight() : null;

  constructor() {
    if (this.#toCome) CSS.highlights.set(NAME, this.#toCome);
  }

  /** @param {readonly Sentence[]} sentences of the agent @param {number} playedMs of its sound */
  show(sentences, playedMs) {
    this.#toCome?.clear();
    for (const { part, text } of sentences) {
      const [spoken, toCome] = revealed(part, playedMs);
      if (toCome) this.#toCome?.add(rangeOf(text, spoken.length, part.content.length));
    }
  }
}

/** @param {Node} text @param {number} from @param {number} to */
const rangeOf = (text, from, to) =>
  new StaticRange({ startContainer: text, startOffset: from, endContainer: text, endOffset: to });
