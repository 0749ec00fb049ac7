// Whether the server is there while nobody talks: says so when it is not, and asks again by itself until it is.

/** Seconds between attempts; the last one stays. */
const PAUSES = [1, 2, 4, 8, 15];
/** HTTP statuses of a server that is not there: of none at all, and of a proxy in front of it. */
const AWAY = [0, 502, 503, 504];

export class Reach {
  #failures = 0;
  #timer = 0;
  #ask;
  #show;

  /** @param {() => void} ask the server for something; the answer comes to `answered` @param {(away: boolean) => void} show */
  constructor(ask, show) {
    this.#ask = ask;
    this.#show = show;
    addEventListener("online", () => this.#failures && ask());
  }

  /** @param {number | null} status of a failure; null = the server answered as it should */
  answered(status) {
    window.clearTimeout(this.#timer);
    const away = status !== null && AWAY.includes(status);
    this.#failures = away ? this.#failures + 1 : 0;
    this.#show(away);
    if (!away) return;
    const seconds = PAUSES[Math.min(this.#failures, PAUSES.length) - 1];
    this.#timer = window.setTimeout(this.#ask, seconds * 1000);
  }
}

/** Keep the page for when there is no network, where the browser can. */
export function keepPage() {
  const worker = trusted("sw.js");
  addEventListener("load", () => void navigator.serviceWorker?.register(worker).catch(() => undefined));
}

/**
 * The name of a script, for browsers with Trusted Types: the server lets them load none by a mere text.
 * @param {"sw.js"} name the only one
 * @returns {string}
 */
function trusted(name) {
  const { trustedTypes } = /** @type {any} */ (globalThis);
  const policy = trustedTypes?.createPolicy("voice-bridge", { createScriptURL: () => name });
  return policy ? policy.createScriptURL(name) : name;
}
