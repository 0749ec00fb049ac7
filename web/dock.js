// The foot of the page: state in colour and word, the big button in its orb, both meters, the text box.

import { find, setText } from "./dom.js";
import { Meter } from "./meter.js";
import { Orb } from "./orb.js";
import { atRest } from "./client/phases.js";
import { PHASE_WORDS, hint } from "./words.js";

/** @typedef {import("./client/types.js").State} State */

export class Dock {
  #state = find("state");
  #hint = find("hint");
  #talk = find("talk");
  #talkIcon = find("talk-icon");
  #end = /** @type {HTMLButtonElement} */ (find("end"));
  #message = /** @type {HTMLTextAreaElement} */ (find("message"));
  #orb = new Orb();
  #meters = {
    you: new Meter(find("meter-you"), "right"),
    agent: new Meter(find("meter-agent"), "left"),
  };
  #bridge;

  /** @param {import("./client/index.js").VoiceBridge} bridge */
  constructor(bridge) {
    this.#bridge = bridge;
    this.#listenToButton();
    this.#end.addEventListener("click", () => bridge.stop());
    this.#listenToComposer();
    bridge.addEventListener("level", (event) => {
      const { who, level } = /** @type {CustomEvent<{who: "you" | "agent", level: number}>} */ (event).detail;
      const passed = who === "you" && this.#talk.dataset.microphone === "shut" ? 0 : level;
      this.#meters[who].push(passed);
      this.#orb.hear(who, passed);
    });
  }

  /** A tap starts or mutes; with push-to-talk, holding it talks. */
  #listenToButton() {
    const bridge = this.#bridge;
    this.#talk.addEventListener("click", ({ detail }) => {
      if (!bridge.state.pushToTalk || bridge.state.microphone === "off") bridge.tap(detail);
    });
    this.#talk.addEventListener("pointerdown", (event) => {
      if (!bridge.state.pushToTalk || bridge.state.microphone !== "on" || event.button !== 0) return;
      this.#talk.setPointerCapture(event.pointerId);
      bridge.press();
    });
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) {
      this.#talk.addEventListener(type, () => bridge.release());
    }
    this.#talk.addEventListener("contextmenu", (event) => bridge.state.pushToTalk && event.preventDefault());
  }

  #listenToComposer() {
    const form = find("composer");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#bridge.sendText(this.#message.value);
      this.#message.value = "";
      this.#fit();
    });
    this.#message.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      /** @type {HTMLFormElement} */ (form).requestSubmit();
    });
    this.#message.addEventListener("input", () => this.#fit());
  }

  /** The text box grows with its text. */
  #fit() {
    this.#message.style.height = "auto";
    this.#message.style.height = `${this.#message.scrollHeight}px`;
  }

  focusMessage() {
    this.#message.focus();
  }

  /** @param {State} state */
  show(state) {
    document.documentElement.dataset.phase = state.phase;
    this.#orb.show(state.phase);
    setText(this.#state, PHASE_WORDS[state.phase]);
    setText(this.#hint, hint(state));
    this.#showButton(state);
    this.#end.disabled = atRest(state);
    setText(find("agent-name"), state.live?.agent.title ?? "Agent");
  }

  /** @param {State} state */
  #showButton(state) {
    const { microphone, muted, pushToTalk, held } = state;
    const shut = microphone === "on" && (muted || (pushToTalk && !held));
    this.#talk.dataset.microphone = shut ? "shut" : microphone;
    this.#talkIcon.setAttribute("href", shut && !pushToTalk ? "#icon-mic-off" : "#icon-mic");
    this.#talk.setAttribute("aria-label", buttonLabel(state));
  }
}

/** @param {State} state */
function buttonLabel({ microphone, muted, pushToTalk }) {
  if (microphone === "asking") return "Waiting for the microphone";
  if (microphone === "off") return "Start talking";
  if (pushToTalk) return "Hold to talk";
  return muted ? "Unmute the microphone" : "Mute the microphone";
}
