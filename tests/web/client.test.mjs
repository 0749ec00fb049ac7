// The client as a library: no page needed, events for what is new, and what it says when something is missing.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { describe, test } from "node:test";

import { Api, RequestFailed, VoiceBridge } from "../../web/client/index.js";
import { talking } from "./script.mjs";

const CLIENT = new URL("../../web/client/", import.meta.url);
const SERVER = "http://bridge.test:8000";
class NoSocket {}

/** Strings and comments aside. */
const code = (text) => text.replace(/\/\*[^]*?\*\/|\/\/.*|"(?:[^"\\]|\\.)*"/g, "");

describe("the client", () => {
  for (const name of readdirSync(CLIENT).filter((file) => file.endsWith(".js"))) {
    test(`needs no page: ${name}`, () => {
      const text = code(readFileSync(new URL(name, CLIENT), "utf8"));
      assert.doesNotMatch(text, /\b(document|window|HTML\w*Element|localStorage|sessionStorage)\b/);
      assert.doesNotMatch(text.replaceAll("globalThis.location", ""), /\blocation\./);
    });

    test(`uses nothing but itself: ${name}`, () => {
      const text = readFileSync(new URL(name, CLIENT), "utf8");
      for (const [, from] of text.matchAll(/(?:from|import\() ?"([^"]+)"/g)) assert.match(from, /^\.\/[a-z-]+\.js$/);
    });
  }

  test("says what it lacks outside of a page", () => {
    assert.throws(() => new VoiceBridge({ WebSocket: NoSocket }), /server/);
    if (!globalThis.WebSocket) assert.throws(() => new VoiceBridge({ server: SERVER }), /WebSocket/);
  });

  test("takes sound only where it brings none of its own", () => {
    const bridge = new VoiceBridge({ server: SERVER, WebSocket: NoSocket, sound: true });
    assert.throws(() => bridge.sendSound(new ArrayBuffer(640)), /sound: false/);
    assert.equal(new VoiceBridge({ server: SERVER, WebSocket: NoSocket }).state.sound, false);
  });
});

describe("a server that is not there", () => {
  const away = { server: SERVER, fetch: async () => Promise.reject(new TypeError("no network")) };

  test("is told in words, as phase and notice", () => {
    const bridge = new VoiceBridge({ ...away, WebSocket: NoSocket });
    const told = [];
    bridge.on("phase", (phase) => told.push(phase));
    bridge.on("notice", (notice) => told.push(notice?.tone ?? null));
    const ended = new Promise((resolve) => bridge.on("phase", (phase) => phase === "error" && resolve(bridge.state)));
    bridge.sendText("hello");
    return ended.then((state) => {
      assert.match(state.notice.text, /cannot be reached/);
      return Promise.resolve().then(() => assert.deepEqual(told, ["connecting", "error", "error"]));
    });
  });

  test("makes requests fail with status 0", async () => {
    const failed = await new Api(away).planner().catch((error) => error);
    assert.ok(failed instanceof RequestFailed);
    assert.deepEqual(failed.failure, { status: 0, code: "UNREACHABLE", description: "", retryAfter: null });
    await assert.rejects(new VoiceBridge({ ...away, WebSocket: NoSocket }).resume("c1"), RequestFailed);
  });
});

test("a past conversation that was wished for last is the one that is gone on with", async () => {
  const answers = [];
  const fetch = (address) => new Promise((resolve) => answers.push(() => resolve(Response.json(
    { items: [{ cursor: "1:0", at: "", kind: "message", role: "user", content: address.pathname }], next: null },
  ))));
  const bridge = new VoiceBridge({ server: SERVER, WebSocket: NoSocket, fetch });
  const both = [bridge.resume("first"), bridge.resume("second")];
  answers.reverse().forEach((answer) => answer());
  await Promise.all(both);
  assert.equal(bridge.state.conversationId, "second");
  assert.match(bridge.state.items[0].parts[0].content, /second/);
});

test("a listener can stop listening", () => {
  const bridge = new VoiceBridge({ server: SERVER, WebSocket: NoSocket });
  let changes = 0;
  const stop = bridge.on("change", () => { changes += 1; });
  bridge.pushToTalk(true);
  stop();
  bridge.pushToTalk(false);
  assert.equal(changes, 1);
});

describe("news", () => {
  const news = (script) => script.did("Announce").map(({ event, detail }) => [event, detail.kind, detail.status ?? detail.content ?? ""]);
  const call = { id: "f", name: "submit_goal_intent", arguments: "{}" };

  test("each entry is told once, though it comes twice", () => {
    const script = talking().text("user", "a", "1:0");
    assert.deepEqual(news(script), [["entry", "message", "a"]]);
    assert.deepEqual(news(script.text("user", "a", "1:0")), []);
    const entry = { cursor: "1:1", at: "", kind: "message", role: "assistant", content: "missed" };
    assert.deepEqual(news(script.hear("BridgeEntry", { entry })), [["entry", "message", "missed"]]);
  });

  test("a call is told when it begins and when something came of it", () => {
    const script = talking().hear("FunctionCallRequest", { functions: [call], cursor: "1:0" });
    assert.deepEqual(news(script), [["entry", "call", ""], ["call", "call", "running"]]);
    script.hear("FunctionCallResponse", { ...call, content: "Noted.", status: "noted", cursor: "1:1" });
    assert.deepEqual(news(script), [["entry", "result", "noted"], ["call", "call", "noted"]]);
    script.hear("FunctionCallResponse", { ...call, content: "Saved.", status: "done", cursor: "1:1" });
    assert.deepEqual(news(script), [["call", "call", "done"]]);
  });

  test("a call that is withdrawn is told", () => {
    const script = talking().hear("FunctionCallRequest", { functions: [call], cursor: "1:0" });
    assert.deepEqual(news(script.hear("FunctionCallCancelled", { functions: [call] })), [["call", "call", "cancelled"]]);
  });
});
