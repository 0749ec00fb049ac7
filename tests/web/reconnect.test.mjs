// How the page comes back after its socket was lost.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { backoff } from "../../web/client/returning.js";
import { ANSWER, T0, said, talking } from "./script.mjs";

describe("coming back", () => {
  const lost = (code, fields = {}) => talking().tell("SocketClosed", { code, opened: true, ...fields });

  test("1000 is the end", () => {
    const script = lost(1000);
    assert.equal(script.state.phase, "ended");
    assert.equal(script.did("Schedule").length, 0);
    assert.equal(script.did("CloseMicrophone").length, 1);
  });

  test("1000 after an error of ours says what it was", () => {
    const script = talking().hear("Error", { code: "BRIDGE_UPSTREAM_FAILED", description: "" });
    assert.equal(script.tell("SocketClosed", { code: 1000, opened: true }).state.phase, "error");
  });

  test("a conversation that went on elsewhere has ended, without an error", () => {
    const script = talking().hear("Error", { code: "BRIDGE_TAKEN_OVER", description: "" });
    assert.equal(script.tell("SocketClosed", { code: 1000, opened: true }).state.phase, "ended");
  });

  for (const code of [1012, 4410]) {
    test(`${code} means at once`, () => assert.deepEqual(lost(code).did("Schedule"), [{ type: "Schedule", name: "reconnect", seconds: 0 }]));
  }

  test("any other close is waited for, then the same session is joined with the token and the cursor", () => {
    const script = talking().text("user", "a", "1:4").tell("SocketClosed", { code: 1006, opened: true });
    assert.equal(script.state.phase, "reconnecting");
    assert.equal(script.did("Schedule")[0].seconds, 0.5);
    script.tell("TimerFired", { name: "reconnect", at: T0 + 500 });
    assert.deepEqual(script.did("Connect"), [{ type: "Connect", url: ANSWER.websocket_url, token: "again" }]);
    script.tell("SocketOpened", { lostMs: 0 });
    assert.equal(script.sent()[0].bridge.cursor, "1:4");
  });

  test("after 30 s a new session of the same conversation is started", () => {
    const script = lost(1006).tell("TimerFired", { name: "reconnect", at: T0 + 31_000 });
    assert.equal(script.did("StartSession")[0].conversationId, "c1");
    assert.equal(script.state.phase, "reconnecting");
  });

  test("a refused token makes a new session, an unreachable server does not", () => {
    const refused = () => lost(1006).tell("TimerFired", { name: "reconnect" }).tell("SocketClosed", { code: 1006, opened: false });
    assert.equal(refused().did("Probe").length, 1);
    assert.equal(refused().tell("Probed", { reachable: true }).did("StartSession")[0].conversationId, "c1");
    const away = refused().tell("Probed", { reachable: false });
    assert.equal(away.did("StartSession").length, 0);
    assert.equal(away.did("Schedule")[0].name, "reconnect");
  });

  test("what was typed meanwhile, or never came back, is sent again, and what came back is not", () => {
    const script = talking().tell("Typed", { content: "one" }).tell("Typed", { content: "two" });
    script.tell("SocketClosed", { code: 1006, opened: true }).tell("TimerFired", { name: "reconnect" }).tell("SocketOpened", { lostMs: 0 });
    script.hear("BridgeReady", { session_id: "s1", conversation_id: "c1", recovered: true, resume_token: "b" });
    script.hear("BridgeEntry", { entry: { cursor: "1:0", at: "", kind: "message", role: "user", content: "one" } });
    script.hear("SettingsApplied");
    assert.deepEqual(script.sent().map(({ content }) => content), ["two"]);
    assert.equal(script.state.retry, null);
  });

  test("a cursor that means nothing any more makes the page read the record anew", () => {
    const script = talking().text("user", "a", "1:4").tell("SocketClosed", { code: 1006, opened: true });
    script.tell("TimerFired", { name: "reconnect" }).tell("SocketOpened", { lostMs: 0 });
    script.hear("BridgeReady", { session_id: "s2", conversation_id: "c1", recovered: false, resume_token: "b" });
    assert.deepEqual(script.did("LoadEntries"), [{ type: "LoadEntries", conversationId: "c1" }]);
    const entries = [{ cursor: "1:4", at: "", kind: "message", role: "user", content: "a" }];
    assert.deepEqual(said(script.tell("EntriesLoaded", { conversationId: "c1", entries })), ["a"]);
  });

  test("the network's return shortens the wait, once", () => {
    const script = lost(1006).tell("NetworkReturned", { at: T0 + 100 });
    assert.equal(script.did("Connect").length, 1);
    assert.equal(script.did("Unschedule")[0].name, "reconnect");
    assert.deepEqual(script.tell("NetworkReturned", { at: T0 + 120 }).effects, []);
  });

  test("a server that asks for patience while it restarts is given it", () => {
    const script = lost(1006).tell("TimerFired", { name: "reconnect", at: T0 + 31_000 });
    const failure = { status: 503, code: "BRIDGE_UNAVAILABLE", description: "", retryAfter: 4 };
    script.tell("SessionRefused", { ticket: script.state.starting, failure });
    assert.equal(script.did("Schedule")[0].seconds, 4);
    assert.equal(script.state.phase, "reconnecting");
  });

  test("in the end the person is asked", () => {
    const script = lost(1006);
    for (let i = 0; i < 40 && script.state.phase === "reconnecting"; i += 1) {
      script.tell("TimerFired", { name: "reconnect" }).tell("SocketClosed", { code: 1006, opened: false });
      script.tell("Probed", { reachable: false });
    }
    assert.equal(script.state.phase, "error");
    assert.ok(script.state.notice.text);
  });

  test("waits grow from 0.5 s to 10 s, and are spread", () => {
    for (let attempt = 1; attempt < 12; attempt += 1) {
      const [low, high] = [backoff(attempt, 0), backoff(attempt, 1)];
      assert.ok(low >= 0.5 && high <= 10 && low <= high && backoff(attempt + 1, 0) >= low);
    }
    assert.notEqual(backoff(3, 0), backoff(3, 1));
  });

  test("an agent that was lost is called back without a new socket", () => {
    const script = talking().hear("Warning", { code: "BRIDGE_UPSTREAM_LOST", description: "" });
    assert.equal(script.state.phase, "reconnecting");
    assert.deepEqual(script.effects, []);
    script.hear("Warning", { code: "BRIDGE_UPSTREAM_RESUMED", description: "" });
    assert.equal(script.state.phase, "listening");
    assert.equal(script.state.notice, null);
  });
});
