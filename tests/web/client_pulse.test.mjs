// Whether the socket still lives, and the figures that are known about a talk.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { T0, talking } from "./script.mjs";

describe("a ping", () => {
  test("goes out as soon as the talk is settled, and every 5 s", () => {
    const script = talking();
    assert.deepEqual(script.pinged(), ["1"]);
    assert.deepEqual(script.did("Schedule"), [{ type: "Schedule", name: "ping", seconds: 5 }]);
    script.hear("BridgePong", { id: "1" }).fire("ping", { at: T0 + 5000 });
    assert.deepEqual(script.pinged(), ["2"]);
    assert.equal(script.did("Schedule").length, 1);
  });

  test("measures the round trip; another one's answer does not", () => {
    const script = talking().tell("Received", { message: { type: "BridgePong", id: "1" }, at: T0 + 42 });
    assert.equal(script.state.details.roundTripMs, 42);
    script.fire("ping", { at: T0 + 5000 }).tell("Received", { message: { type: "BridgePong", id: "1" }, at: T0 + 5900 });
    assert.equal(script.state.details.roundTripMs, 42);
  });
});

describe("a socket that brings nothing for 10 s after a ping", () => {
  const silent = () => talking().fire("ping", { at: T0 + 5000 });

  test("is not given up after 5 s", () => {
    assert.deepEqual(silent().effects, [{ type: "Schedule", name: "ping", seconds: 5 }]);
  });

  test("is dropped, and come back from as after any lost socket: with the token, without losing what was said", () => {
    const script = silent().fire("ping", { at: T0 + 10_001 });
    assert.deepEqual(script.effects[0], { type: "DropSocket" });
    assert.equal(script.did("CloseSocket").length, 0);
    assert.equal(script.state.phase, "reconnecting");
    script.fire("reconnect", { at: T0 + 10_500 });
    assert.equal(script.did("Connect")[0].token, "again");
    assert.equal(script.state.details.reconnects, 1);
  });

  for (const [what, come] of [
    ["an answer", (script) => script.hear("BridgePong", { id: "1" })],
    ["any message", (script) => script.hear("Unheard", {})],
    ["sound", (script) => script.sound(script.state.arrivedMs + 20)],
  ]) {
    test(`lives as soon as there is ${what}`, () => {
      const script = come(talking()).fire("ping", { at: T0 + 5000 });
      assert.deepEqual(script.pinged(), ["2"]);
      come(script).fire("ping", { at: T0 + 30_000 });
      assert.equal(script.state.phase, "listening");
    });
  }

  test("is not asked after it was lost", () => {
    const script = talking().tell("SocketClosed", { code: 1006, opened: true });
    assert.ok(script.did("Unschedule").some(({ name }) => name === "ping"));
    assert.deepEqual(script.fire("ping").effects, []);
  });
});

describe("details", () => {
  test("name the talk for whoever looks into the logs", () => {
    const { details } = talking().hear("Welcome", { request_id: "r1" }).state;
    assert.deepEqual([details.requestId, details.sessionId, details.conversationId], ["r1", "s1", "c1"]);
  });

  test("have the last stage latencies, whatever the agent calls them, in seconds", () => {
    const script = talking().hear("AgentStartedSpeaking", { total_latency: 0.9, tts_latency: 0.2, ttt_latency: 0.4 });
    assert.deepEqual(script.state.details.latency, { hear: null, think: 0.4, speak: 0.2, total: 0.9 });
    script.hear("LatencyReport", { stt_latency: 0.3, ttt_text_latency: 0.5, other: "x" });
    assert.deepEqual(script.state.details.latency, { hear: 0.3, think: 0.5, speak: 0.2, total: 0.9 });
  });

  test("count what stuttered, what was lost and how often it came back", () => {
    const script = talking().sound(100, 50, { underruns: 3 }).tell("SocketClosed", { code: 1006, opened: true });
    script.fire("reconnect").tell("SocketClosed", { code: 1006, opened: true });
    script.fire("reconnect").tell("SocketOpened", { lostMs: 1200 });
    const { underruns, reconnects, lostMs } = script.state.details;
    assert.deepEqual([underruns, reconnects, lostMs], [3, 1, 1200]);
  });
});
