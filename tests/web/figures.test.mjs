// The figures of a talk, in words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_DETAILS } from "../../web/client/details.js";
import { figures, ids, report, stages } from "../../web/figures.js";

const latency = { hear: 0.5, think: 2.64, speak: null, total: 3.21 };

test("a stage over its budget is told as such, one at its budget is not", () => {
  const words = stages(latency).map(({ value, verdict }) => [value, verdict]);
  assert.deepEqual(words, [
    ["500 ms of 500 ms", "within budget"], ["2.6 s of 2.0 s", "over budget"], ["not told, of 500 ms", ""],
    ["3.2 s of 3.0 s", "over budget"],
  ]);
});

test("a bar is never longer than its budget", () => {
  assert.deepEqual(stages(latency).map(({ share }) => share), [1, 1, 0, 1]);
});

test("what is not known is said to be unknown", () => {
  assert.equal(figures(NO_DETAILS)[0][1], "not measured yet");
  assert.deepEqual(ids(NO_DETAILS).map(([, id]) => id), [null, null, null]);
});

test("a rate other than that of the wire is told to be resampled", () => {
  const rates = (details) => figures({ ...NO_DETAILS, ...details }).slice(-2).map(([, value]) => value);
  assert.deepEqual(rates({}), ["off", "off"]);
  assert.deepEqual(rates({ microphoneHz: 16000, speakerHz: 48000 }), ["16 kHz", "48 kHz, resampled"]);
});

test("a report has every figure and every id on a line of its own", () => {
  const text = report({ ...NO_DETAILS, latency, sessionId: "s1", roundTripMs: 12.4, lostMs: 1500 }, [["State", "listening"]]);
  const lines = text.trimEnd().split("\n");
  assert.deepEqual(lines.slice(0, 2), ["State: listening", "Session: s1"]);
  assert.ok(lines.includes("Round trip to the server: 12 ms"));
  assert.ok(lines.includes("Of your voice lost: 1.5 s"));
  assert.ok(lines.includes("Thinking: 2.6 s of 2.0 s, over budget"));
  assert.equal(lines.length, 1 + 3 + 6 + 4);
});
