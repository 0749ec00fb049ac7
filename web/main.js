// The page: puts the client and the parts of the screen together. Nothing here asks for the microphone by itself.

import { Banner } from "./banner.js";
import { VoiceBridge } from "./client/index.js";
import { Conversations, named } from "./conversations.js";
import { Deletion } from "./deletion.js";
import { Details } from "./details.js";
import { Devices, rememberedPushToTalk } from "./devices.js";
import { Dock } from "./dock.js";
import { find, setText } from "./dom.js";
import { Drawers } from "./drawers.js";
import { listenToKeys } from "./keyboard.js";
import { PastConversation } from "./past.js";
import { atRest } from "./client/phases.js";
import { Planner } from "./planner.js";
import { Reach, keepPage } from "./reach.js";
import { dayAndClock } from "./times.js";
import { SignIn } from "./sign-in.js";
import { Transcript } from "./transcript.js";
import { WakeLock } from "./wake.js";
import { PHASE_WORDS, whoAnswers } from "./words.js";

const instance = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
const agent = new URLSearchParams(location.search).get("agent");

const bridge = new VoiceBridge({ agent, instance, pushToTalk: rememberedPushToTalk() });
const transcript = new Transcript();
const dock = new Dock(bridge);
const banner = new Banner(bridge);
const deletion = new Deletion(() => conversations.redraw());
const conversations = new Conversations((id) => deletion.covers(id), (status) => answered(status));
const planner = new Planner();
const past = new PastConversation();
const drawers = new Drawers((name) => name === "planner" && planner.acknowledge());
const details = new Details(bridge.state);
const wakeLock = new WakeLock();
const reach = new Reach(fetchLists, (away) => banner.showAway(away));
const devices = new Devices(bridge);
const signIn = new SignIn(() => {
  fetchLists();
  follow();
});

/** @type {readonly string[]} */
const NOTHING = [];

/** Draw all of it from the two states there are: the talk, and the past conversation that may lie over it. */
function draw() {
  const { state } = bridge;
  const reading = past.shown;
  dock.show(state);
  banner.show(state);
  details.show(state);
  devices.show(state);
  wakeLock.keep(!atRest(state));
  if (reading) transcript.show(reading.items, NOTHING, null, null);
  else transcript.show(state.items, state.outbox, awaited(state), state.playedMs);
  conversations.mark(reading?.id ?? state.conversationId);
  find("hero").hidden = reading !== null || state.items.length > 0 || state.outbox.length > 0;
  find("dock").hidden = reading !== null;
  find("past").hidden = reading === null;
  if (reading) drawBehind(state);
  drawTitle(state, reading);
}

/** While a past conversation is read: that a talk goes on behind it. @param {import("./client/types.js").State} state */
function drawBehind(state) {
  const open = state.microphone === "on" && !state.muted && (!state.pushToTalk || state.held);
  find("behind").hidden = atRest(state);
  setText(find("behind-state"), PHASE_WORDS[state.phase]);
  setText(find("behind-hint"), open ? "The talk goes on; the microphone is open" : "The talk goes on");
  setText(find("back-words"), atRest(state) ? "Back" : "To the talk");
}

/** Who is about to say something. @param {import("./client/types.js").State} state @returns {"user" | "assistant" | null} */
function awaited(state) {
  if (state.phase === "thinking") return "assistant";
  return state.hearing ? "user" : null;
}

/** The conversation that is shown, if the user said something in it. @param {import("./client/types.js").State} state */
const spokenIn = ({ items, conversationId }) =>
  items.some((item) => item.kind === "message" && item.role === "user") ? conversationId : null;

/** @param {import("./client/types.js").State} state @param {import("./past.js").Past | null} reading */
function drawTitle(state, reading) {
  const title = reading ? (reading.facts?.title || "Past conversation") : (state.live?.agent.title ?? "Voice Bridge");
  setText(find("title"), title);
  document.title = title === "Voice Bridge" ? title : `${title} · Voice Bridge`;
  const subtitle = reading ? pastWords(reading) : state.live ? whoAnswers(state.live.upstream, state.live.agent.title) : "";
  setText(find("subtitle"), subtitle);
  find("subtitle").hidden = !subtitle;
}

/** @param {import("./past.js").Past} reading */
function pastWords({ facts, failed, unsaved }) {
  if (unsaved) return "The file cannot be had right now. Try again in a moment.";
  if (failed) return "This conversation cannot be loaded. It may have been deleted.";
  return facts ? dayAndClock(facts.started_at, new Date()) : "Loading …";
}

/** The address says which past conversation is open; the one that is talked in is not a past one. */
function follow() {
  const id = named(location.hash);
  const live = id === bridge.state.conversationId && !atRest(bridge.state);
  if (id === null || live) past.close();
  else void past.open(id);
  drawers.close();
}

/** Leave the past conversation without a trace in the browser's history. */
function leavePast() {
  history.replaceState(null, "", location.pathname + location.search);
  past.close();
}

function listenToPast() {
  past.addEventListener("change", () => {
    for (const id of ["resume", "rename", "export"]) /** @type {HTMLButtonElement} */ (find(id)).disabled = !past.shown?.facts;
    draw();
    transcript.toNewest();
  });
  find("resume").addEventListener("click", () => {
    if (!past.shown) return;
    void bridge.resume(past.shown.id, past.shown.entries);
    leavePast();
    find("talk").focus();
  });
  find("rename").addEventListener("click", () => void renamePast());
  find("export").addEventListener("click", async () => answered(await past.save()));
  find("keep-title").addEventListener("click", () => /** @type {HTMLDialogElement} */ (find("naming")).close());
  find("remove").addEventListener("click", () => {
    const id = past.shown?.id;
    leavePast();
    if (!id) return;
    if (id === bridge.state.conversationId) bridge.renew();
    deletion.begin(id);
  });
  find("back").addEventListener("click", (event) => {
    event.preventDefault();
    leavePast();
  });
}

async function renamePast() {
  if (await past.rename()) conversations.refresh();
  find("rename").focus();
}

/** @param {number | null} status of a list that could not be had */
function answered(status) {
  reach.answered(status);
  if (status === 401) void signIn.check();
}

function fetchLists() {
  conversations.refresh();
  void planner.refresh();
}

function listenToBridge() {
  bridge.addEventListener("change", draw);
  bridge.on("refresh", (what) => {
    if (what === "planner") void planner.refresh();
    else conversations.refresh(spokenIn(bridge.state));
  });
  bridge.on("signIn", () => void signIn.check());
  find("renew").addEventListener("click", () => {
    bridge.renew();
    leavePast();
    drawers.close();
    find("talk").focus();
  });
}

const showKeys = () => /** @type {HTMLDialogElement} */ (find("keys")).showModal();

function listenToWindow() {
  find("open-keys").addEventListener("click", showKeys);
  addEventListener("hashchange", follow);
  find("history-list").addEventListener("click", ({ target }) => {
    const link = target instanceof Element ? target.closest("a") : null;
    if (link?.hash === location.hash) follow(); // named already, from when it was talked in: there is no hashchange
  });
  addEventListener("online", () => bridge.wake());
  addEventListener("pageshow", () => bridge.wake());
  addEventListener("pointerdown", () => bridge.resumeSound(), { passive: true });
  document.addEventListener("visibilitychange", () => document.hidden || bridge.wake());
  listenToKeys(bridge, {
    ready: () => past.shown === null && !document.querySelector("dialog[open]"),
    write: () => dock.focusMessage(),
    search: () => {
      drawers.open("history");
      find("search").focus();
    },
    help: showKeys,
    details: () => details.open(),
    close: () => drawers.close() || (past.shown !== null && leavePast()),
  });
}

listenToBridge();
listenToPast();
listenToWindow();
keepPage();
draw();
void signIn.check();
