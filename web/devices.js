// Which microphone and loudspeaker, and how to talk; remembered in this browser.

import { find, make } from "./dom.js";
import { Speaker } from "./client/speaker.js";

const INPUT = "voice-bridge.input";
const OUTPUT = "voice-bridge.output";
const PUSH_TO_TALK = "voice-bridge.push-to-talk";

/** Whether push-to-talk was chosen before. */
export const rememberedPushToTalk = () => recall(PUSH_TO_TALK) === "on";

export class Devices {
  #dialog = /** @type {HTMLDialogElement} */ (find("settings"));
  #input = /** @type {HTMLSelectElement} */ (find("input-device"));
  #output = /** @type {HTMLSelectElement} */ (find("output-device"));
  #hold = /** @type {HTMLInputElement} */ (find("push-to-talk"));

  /** @param {import("./client/index.js").VoiceBridge} bridge */
  constructor(bridge) {
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
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.#list());
  }

  async #open() {
    this.#dialog.showModal();
    await this.#list();
  }

  /** Names are there only once the microphone was allowed. */
  async #list() {
    const all = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
    fill(this.#input, all.filter(({ kind }) => kind === "audioinput"), recall(INPUT));
    fill(this.#output, all.filter(({ kind }) => kind === "audiooutput"), recall(OUTPUT));
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
