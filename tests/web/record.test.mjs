// Entries folded into bubbles and chips; the wire; times in words.

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { compareCursors, entriesOf, parse, settings } from "../../web/client/protocol.js";
import { add, amend, fold, heardOf, interrupt, withdraw } from "../../web/client/record.js";
import { day, duration, length, recurrence } from "../../web/times.js";
import { notice } from "../../web/client/notices.js";
import { STATUS_WORDS, functionWords, hint } from "../../web/words.js";
import { initial } from "../../web/client/session.js";

const message = (cursor, role, content, fields = {}) => ({ cursor, at: "2026-01-01T00:00:00Z", kind: "message", role, content, ...fields });
const call = (cursor, id) => ({ cursor, at: "", kind: "call", id, name: "submit_goal_intent", arguments: "{}" });
const result = (cursor, id, status = "done") => ({ cursor, at: "", kind: "result", id, name: "submit_goal_intent", content: "Saved.", status, duration_ms: 12 });

describe("bubbles", () => {
  test("sentences of one reply share a bubble, turns of the user do not", () => {
    const items = fold([message("1:0", "user", "a"), message("1:1", "user", "b"), message("1:2", "assistant", "c"), message("1:3", "assistant", "d")]);
    assert.deepEqual(items.map(({ role, parts }) => [role, parts.map(({ content }) => content)]), [["user", ["a"]], ["user", ["b"]], ["assistant", ["c", "d"]]]);
  });

  test("a function call parts two replies", () => {
    const items = fold([message("1:0", "assistant", "a"), call("1:1", "f"), message("1:2", "assistant", "b")]);
    assert.deepEqual(items.map(({ kind }) => kind), ["message", "call", "message"]);
  });

  test("what follows an interrupted reply is another bubble", () => {
    const items = fold([message("1:0", "assistant", "a", { interrupted: true, heard: "" }), message("1:1", "assistant", "b")]);
    assert.equal(items.length, 2);
  });

  test("a cut keeps what was heard and shows what was not", () => {
    const items = fold([message("1:0", "assistant", "one two three"), { cursor: "1:1", at: "", kind: "cut", of: "1:0", heard: "one" }]);
    assert.deepEqual(heardOf(items[0].parts[0]), ["one", " two three"]);
    assert.deepEqual(heardOf(message("1:0", "assistant", "whole", { heard: null })), ["whole", ""]);
  });

  test("an interruption marks the last reply even when the user's words came first", () => {
    const items = interrupt(fold([message("1:0", "assistant", "a"), message("1:1", "user", "b")]));
    assert.deepEqual(items.map(({ parts }) => parts[0].interrupted), [true, false]);
    assert.equal(interrupt(items), items);
  });
});

describe("chips", () => {
  test("a result ends its call, and each call has its own", () => {
    const items = fold([call("1:0", "f"), call("1:1", "g"), result("1:2", "g"), result("1:3", "f", "refused")]);
    assert.deepEqual(items.map(({ call: id, status }) => [id, status]), [["f", "refused"], ["g", "done"]]);
  });

  test("the same id in another session is another call", () => {
    const items = fold([call("1:0", "f"), result("1:1", "f"), call("2:0", "f")]);
    assert.deepEqual(items.map(({ status }) => status), ["done", "running"]);
    assert.equal(new Set(items.map(({ id }) => id)).size, 2);
  });

  test("a result without its call stands for itself", () => {
    assert.deepEqual(fold([result("1:1", "f")]).map(({ status, content }) => [status, content]), [["done", "Saved."]]);
  });

  test("what was noted gets its outcome when the result comes again, and only that", () => {
    const items = fold([call("1:0", "f"), result("1:1", "f", "noted"), call("1:2", "g"), result("1:3", "g", "refused")]);
    const after = [result("1:1", "f"), result("1:3", "g")].reduce(amend, items);
    assert.deepEqual(after.map(({ status }) => status), ["done", "refused"]);
  });

  test("only calls that still run can be withdrawn", () => {
    const items = withdraw(fold([call("1:0", "f"), result("1:1", "f"), call("1:2", "g")]), ["f", "g"]);
    assert.deepEqual(items.map(({ status }) => status), ["done", "cancelled"]);
  });

  test("what did not change is the same object, so that it is not drawn again", () => {
    const items = fold([message("1:0", "user", "a"), call("1:1", "f")]);
    assert.equal(add(items, result("1:2", "f"))[0], items[0]);
  });
});

describe("the wire", () => {
  test("cursors are ordered by number, not by letter", () => {
    assert.ok(compareCursors("1:9", "1:10") < 0);
    assert.ok(compareCursors("2:0", "1:99") > 0);
    assert.equal(compareCursors("1:2", "1:2"), 0);
    assert.ok(compareCursors(null, "1:0") < 0);
  });

  test("what is not a message is not taken for one", () => {
    for (const text of ["", "{", "[]", "null", "3", '{"type":3}', '"Welcome"']) assert.equal(parse(text), null);
    assert.equal(parse('{"type":"Welcome","request_id":"r"}').type, "Welcome");
  });

  test("settings name both formats, and a cursor only when there is one", () => {
    const { audio, bridge } = settings(null, "tab");
    assert.deepEqual([audio.input.sample_rate, audio.output.sample_rate, audio.output.container], [16000, 24000, "none"]);
    assert.deepEqual(bridge, { instance: "tab" });
  });

  test("each function of a request is an entry", () => {
    const functions = [{ id: "a", name: "n", arguments: "{}" }, { id: "b", name: "n", arguments: "{}" }];
    const entries = entriesOf({ type: "FunctionCallRequest", functions, cursor: "1:0" }, "now");
    assert.deepEqual(entries.map(({ id, cursor, at }) => [id, cursor, at]), [["a", "1:0", "now"], ["b", "1:0", "now"]]);
  });
});

describe("words", () => {
  const now = new Date(2026, 2, 4, 12);
  const at = (...parts) => new Date(...parts).toISOString();

  test("days are said as people say them", () => {
    const said = [[2026, 2, 4, 0, 1], [2026, 2, 3, 23], [2026, 2, 5, 1], [2026, 2, 9, 9], [2026, 2, 11, 9], [2024, 11, 24]];
    assert.deepEqual(said.map((parts) => day(at(...parts), now, "en-GB")), ["Today", "Yesterday", "Tomorrow", "Monday", "11 Mar", "24 Dec 2024"]);
  });

  test("lengths", () => {
    assert.deepEqual([8, 59, 64, 212, 3600, 3900].map(length), ["8 s", "59 s", "1 min", "4 min", "1 h", "1 h 5 min"]);
    assert.deepEqual([38, 999, 1240].map(duration), ["38 ms", "999 ms", "1.2 s"]);
  });

  test("recurrences", () => {
    const rules = {
      "FREQ=DAILY": "every day",
      "FREQ=WEEKLY;BYDAY=MO,WE": "every Monday and Wednesday",
      "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": "every weekday",
      "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR": "every other week on Friday",
      "FREQ=MONTHLY;BYMONTHDAY=1": "every month on day 1",
      "FREQ=DAILY;INTERVAL=3": "every 3 days",
      "FREQ=MONTHLY;BYDAY=2MO": "FREQ=MONTHLY;BYDAY=2MO",
    };
    for (const [rule, words] of Object.entries(rules)) assert.equal(recurrence(rule), words);
  });

  test("names of functions", () => {
    assert.deepEqual(["submit_new_task_intent", "submit_goal_intent", "add_item", "submit_intent"].map(functionWords), ["New task", "Goal", "Add item", "Intent"]);
  });

  test("a code without words is said in the bridge's own", () => {
    assert.deepEqual(notice("Error SOMETHING", "It broke."), { tone: "error", text: "It broke.", passing: false });
    assert.equal(notice("Warning SOMETHING", "Careful.").tone, "warning");
    assert.notEqual(notice("Warning BRIDGE_IDLE", "").text, notice("Error BRIDGE_IDLE", "").text);
  });

  test("every status has a word, every phase at rest a hint", () => {
    for (const status of ["done", "refused", "failed", "timed_out", "unconfirmed", "cancelled", "noted", "running"]) assert.ok(STATUS_WORDS[status]);
    for (const phase of ["idle", "ended", "error"]) assert.ok(hint({ ...initial(), phase }));
  });
});
