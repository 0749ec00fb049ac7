// A past conversation, opened to read: fetched, shown, gone on with, exported, deleted.

import { api } from "./api.js";
import { failureIn } from "./client/api.js";
import { fold } from "./client/record.js";
import { find, make } from "./dom.js";

/**
 * @typedef {object} Past
 * @property {string} id
 * @property {import("./client/api.js").Conversation | null} facts null while it is loaded, or when it could not be
 * @property {readonly import("./client/protocol.js").Entry[]} entries
 * @property {readonly import("./client/record.js").Item[]} items
 * @property {boolean} failed
 * @property {boolean} unsaved its file could not be had
 */

/** Emits `change`. */
export class PastConversation extends EventTarget {
  /** @type {Past | null} */
  shown = null;

  /** @param {string} id */
  async open(id) {
    this.#show(unread(id));
    try {
      const [facts, entries] = await Promise.all([api.conversation(id), api.entries(id)]);
      if (this.shown?.id === id) this.#show({ ...unread(id), facts, entries, items: fold(entries) });
    } catch {
      if (this.shown?.id === id) this.#show({ ...unread(id), failed: true });
    }
  }

  close() {
    if (this.shown) this.#show(null);
  }

  /** Ask for another title and give it. @returns {Promise<boolean>} whether it has one now */
  async rename() {
    const { id, facts } = this.shown ?? {};
    if (!id || !facts) return false;
    const title = await newTitle(facts.title);
    if (!title || title === facts.title) return false;
    try {
      const renamed = await api.rename(id, title);
      if (this.shown?.id === id) this.#show({ ...this.shown, facts: renamed });
      return true;
    } catch {
      return false;
    }
  }

  /** Let the browser save it as a file. @returns {Promise<number | null>} the status of the failure; null = it is saved */
  async save() {
    const { id } = this.shown ?? {};
    if (!id) return null;
    /** @type {number | null} */
    let status = null;
    try {
      saveAs(await api.export(id, "markdown"), `conversation-${id}.md`);
    } catch (error) {
      ({ status } = failureIn(error));
    }
    const unsaved = status !== null;
    if (this.shown?.id === id && this.shown.unsaved !== unsaved) this.#show({ ...this.shown, unsaved });
    return status;
  }

  /** @param {Past | null} past */
  #show(past) {
    this.shown = past;
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {string} id @returns {Past} */
const unread = (id) => ({ id, facts: null, entries: [], items: [], failed: false, unsaved: false });

/** @param {Blob} file @param {string} name */
function saveAs(file, name) {
  const address = URL.createObjectURL(file);
  make("a", { href: address, download: name }).click();
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser reads it a little later
}

/** @param {string} title what it is called now @returns {Promise<string>} empty: leave it */
async function newTitle(title) {
  const field = /** @type {HTMLInputElement} */ (find("new-title"));
  field.value = title;
  const answer = answerOf("naming");
  field.select();
  return (await answer) === "rename" ? field.value.trim() : "";
}

/** Open a dialog. @param {string} id @returns {Promise<string>} the value of the button that closed it */
function answerOf(id) {
  const dialog = /** @type {HTMLDialogElement} */ (find(id));
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    // The event comes late: the dialog may be open again.
    dialog.onclose = () => dialog.open || resolve(dialog.returnValue);
  });
}
