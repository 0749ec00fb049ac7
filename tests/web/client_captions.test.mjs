// Captions in step with the sound: what of a sentence was said, whatever comes late, early or not at all.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { revealed } from "../../web/client/captions.js";
import { T0, drained, talking } from "./script.mjs";

const parts = ({ state }) => state.items.flatMap((item) => (item.kind === "message" && item.role === "assistant" ? item.parts : []));
const spoken = (script) => parts(script).map((part) => revealed(part, script.state.playedMs)[0]);
const places = (script) => parts(script).map(({ fromMs, toMs }) => [fromMs, toMs]);
const part = (content, fromMs, toMs, fields = {}) => ({ cursor: "1:0", content, fromMs, toMs, interrupted: false, heard: null, ...fields });

/** A reply of two sentences of a second each, as it comes. */
const reply = () => talking().text("user", "go", "1:0")
  .text("assistant", "one two three four", "1:1").tell("SoundStarted").sound(1000)
  .text("assistant", "five six seven", "1:2").sound(2000).hear("AgentAudioDone");

/** The first sentence of another reply, which comes while that one is still played. */
const next = () => reply().tell("Received", {
  message: { type: "ConversationText", role: "assistant", content: "and more", cursor: "1:3" }, at: T0 + 600,
});

describe("a sentence", () => {
  test("is cut at the end of the word under way, and nothing of it is lost", () => {
    const sentence = part("one two three four", 1000, 2800);
    for (let ms = 900; ms < 3000; ms += 7) {
      const [said, toCome] = revealed(sentence, ms);
      assert.equal(said + toCome, sentence.content);
      assert.match(said, /^(|.*\w)$/);
      assert.match(toCome, /^(| .*|one two three four)$/);
    }
    assert.deepEqual(revealed(sentence, 1000), ["", "one two three four"]);
    assert.deepEqual(revealed(sentence, 1001), ["one", " two three four"]);
    assert.deepEqual(revealed(sentence, 1500), ["one two", " three four"]);
    assert.deepEqual(revealed(sentence, 2800), ["one two three four", ""]);
  });

  test("is never taken back while it is played", () => {
    const sentence = part("one two three four", 0, null);
    let before = 0;
    for (let ms = 0; ms < 2000; ms += 50) {
      const [said] = revealed(sentence, ms);
      assert.ok(said.length >= before);
      before = said.length;
    }
    assert.equal(before, sentence.content.length);
  });

  test("without a place in the sound, or interrupted, is there whole", () => {
    assert.deepEqual(revealed(part("one two", null, null), 0), ["one two", ""]);
    assert.deepEqual(revealed(part("one two", 500, 900, { interrupted: true, heard: "" }), 0), ["one two", ""]);
  });
});

describe("a reply", () => {
  test("each sentence has its place: from the sound that was there to the next sentence, or the end", () => {
    assert.deepEqual(places(reply()), [[0, 1000], [1000, 2000]]);
  });

  test("the first sentence begins where the reply does, though its text came later", () => {
    const script = reply().text("user", "more", "1:3").sound(2300).text("assistant", "eight", "1:4");
    assert.deepEqual(places(script).at(-1), [2000, null]);
  });

  test("words come as they are said", () => {
    const script = reply();
    assert.deepEqual(spoken(script), ["", ""]);
    assert.deepEqual(spoken(script.sound(2000, 100)), ["one", ""]);
    assert.deepEqual(spoken(script.sound(2000, 1400)), ["one two three four", "five six"]);
    assert.deepEqual(spoken(drained(script, 2000)), ["one two three four", "five six seven"]);
  });

  test("sentences that came at once share the sound by their letters", () => {
    const script = talking().text("user", "go", "1:0").text("assistant", "aaaa aaaa", "1:1").text("assistant", "bbb", "1:2");
    const [first, second] = places(script);
    assert.ok(first[1] === null && second[0] > first[0]);
    assert.deepEqual(places(script.sound(1200).hear("AgentAudioDone")), [[0, 900], [900, 1200]]);
  });

  test("the next one waits for its turn while the one before is still played", () => {
    const script = next().sound(3000, 1500);
    assert.deepEqual(spoken(script), ["one two three four", "five six seven".slice(0, 8), ""]);
    assert.deepEqual(spoken(script.sound(3000, 2100)).slice(1), ["five six seven", "and"]);
  });

  test("a sentence that was saved after the end of its reply belongs to it", () => {
    const whole = talking().text("user", "go", "1:0").tell("SoundStarted").sound(2000, 100).hear("AgentAudioDone").text("assistant", "one two", "1:1");
    assert.deepEqual(places(whole), [[0, 2000]]);
    assert.deepEqual(spoken(whole), ["one"]);
    const second = talking().text("user", "go", "1:0").text("assistant", "aaaa aaaa", "1:1").tell("SoundStarted").sound(1200, 100);
    second.hear("AgentAudioDone").text("assistant", "bbb", "1:2");
    assert.deepEqual(places(second), [[0, 900], [900, 1200]]);
    assert.deepEqual(places(second.text("assistant", "ccc", "1:3")), [[0, 720], [720, 960], [960, 1200]]);
    assert.deepEqual(spoken(drained(second, 1200)), ["aaaa aaaa", "bbb", "ccc"]);
  });

  test("a sentence that comes later, or with sound of its own, belongs to the next one", () => {
    assert.deepEqual(places(next()).at(-1), [2000, null]);
    assert.deepEqual(places(reply().sound(2100).text("assistant", "more", "1:3")).at(-1), [2000, null]);
    assert.deepEqual(places(reply().text("user", "go on", "1:3").text("assistant", "more", "1:4")).at(-1), [2000, null]);
  });

  test("an entry that comes again does not begin again", () => {
    const script = reply().text("assistant", "five six seven", "1:2");
    assert.deepEqual(places(script), [[0, 1000], [1000, 2000]]);
  });
});

describe("without sound", () => {
  test("a sentence is shown after a while, and stays", () => {
    const script = talking().text("user", "go", "1:0").text("assistant", "one two", "1:1");
    assert.deepEqual(script.did("Schedule"), [{ type: "Schedule", name: "caption", seconds: 1.5 }]);
    assert.deepEqual(spoken(script), [""]);
    assert.deepEqual(spoken(script.fire("caption")), ["one two"]);
    assert.deepEqual(spoken(script.sound(500)), ["one two"]);
  });

  test("a reply that ends without any is shown", () => {
    const script = talking().text("user", "go", "1:0").text("assistant", "one two", "1:1").hear("AgentAudioDone").fire("settle");
    assert.deepEqual(spoken(script), ["one two"]);
  });

  test("a sentence that waits for its turn in the sound is not shown early", () => {
    const script = next().fire("caption");
    assert.deepEqual(spoken(script), ["", "", ""]);
  });

  test("sound that stops for good hides nothing", () => {
    const script = reply();
    drained(script, 700);
    assert.deepEqual(script.did("Schedule").map(({ name }) => name), ["settle"]);
    assert.deepEqual(spoken(script.fire("settle")), ["one two three four", "five six seven"]);
  });

  test("the end of the talk hides nothing", () => {
    const script = talking().text("assistant", "one two", "1:1").tell("SocketClosed", { code: 1000, opened: true });
    assert.deepEqual(spoken(script), ["one two"]);
  });

  test("a client that plays nothing shows everything at once", () => {
    const script = talking({ sound: false }).sound(400).text("assistant", "one two", "1:1");
    assert.deepEqual(spoken(script), ["one two"]);
    assert.equal(script.did("Schedule").length, 0);
  });

  test("what was replayed after a lost socket, and the past, is there whole", () => {
    const entry = { cursor: "1:7", at: "", kind: "message", role: "assistant", content: "missed" };
    assert.deepEqual(spoken(talking().sound(900).hear("BridgeEntry", { entry })), ["missed"]);
  });
});

describe("a barge-in", () => {
  const cut = () => reply().sound(2000, 500).hear("UserStartedSpeaking")
    .tell("SoundFlushed", { playedMs: 700, passedMs: 700, droppedMs: 1300 });

  test("keeps of each sentence the whole words that were heard", () => {
    assert.deepEqual(parts(cut()).map(({ interrupted, heard }) => [interrupted, heard]), [[true, "one two"], [true, ""]]);
  });

  test("hides nothing, and the next reply is in step again", () => {
    const script = cut();
    assert.deepEqual(spoken(script), ["one two three four", "five six seven"]);
    assert.equal(script.state.playedMs, 2000);
    script.text("user", "stop", "1:3").text("assistant", "all right then", "1:4").sound(3000, 2100);
    assert.deepEqual(spoken(script).at(-1), "all");
  });

  test("what the record says counts", () => {
    const script = cut().hear("BridgeCut", { of: "1:1", heard: "one two three", cursor: "1:3" });
    assert.equal(parts(script)[0].heard, "one two three");
  });

  test("a reply that was heard whole is not marked", () => {
    const script = reply().hear("UserStartedSpeaking").tell("SoundFlushed", { playedMs: 2000, passedMs: 2000, droppedMs: 0 });
    assert.deepEqual(parts(script).map(({ interrupted }) => interrupted), [false, false]);
  });
});

describe("what was heard is told", () => {
  test("about four times a second, though the speaker says it ten times", () => {
    const script = reply();
    let told = 0;
    for (let ms = 100; ms <= 2000; ms += 100) told += script.sound(2000, ms).sent().length;
    assert.equal(told, 6);
  });

  test("and once more when all was played", () => {
    const script = reply().sound(2000, 1900);
    assert.deepEqual(drained(script, 2000).sent(), [{ type: "Playback", played_ms: 2000 }]);
  });

  test("and not for a reply that has not begun to sound", () => {
    assert.deepEqual(reply().sound(2600, 1900, { playedMs: 0 }).sent(), []);
  });
});
