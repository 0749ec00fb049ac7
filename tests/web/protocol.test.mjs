// The samples of the wire (tests/fixtures/protocol), which Python reads and writes too, against web/client/protocol.js.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";

import * as protocol from "../../web/client/protocol.js";

const { entriesOf, parse } = protocol;
const samples = (side) => JSON.parse(readFileSync(new URL(`../fixtures/protocol/${side}.json`, import.meta.url), "utf8"));
const CLIENT = samples("client");
const SERVER = Object.fromEntries(Object.entries(samples("server")).filter(([, sample]) => sample !== null));
const place = ({ cursor, at }) => ({ cursor, at });
const NOW = "2026-01-01T00:00:00.000Z";

/** Name of a sample → what protocol.js makes. */
const MADE = {
  "Settings of our page": protocol.settings("3:14", "tab-1"),
  "Settings of our page, at the beginning": protocol.settings(null, "tab-1"),
  InjectUserMessage: protocol.injectUserMessage(CLIENT.InjectUserMessage.content),
  "Playback of our page": protocol.playback(1234.4),
  BridgePing: protocol.ping("7"),
  KeepAlive: protocol.keepAlive(),
};
const MAKERS = ["settings", "injectUserMessage", "playback", "ping", "keepAlive"];
const READERS = ["parse", "entriesOf", "compareCursors"];

describe("messages to the bridge", () => {
  for (const [name, made] of Object.entries(MADE)) {
    test(`${name} is made as the sample`, () => assert.deepEqual(JSON.parse(JSON.stringify(made)), CLIENT[name]));
  }

  test("no message is made that is not looked at here", () => {
    const functions = Object.keys(protocol).filter((name) => typeof protocol[name] === "function");
    assert.deepEqual(functions.sort(), [...MAKERS, ...READERS].sort());
  });
});

describe("messages of the bridge", () => {
  for (const [name, sample] of Object.entries(SERVER)) {
    test(`${name} is read, known or not`, () => assert.deepEqual(parse(JSON.stringify(sample)), sample));
  }

  for (const text of ["", "{", "null", "5", "[]", "[{\"type\": \"Error\"}]", "{}", "{\"type\": 7}", "\"Welcome\""]) {
    test(`${text || "nothing"} is no message`, () => assert.equal(parse(text), null));
  }
});

/** Name of a sample → the entry in it, beside its place. */
const ENTRIES = {
  ConversationText: { kind: "message", role: "user", content: "Ich möchte Spanisch lernen" },
  FunctionCallRequest: { kind: "call", id: "c1", name: "submit_goal_intent", arguments: "{}" },
  "FunctionCallRequest, the client's own": { kind: "call", id: "c2", name: "add_note", arguments: "not JSON" },
  FunctionCallResponse: {
    kind: "result", id: "c1", name: "submit_goal_intent", content: "Goal saved.", status: "done", duration_ms: 12,
  },
  BridgeCut: { kind: "cut", of: "3:13", heard: "Hey! What" },
};

describe("entries in messages", () => {
  for (const [name, entry] of Object.entries(ENTRIES)) {
    test(`that of ${name}`, () => {
      assert.deepEqual(entriesOf(SERVER[name], NOW), [{ ...place(SERVER[name]), ...entry }]);
    });
  }

  test("every message with a cursor of its own has one", () => {
    const placed = Object.keys(SERVER).filter((name) => "cursor" in SERVER[name] && SERVER[name].type !== "BridgeReady");
    assert.deepEqual(placed.sort(), Object.keys(ENTRIES).sort());
  });

  test("a live entry has no key that the record does not give too", () => {
    const record = Object.values(SERVER).filter(({ type }) => type === "BridgeEntry").map(({ entry }) => entry);
    for (const name of Object.keys(ENTRIES)) {
      const [live] = entriesOf(SERVER[name], NOW);
      const kept = record.find(({ kind }) => kind === live.kind);
      for (const key of Object.keys(live)) assert.ok(key in kept, `${name}: ${key}`);
    }
  });

  test("a message of a server without our additions has no place and the time it came", () => {
    const [entry] = entriesOf({ type: "ConversationText", role: "user", content: "Hi" }, NOW);
    assert.deepEqual(entry, { cursor: "", at: NOW, kind: "message", role: "user", content: "Hi" });
  });
});
