// Which microphone and loudspeaker, and how to talk; remembered in this browser. One that is unplugged is replaced by
// what the system has, and taken again when it is back.

import { atRest } from "./client/phases.js";
import { find, make, setText } from "./dom.js";
import { Speaker } from "./client/speaker.js";

const INPUT = "voice-bridge.input";
const OUTPUT = "voice-bridge.output";
const PUSH_TO_TALK = "voice-bridge.push-to-talk";
/** Milliseconds in which it can be read that a device went or came. */
const READING_MS = 8000;

/** Whether push-to-talk was chosen before. */
export const rememberedPushToTalk = () => recall(PUSH_TO_TALK) === "on";

export class Devices {
  #dialog = /** @type {HTMLDialogElement} */ (find("settings"));
  #input = /** @type {HTMLSelectElement} */ (find("input-device"));
  #output = /** @type {HTMLSelectElement} */ (find("output-device"));
  #hold = /** @type {HTMLInputElement} */ (find("push-to-talk"));
  #bar = find("device");
  #timer = 0;
  /** Ids of what was plugged in last. @type {Set<string>} */
  #there = new Set();
  /** The microphone was on, and went by itself. */
  #lost = false;
  #was = "off";
  #bridge;

  /** @param {import("./client/index.js").VoiceBridge} bridge */
  constructor(bridge) {
    this.#bridge = bridge;
    find("open-settings").addEventListener("click", () => void this.#open());
    find("output-field").hidden = !Speaker.choosable;
    this.#hold.checked = bridge.state.pushToTalk;
    this.#hold.addEventListener("change", () => {
      bridge.pushToTalk(this.#hold.checked);
      remember(PUSH_TO_TALK, this.#hold.checked ? "on" : "off");
    });
    this.#input.addEventListener("change", () => {
      void bridge.chooseMicrophone(this.#input.value);
      remember(INPUT, this.#input.value);
    });
    this.#output.addEventListener("change", () => {
      void bridge.chooseSpeaker(this.#output.value);
      remember(OUTPUT, this.#output.value);
    });
    void bridge.chooseMicrophone(recall(INPUT));
    void bridge.chooseSpeaker(recall(OUTPUT));
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.#follow());
    void this.#list();
  }

  /** @param {import("./client/types.js").State} state */
  show(state) {
    const { microphone } = state;
    if (microphone === "on" || atRest(state)) this.#lost = false;
    else if (microphone === "off" && this.#was === "on") {
      this.#lost = true;
      queueMicrotask(() => void this.#follow());
    }
    this.#was = microphone;
  }

  /** Something was plugged in or out. */
  async #follow() {
    const before = this.#there;
    const inputs = await this.#list();
    for (const [device, choose, name] of this.#chosen()) {
      const [was, is] = [before.has(device), this.#there.has(device)];
      if (!device || was === is) continue;
      choose(is ? device : "");
      this.#say(is ? `Your ${name} is back and is used again.` : `Your ${name} is gone; what the system has is used until it is back.`);
    }
    if (this.#lost && inputs > 0) this.#bridge.tap();
  }

  /** @returns {[device: string, choose: (device: string) => void, name: string][]} */
  #chosen() {
    return [
      [recall(INPUT), (device) => void this.#bridge.chooseMicrophone(device), "microphone"],
      [recall(OUTPUT), (device) => void this.#bridge.chooseSpeaker(device), "loudspeaker"],
    ];
  }

  /** @param {string} words */
  #say(words) {
    window.clearTimeout(this.#timer);
    setText(find("device-text"), words);
    this.#bar.hidden = false;
    this.#timer = window.setTimeout(() => (this.#bar.hidden = true), READING_MS);
  }

  async #open() {
    this.#dialog.showModal();
    await this.#list();
  }

  /** Names are there only once the microphone was allowed. @returns {Promise<number>} how many microphones there are */
  async #list() {
    const all = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
    const inputs = all.filter(({ kind }) => kind === "audioinput");
    fill(this.#input, inputs, recall(INPUT));
    fill(this.#output, all.filter(({ kind }) => kind === "audiooutput"), recall(OUTPUT));
    this.#there = new Set(all.map(({ deviceId }) => deviceId));
    return inputs.length;
  }
}

/** @param {HTMLSelectElement} select @param {MediaDeviceInfo[]} devices @param {string} chosen */
function fill(select, devices, chosen) {
  const named = devices.filter(({ label, deviceId }) => label && deviceId && deviceId !== "default");
  const options = named.map(({ label, deviceId }) => make("option", { value: deviceId }, label));
  select.replaceChildren(make("option", { value: "" }, "What the system uses"), ...options);
  select.value = named.some(({ deviceId }) => deviceId === chosen) ? chosen : "";
}

/** @param {string} key */
function recall(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

/** @param {string} key @param {string} value */
function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser that keeps nothing still works.
  }
}
