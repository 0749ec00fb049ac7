// The rules of a talk as the page keeps them, played as scripts: what happens, and what is to be done about it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ANSWER, Script, drained, said, talking } from "./script.mjs";

describe("beginning", () => {
  test("a tap unlocks the sound and asks for the microphone, and only then a session is started", () => {
    const script = new Script().tell("Started");
    assert.deepEqual(script.effects.map(({ type }) => type), ["OpenSpeaker", "OpenMicrophone"]);
    assert.equal(script.state.phase, "connecting");
    script.tell("MicrophoneOpened");
    assert.equal(script.did("StartSession").length, 1);
  });

  test("settings go out as soon as the socket is open, with the cursor of what is known", () => {
    const messages = [{ cursor: "1:7", at: "", kind: "message", role: "user", content: "hello" }];
    const script = new Script({ instance: "tab" }).tell("Typed", { content: "hi" }).session({ messages }).tell("SocketOpened", { lostMs: 0 });
    assert.deepEqual(script.sent()[0].bridge, { cursor: "1:7", instance: "tab" });
    assert.equal(script.did("PassSound").length, 1);
  });

  test("typing needs no microphone: the text waits for the settings and goes out once", () => {
    const script = new Script().tell("Typed", { content: " learn Spanish " }).session();
    assert.equal(script.did("OpenMicrophone").length, 0);
    script.ready();
    assert.deepEqual(script.sent(), [{ type: "InjectUserMessage", content: "learn Spanish" }]);
    assert.equal(script.state.phase, "thinking");
    script.text("user", "learn Spanish", "1:0");
    assert.deepEqual(script.state.outbox, []);
    assert.equal(script.state.items[0].typed, true);
  });

  test("blank text does nothing", () => {
    const before = new Script();
    assert.equal(before.tell("Typed", { content: "  \n" }).state.phase, "idle");
    assert.deepEqual(before.effects, []);
  });

  for (const reason of ["denied", "missing", "busy", "insecure", "unplugged", "other"]) {
    test(`a microphone that is ${reason} is said in its own words, with typing as the way on`, () => {
      const { state } = new Script().tell("Started").tell("MicrophoneFailed", { reason });
      assert.equal(state.phase, "idle");
      assert.equal(state.microphone, "off");
      assert.match(state.notice.text, /typ(e|ing)/i);
    });
  }

  test("a microphone that fails in a running talk does not end it", () => {
    const script = talking().tell("MicrophoneFailed", { reason: "unplugged" });
    assert.equal(script.state.phase, "listening");
    assert.equal(script.did("CloseSocket").length, 0);
  });

  test("a microphone that opens after the person hung up is closed again", () => {
    const script = new Script().tell("Started").tell("Hung").tell("MicrophoneOpened");
    assert.deepEqual(script.effects, [{ type: "CloseMicrophone" }]);
  });

  test("the answer to a request that is no longer wanted is not acted on", () => {
    const script = new Script().tell("Typed", { content: "a" });
    const ticket = script.state.starting;
    script.tell("Renewed").tell("SessionStarted", { ticket, answer: ANSWER });
    assert.equal(script.state.live, null);
    assert.equal(script.did("Connect").length, 0);
  });

  test("a refusal is said with the time to wait", () => {
    const failure = { status: 429, code: "BRIDGE_QUOTA", description: "", retryAfter: 300 };
    const script = new Script().tell("Typed", { content: "a" });
    script.tell("SessionRefused", { ticket: script.state.starting, failure });
    assert.equal(script.state.phase, "error");
    assert.match(script.state.notice.text, /in 5 minutes/);
  });
});

describe("a turn", () => {
  test("goes from listening over thinking and speaking back to listening", () => {
    const script = talking();
    const phases = [script.state.phase];
    const note = () => phases.push(script.state.phase);
    script.hear("UserStartedSpeaking"), note();
    script.text("user", "learn Spanish", "1:0"), note();
    script.text("assistant", "Goal saved.", "1:1"), note();
    script.tell("SoundStarted"), note();
    script.hear("AgentAudioDone"), note();
    drained(script, 900), note();
    assert.deepEqual(phases, ["listening", "listening", "thinking", "thinking", "speaking", "speaking", "listening"]);
  });

  test("a pause inside a reply is still speaking; a reply that never goes on is not", () => {
    const script = drained(talking().text("user", "a", "1:0").tell("SoundStarted"), 900);
    assert.equal(script.state.phase, "speaking");
    assert.equal(script.tell("TimerFired", { name: "settle" }).state.phase, "listening");
  });

  test("a reply without a sound ends too", () => {
    const script = talking().text("user", "a", "1:0").text("assistant", "b", "1:1").hear("AgentAudioDone");
    assert.deepEqual(script.did("Schedule").map(({ name }) => name), ["settle"]);
    assert.equal(script.tell("TimerFired", { name: "settle" }).state.phase, "listening");
  });

  test("the end of the reply before does not hide that the next one is awaited", () => {
    const script = talking().hear("AgentAudioDone").text("user", "a", "1:0").tell("TimerFired", { name: "settle" });
    assert.equal(script.state.phase, "thinking");
  });

  test("an entry that came twice is shown once", () => {
    const script = talking().text("user", "a", "1:0").text("user", "a", "1:0");
    script.hear("BridgeEntry", { entry: { cursor: "1:0", at: "", kind: "message", role: "user", content: "a" } });
    assert.deepEqual(said(script), ["a"]);
  });

  test("a finished function call refreshes what was made", () => {
    const call = { id: "f", name: "submit_goal_intent", arguments: "{}" };
    const script = talking().hear("FunctionCallRequest", { functions: [call], cursor: "1:0" });
    assert.equal(script.state.items[0].status, "running");
    script.hear("FunctionCallResponse", { ...call, content: "Saved.", status: "done", duration_ms: 30, cursor: "1:1" });
    assert.equal(script.state.items[0].status, "done");
    assert.deepEqual(script.did("Refresh").map(({ what }) => what), ["planner", "conversations"]);
  });

  test("a noted call becomes done when its result comes again, and the cursor stays", () => {
    const call = { id: "f", name: "submit_goal_intent", arguments: "{}" };
    const script = talking().hear("FunctionCallRequest", { functions: [call], cursor: "1:0" });
    script.hear("FunctionCallResponse", { ...call, content: "Noted.", status: "noted", duration_ms: 30, cursor: "1:1" });
    script.text("assistant", "a", "1:2");
    script.hear("FunctionCallResponse", { ...call, content: "Saved.", status: "done", duration_ms: 30, cursor: "1:1" });
    assert.deepEqual([script.state.items[0].status, script.state.cursor], ["done", "1:2"]);
  });

  test("messages this page does not know change nothing", () => {
    const script = talking().hear("BridgePong", { id: "1" });
    const before = script.state;
    assert.equal(script.hear("SomethingNew", { any: 1 }).state, before);
  });
});

describe("barge-in", () => {
  const interrupted = () => talking().text("user", "a", "1:0").text("assistant", "a long answer", "1:1")
    .tell("SoundStarted").hear("UserStartedSpeaking");

  test("drops the queued sound and reports once what was heard", () => {
    const script = interrupted();
    assert.equal(script.did("FlushSpeaker").length, 1);
    assert.equal(script.state.phase, "listening");
    script.tell("SoundFlushed", { playedMs: 812.4, passedMs: 812.4, droppedMs: 2000 });
    assert.deepEqual(script.sent(), [{ type: "Playback", played_ms: 812 }]);
  });

  test("marks the reply, and keeps what was heard when the record says so", () => {
    const script = interrupted().tell("SoundFlushed", { playedMs: 800, passedMs: 800, droppedMs: 2000 });
    assert.equal(script.state.items[1].parts[0].interrupted, true);
    script.hear("BridgeCut", { of: "1:1", heard: "a long", cursor: "1:2" });
    assert.equal(script.state.items[1].parts[0].heard, "a long");
  });

  test("nothing is marked when all had been heard", () => {
    const script = interrupted().tell("SoundFlushed", { playedMs: 800, passedMs: 800, droppedMs: 0 });
    assert.equal(script.state.items[1].parts[0].interrupted, false);
  });
});

describe("the microphone", () => {
  test("is muted and unmuted while it is open, and only then", () => {
    const script = talking().tell("Muted", { on: true });
    assert.deepEqual(script.effects, [{ type: "GateMicrophone", open: false }]);
    assert.deepEqual(script.tell("Muted", { on: false }).effects, [{ type: "GateMicrophone", open: true }]);
    assert.deepEqual(new Script().tell("Muted", { on: true }).effects, []);
  });

  test("is not opened twice", () => assert.deepEqual(talking().tell("Started").effects, []));

  test("push to talk opens it only while it is held", () => {
    const script = talking({ pushToTalk: true });
    assert.deepEqual(script.tell("Pressed").effects, [{ type: "GateMicrophone", open: true }]);
    assert.deepEqual(script.tell("Released").effects, [{ type: "GateMicrophone", open: false }]);
    assert.deepEqual(script.tell("Released").effects, []);
  });

  test("signs of life go out only while no sound does", () => {
    const fire = (script) => script.tell("TimerFired", { name: "keepalive" }).sent();
    assert.deepEqual(fire(talking()), []);
    const typing = new Script().tell("Typed", { content: "a" }).session().ready();
    assert.deepEqual(fire(typing), [{ type: "KeepAlive" }]);
    assert.equal(typing.did("Schedule")[0].seconds, 8);
  });
});

describe("the end", () => {
  for (const [what, fields] of [["Hung", {}], ["Renewed", {}], ["Adopted", { conversationId: "c2", entries: [] }]]) {
    test(`of a reply that still sounds is told before the socket is closed: ${what}`, () => {
      const script = talking().text("assistant", "One two three four.", "1:0").tell("SoundStarted").sound(2000, 250).sound(2000, 390);
      assert.deepEqual(script.tell(what, fields).sent(), [{ type: "Playback", played_ms: 390 }]);
      const order = script.effects.map(({ type }) => type).filter((type) => type === "Send" || type === "CloseSocket");
      assert.deepEqual(order, ["Send", "CloseSocket"]);
    });
  }

  test("of a reply that was heard to its end has nothing to tell", () => {
    const script = drained(talking().text("assistant", "One.", "1:0").tell("SoundStarted").sound(900, 700).hear("AgentAudioDone"), 900);
    assert.deepEqual(script.tell("Hung").sent(), []);
  });

  test("hanging up closes everything; the next tap goes on with the same conversation", () => {
    const script = talking().text("user", "a", "1:0").tell("Hung");
    assert.equal(script.state.phase, "ended");
    for (const type of ["FlushSpeaker", "CloseSocket", "CloseMicrophone"]) assert.equal(script.did(type).length, 1);
    script.tell("Started").tell("MicrophoneOpened");
    assert.equal(script.did("StartSession")[0].conversationId, "c1");
  });

  test("a new conversation begins with nothing", () => {
    const { state } = talking().text("user", "a", "1:0").tell("Renewed");
    assert.deepEqual([state.phase, state.conversationId, state.items.length], ["idle", null, 0]);
  });

  test("a past conversation is gone on with at the next text, with its own agent", () => {
    const entries = [{ cursor: "2:3", at: "", kind: "message", role: "user", content: "old" }];
    const script = new Script({ agent: "pantry" }).tell("Adopted", { conversationId: "c9", entries });
    assert.deepEqual(said(script), ["old"]);
    script.tell("Typed", { content: "go on" });
    const [{ conversationId, agent }] = script.did("StartSession");
    assert.deepEqual([conversationId, agent], ["c9", null]);
  });
});

describe("signing in", () => {
  for (const code of ["BRIDGE_SIGNED_OUT", "BRIDGE_SIGN_IN_EXPIRED"]) {
    test(`${code} ends the talk for good, and somebody is asked to sign in`, () => {
      const script = talking().hear("Error", { code, description: "" });
      assert.deepEqual(script.did("Announce").filter(({ event }) => event === "signIn"), [{ type: "Announce", event: "signIn", detail: code }]);
      script.tell("SocketClosed", { code: 1000, opened: true });
      assert.equal(script.state.phase, "ended");
      assert.equal(script.state.retry, null);
      assert.match(script.state.notice.text, /saved/);
    });
  }

  test("a session that is refused for want of a sign-in asks for one; another refusal does not", () => {
    for (const [code, status, times] of [["BRIDGE_UNAUTHENTICATED", 401, 1], ["BRIDGE_QUOTA", 429, 0]]) {
      const script = new Script().tell("Typed", { content: "hi" });
      script.tell("SessionRefused", { ticket: script.state.starting, failure: { status, code, description: "", retryAfter: 900 } });
      assert.equal(script.did("Announce").filter(({ event }) => event === "signIn").length, times);
      assert.equal(script.state.phase, "error");
    }
  });
});
