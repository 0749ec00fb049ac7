// Who is signed in: the dialog that asks for name and PIN, and the one to sign out in. Nothing of it is seen where nobody has to.

import { api } from "./api.js";
import { failureIn } from "./client/api.js";
import { find, setText } from "./dom.js";
import { signInTrouble } from "./words.js";

/** @typedef {import("./client/api.js").SignInState} SignInState */

export class SignIn {
  #dialog = /** @type {HTMLDialogElement} */ (find("sign-in"));
  #form = /** @type {HTMLFormElement} */ (find("sign-in-form"));
  #name = /** @type {HTMLInputElement} */ (find("user-name"));
  #pin = /** @type {HTMLInputElement} */ (find("user-pin"));
  #enter = /** @type {HTMLButtonElement} */ (find("sign-in-enter"));
  #account = /** @type {HTMLDialogElement} */ (find("account"));
  /** Whose things are on this page. @type {string | null} */
  #user = null;
  #waiting = 0;
  /** Questions to the server so far; only the answer to the last one counts. */
  #asked = 0;
  #entered;

  /** @param {() => void} entered somebody is signed in now, or nobody has to be */
  constructor(entered) {
    this.#entered = entered;
    this.#dialog.addEventListener("cancel", (event) => event.preventDefault()); // there is nothing behind it
    this.#dialog.addEventListener("close", () => this.#user === null && this.#dialog.showModal());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#try();
    });
    find("sign-in-again").addEventListener("click", () => void this.check());
    find("open-account").addEventListener("click", () => this.#account.showModal());
    find("sign-out").addEventListener("click", () => void this.#leave(false));
    find("sign-out-everywhere").addEventListener("click", () => void this.#leave(true));
  }

  /** Ask the server who is signed in; when nobody is, ask the person. */
  async check() {
    const asked = ++this.#asked;
    const state = await api.signInState().catch(() => null);
    if (asked !== this.#asked) return;
    if (state === null || state.method === "none") return this.#entered(); // without a server the page says so elsewhere
    if (state.user_id === null) this.#ask(state);
    else this.#enterAs(state.user_id);
  }

  /** @param {SignInState} state */
  #ask({ method, sign_in_url: url }) {
    if (this.#dialog.open) return; // what is typed already stays
    const byPin = method === "pin";
    this.#form.hidden = !byPin;
    find("sign-in-elsewhere").hidden = byPin;
    find("sign-in-link").hidden = url === null;
    if (url !== null) find("sign-in-link").setAttribute("href", url);
    setText(find("sign-in-how"), url === null ? "Sign in where you came from, then try again." : "Sign in there, then come back to this page.");
    this.#say("");
    this.#pin.value = "";
    this.#dialog.showModal();
    if (byPin) (this.#name.value ? this.#pin : this.#name).focus();
  }

  async #try() {
    if (this.#enter.disabled) return;
    this.#enter.disabled = true;
    this.#say("");
    try {
      this.#enterAs((await api.signIn(this.#name.value, this.#pin.value)).user_id);
      this.#pin.value = "";
    } catch (error) {
      this.#refused(failureIn(error));
    }
    this.#enter.disabled = this.#waiting !== 0;
  }

  /** @param {import("./client/types.js").Failure} failure */
  #refused(failure) {
    this.#say(signInTrouble(failure, new Date()));
    this.#pin.select();
    this.#pin.focus();
    if (failure.retryAfter === null) return;
    this.#waiting = window.setTimeout(() => {
      this.#waiting = 0;
      this.#enter.disabled = false;
      this.#say("");
    }, failure.retryAfter * 1000);
  }

  /** @param {string} words */
  #say(words) {
    setText(find("sign-in-trouble"), words);
    for (const field of [this.#name, this.#pin]) field.toggleAttribute("aria-invalid", words !== "");
  }

  /** @param {string} user */
  #enterAs(user) {
    if (this.#user !== null && this.#user !== user) return location.reload(); // nothing of somebody else's stays
    this.#asked += 1;
    this.#user = user;
    setText(find("account-name"), user);
    find("open-account").hidden = false;
    this.#dialog.close();
    this.#entered();
  }

  /** @param {boolean} everywhere */
  async #leave(everywhere) {
    try {
      await api.signOut({ everywhere });
    } catch (error) {
      if (failureIn(error).status !== 401) return setText(find("account-trouble"), "That did not work. Try again in a moment.");
    }
    location.reload(); // nothing of theirs stays on the screen
  }
}
