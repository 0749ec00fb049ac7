// The smallest page with the client: talk, type, read along.
import { VoiceBridge } from "./client/index.js";

const bridge = new VoiceBridge();
const find = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));
const show = (/** @type {string} */ text) => find("log").append(Object.assign(document.createElement("p"), { textContent: text }));

find("talk").onclick = ({ detail }) => bridge.tap(detail);
find("end").onclick = () => bridge.stop();
find("write").onsubmit = (event) => {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  bridge.sendText(String(new FormData(form).get("text")));
  form.reset();
};
bridge.on("entry", (entry) => entry.kind === "message" && show(`${entry.role === "user" ? "You" : "Agent"}: ${entry.content}`));
bridge.on("call", ({ name, status, content }) => status !== "running" && show(`${name}: ${status}. ${content}`));
bridge.on("phase", (phase) => (find("phase").textContent = phase));
bridge.on("notice", (notice) => (find("notice").textContent = notice?.text ?? ""));
bridge.on("change", ({ microphone, muted }) => {
  find("talk").textContent = microphone !== "on" ? "Start talking" : muted ? "Unmute" : "Mute";
});
