// The operator's console: live sessions, their transcripts as they happen, what failed. Not part of the page.

import { find, make } from "./dom.js";

/** @typedef {{session_id: string, conversation_id: string, user_id: string, agent: string, upstream: string, worker: number | null, state: string, since: string, messages: number, latency_ms: number | null, error: string}} Session */
/** @typedef {{cause: string, count: number, last: string}} Failure */
/** @typedef {{at: string, missing: number, agents_problem: string, sessions: Session[], failures: Failure[]}} View */
/** @typedef {{cursor: string, kind: string, role?: string, content?: string, name?: string, arguments?: string, status?: string, heard?: string}} Entry */

const KEY = "bridge-console-token";
const LOOK_MS = 1000;

/** @type {Map<string, HTMLLIElement>} */
const rows = new Map();
/** @type {AbortController | null} */
let watching = null;

/** @param {string} path @param {RequestInit} [wish] */
async function ask(path, wish = {}) {
  const headers = { ...wish.headers, Authorization: `Bearer ${sessionStorage.getItem(KEY)}` };
  const answer = await fetch(`/console/${path}`, { ...wish, headers });
  if (answer.status === 401) lock("That is not the token.");
  return answer;
}

/** @param {string} why */
function lock(why) {
  sessionStorage.removeItem(KEY);
  watching?.abort();
  find("inside").hidden = true;
  find("unlock").hidden = false;
  say(why);
}

/** @param {string} text */
function say(text) {
  const status = find("status");
  if (status.textContent !== text) status.textContent = text;
}

async function look() {
  try {
    const answer = await ask("sessions");
    if (answer.status === 401) return;
    if (!answer.ok) throw new Error(String(answer.status));
    show(await answer.json());
    say("Live");
  } catch {
    say("The server does not answer. Trying again.");
  }
  setTimeout(look, LOOK_MS);
}

/** @param {View} view */
function show(view) {
  find("unlock").hidden = true;
  find("inside").hidden = false;
  find("count").textContent = String(view.sessions.length);
  warn("agents", view.agents_problem && `Changed agents are not used: ${view.agents_problem}`);
  warn("missing", view.missing ? `Processes of this server that do not answer, and whose sessions are not shown: ${view.missing}` : "");
  find("nobody").hidden = view.sessions.length > 0;
  find("fine").hidden = view.failures.length > 0;
  const ids = new Set(view.sessions.map((one) => one.session_id));
  for (const [id, row] of rows) if (!ids.has(id)) { row.remove(); rows.delete(id); }
  for (const one of view.sessions) fill(rowOf(one), one, Date.parse(view.at));
  find("failures").replaceChildren(...view.failures.map(failure));
}

/** @param {string} id @param {string} text Empty: all is well. */
function warn(id, text) {
  const place = find(id);
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

/** Rows stay what they are, so that the focus stays in them. @param {Session} one */
function rowOf(one) {
  let row = rows.get(one.session_id);
  if (row) return row;
  const open = make("button", { type: "button" }, "Watch");
  const end = make("button", { type: "button", class: "danger" }, "End");
  open.setAttribute("aria-label", `Watch ${one.user_id}`);
  end.setAttribute("aria-label", `End the session of ${one.user_id}`);
  open.addEventListener("click", () => watch(one));
  end.addEventListener("click", () => finish(one));
  row = make("li", {}, ...["state", "who", "figures", "error"].map((name) => make("span", { class: name })), open, end);
  rows.set(one.session_id, row);
  find("sessions").append(row);
  return row;
}

/** @param {HTMLLIElement} row @param {Session} one @param {number} now */
function fill(row, one, now) {
  const latency = one.latency_ms === null ? "no answer yet" : `answers in ${one.latency_ms} ms`;
  row.dataset.state = one.state;
  const worker = one.worker === null ? "" : ` · worker ${one.worker}`;
  const texts = [one.state, `${one.user_id} with ${one.agent} (${one.upstream})`,
    `${clock(now - Date.parse(one.since))} · ${one.messages} messages · ${latency}${worker}`, one.error];
  texts.forEach((text, n) => { if (row.children[n].textContent !== text) row.children[n].textContent = text; });
}

/** @param {Failure} one */
function failure(one) {
  return make("li", {}, make("strong", {}, String(one.count)), make("span", {}, one.cause),
    make("time", { datetime: one.last }, new Date(one.last).toLocaleTimeString()));
}

/** Minutes and seconds. @param {number} ms */
function clock(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** @param {Session} one */
async function finish(one) {
  if (!confirm(`End the session of ${one.user_id}?`)) return;
  try {
    await ask(`sessions/${one.session_id}`, { method: "DELETE" });
  } catch {
    say("The server does not answer. Trying again.");
  }
}

/** @param {Session} one */
async function watch(one) {
  watching?.abort();
  const mine = new AbortController();
  watching = mine;
  find("transcript").replaceChildren();
  find("whose").textContent = `${one.user_id} with ${one.agent}`;
  find("watching").hidden = false;
  find("watching-title").focus();
  let cursor = "";
  while (!mine.signal.aborted) {
    try {
      const headers = cursor ? { "Last-Event-ID": cursor } : undefined;
      const answer = await ask(`sessions/${one.session_id}/events`, { signal: mine.signal, headers });
      if (answer.status === 503) throw new Error("its process does not answer just now");
      if (!answer.ok || !answer.body) break;
      for await (const entry of entries(answer.body)) { cursor = entry.cursor; tell(entry); }
    } catch { /* cut off, or not to be had now: it comes back below */ }
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
  if (!mine.signal.aborted) find("whose").textContent += " · over";
}

/** The entries of a stream of server-sent events. @param {ReadableStream<Uint8Array>} body @returns {AsyncGenerator<Entry>} */
async function* entries(body) {
  let text = "";
  for await (const part of body.pipeThrough(/** @type {any} */ (new TextDecoderStream()))) {
    const events = (text + part).split("\n\n");
    text = /** @type {string} */ (events.pop());
    for (const event of events) {
      const data = event.split("\n").find((line) => line.startsWith("data: "));
      if (data) yield JSON.parse(data.slice(6)).entry;
    }
  }
}

/** @param {Entry} entry */
function tell(entry) {
  const list = find("transcript");
  const end = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  const [who, text] = words(entry);
  list.append(make("li", { "data-who": who }, make("b", {}, who), make("span", {}, text)));
  if (end) list.scrollTop = list.scrollHeight;
}

/** Who, and what. @param {Entry} entry @returns {[string, string]} */
function words(entry) {
  switch (entry.kind) {
    case "message": return [entry.role ?? "", entry.content ?? ""];
    case "call": return ["function", `${entry.name} ${entry.arguments}`];
    case "result": return ["result", `${entry.status}: ${entry.content}`];
    default: return ["interrupted", `heard: ${entry.heard}`];
  }
}

find("unlock").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = /** @type {HTMLInputElement} */ (find("token"));
  sessionStorage.setItem(KEY, field.value);
  field.value = "";
  look();
});
find("unwatch").addEventListener("click", () => {
  watching?.abort();
  find("watching").hidden = true;
});
if (sessionStorage.getItem(KEY)) look();
