// Keys: Space talks, M mutes, / writes, Ctrl+K searches, D tells the details, ? tells them all, Esc closes.

/** What takes letters or the space bar for itself. */
const OWN = "input, textarea, select, [contenteditable]";
const PRESSABLE = `${OWN}, button, a, summary, dialog`;

/**
 * @param {import("./client/index.js").VoiceBridge} bridge
 * @param {{write: () => void, search: () => void, details: () => void, help: () => void, close: () => unknown, ready: () => boolean}} page
 */
export function listenToKeys(bridge, page) {
  addEventListener("keydown", (event) => {
    const target = event.target instanceof Element ? event.target : document.body;
    if (event.key === "Escape" && !target.closest("dialog")) page.close();
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !document.querySelector("dialog[open]")) {
      event.preventDefault();
      page.search();
    }
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || !page.ready()) {
      if (event.key === " " && bridge.state.held) event.preventDefault();
      return;
    }
    if (event.key === " " && mayTalk(bridge, target)) {
      event.preventDefault();
      if (bridge.state.pushToTalk) bridge.press();
      else bridge.tap();
    }
    if (target.closest(OWN)) return;
    if (event.key === "/") {
      event.preventDefault();
      page.write();
    }
    if (event.key === "?") page.help();
    if (event.key.toLowerCase() === "d") page.details();
    if (event.key.toLowerCase() === "m" && bridge.state.microphone === "on") bridge.tap();
  });
  addEventListener("keyup", (event) => {
    if (event.key === " ") bridge.release();
  });
  addEventListener("blur", () => bridge.release());
}

/** The space bar belongs to what has the focus, except to the big button while it is to be held.
 * @param {import("./client/index.js").VoiceBridge} bridge @param {Element} target */
function mayTalk(bridge, target) {
  if (target.id === "talk") return bridge.state.pushToTalk;
  return target.closest(PRESSABLE) === null;
}
