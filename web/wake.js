// Keeps the screen on during a talk, where the browser can.

export class WakeLock {
  #wanted = false;
  /** @type {WakeLockSentinel | null} */
  #lock = null;

  constructor() {
    // The browser takes it back when the page is hidden.
    document.addEventListener("visibilitychange", () => document.hidden || void this.#ask());
  }

  /** @param {boolean} awake */
  keep(awake) {
    if (awake === this.#wanted) return;
    this.#wanted = awake;
    void this.#ask();
  }

  async #ask() {
    if (this.#wanted && !document.hidden) {
      this.#lock = (await navigator.wakeLock?.request("screen").catch(() => null)) ?? null;
    }
    if (!this.#wanted) await this.#lock?.release().catch(() => undefined);
  }
}
