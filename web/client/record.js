// What is shown of a conversation: its entries folded into bubbles and chips. Pure.

import { cutShort } from "./captions.js";

/** @typedef {import("./protocol.js").Entry} Entry */
/** @typedef {import("./protocol.js").Status} Status */

/**
 * One sentence of a bubble. Of an interrupted one only `heard` was heard; null = not known yet. `fromMs` and `toMs` are
 * its place in the agent's sound (captions.js); null = none, or its end is not known yet.
 * @typedef {{cursor: string, content: string, interrupted: boolean, heard: string | null, fromMs: number | null,
 *   toMs: number | null}} Part
 * @typedef {{kind: "message", id: string, at: string, role: import("./protocol.js").Role, typed: boolean,
 *   parts: readonly Part[]}} Bubble
 * @typedef {{kind: "call", id: string, at: string, call: string, name: string, args: string,
 *   status: Status | "running", content: string, duration: number}} Chip
 * @typedef {Bubble | Chip} Item
 */

/**
 * @param {readonly Item[]} items
 * @param {Entry} entry
 * @returns {readonly Item[]}
 */
export function add(items, entry) {
  switch (entry.kind) {
    case "message":
      return say(items, entry);
    case "call":
      return [...items, chip(entry, items.length)];
    case "result":
      return settle(items, entry);
    case "cut":
      return cut(items, entry.of, entry.heard);
  }
}

/** @param {readonly Entry[]} entries @returns {readonly Item[]} */
export const fold = (entries) => entries.reduce(add, /** @type {readonly Item[]} */ ([]));

/** Sentences of one reply share a bubble; every turn of the user has its own.
 * @param {readonly Item[]} items
 * @param {import("./protocol.js").MessageEntry} entry
 * @returns {readonly Item[]}
 */
function say(items, { cursor, at, role, content, modality, interrupted = false, heard = null }) {
  const part = { cursor, content, interrupted, heard: interrupted ? heard : null, fromMs: null, toMs: null };
  const last = items.at(-1);
  if (role === "assistant" && last?.kind === "message" && last.role === role && !last.parts.at(-1)?.interrupted) {
    return items.with(-1, { ...last, parts: [...last.parts, part] });
  }
  const id = `message-${items.length}-${cursor}`;
  return [...items, { kind: "message", id, at, role, typed: modality === "text", parts: [part] }];
}

/** @param {import("./protocol.js").CallEntry} entry @param {number} place @returns {Chip} */
function chip({ cursor, at, id, name, arguments: args }, place) {
  const common = { id: `call-${place}-${cursor}`, at, call: id, name, args };
  return { kind: "call", ...common, status: "running", content: "", duration: 0 };
}

/** A result ends the newest running chip of its call; without one it stands for itself.
 * @param {readonly Item[]} items
 * @param {import("./protocol.js").ResultEntry} entry
 * @returns {readonly Item[]}
 */
function settle(items, { cursor, at, id, name, content, status, duration_ms }) {
  const end = { status, content, duration: duration_ms };
  const place = items.findLastIndex((item) => item.kind === "call" && item.call === id && item.status === "running");
  if (place >= 0) return items.with(place, { .../** @type {Chip} */ (items[place]), ...end });
  const alone = chip({ kind: "call", cursor, at, id, name, arguments: "" }, items.length);
  return [...items, { ...alone, ...end }];
}

/** What was noted has been run: the same result came again, with its outcome.
 * @param {readonly Item[]} items
 * @param {Entry} entry
 * @returns {readonly Item[]}
 */
export function amend(items, entry) {
  if (entry.kind !== "result") return items;
  const { content, status, id } = entry;
  return items.map((item) =>
    item.kind === "call" && item.status === "noted" && item.call === id ? { ...item, content, status } : item);
}

/**
 * Calls that the agent withdrew.
 * @param {readonly Item[]} items
 * @param {readonly string[]} calls
 * @returns {readonly Item[]}
 */
export function withdraw(items, calls) {
  return items.map((item) =>
    item.kind === "call" && item.status === "running" && calls.includes(item.call)
      ? { ...item, status: "cancelled" } : item);
}

/** Of that sentence only `heard` was heard; of the later ones in its bubble nothing.
 * @param {readonly Item[]} items
 * @param {string} cursor
 * @param {string} heard
 * @returns {readonly Item[]}
 */
function cut(items, cursor, heard) {
  return items.map((item) => {
    if (item.kind !== "message" || !item.parts.some((part) => part.cursor === cursor)) return item;
    const parts = item.parts.map((part) =>
      part.cursor === cursor ? { ...part, interrupted: true, heard } : part);
    return { ...item, parts };
  });
}

/**
 * The user talked into the reply: mark what was not said to its end, or else its last sentence, until the record says
 * how much was heard.
 * @param {readonly Item[]} items
 * @param {number} playedMs how far the agent's sound was; see captions.js
 * @returns {readonly Item[]}
 */
export function interrupt(items, playedMs) {
  const shortened = cutShort(items, playedMs);
  if (shortened !== items) return shortened;
  const place = items.findLastIndex((item) => item.kind === "message" && item.role === "assistant");
  const last = items[place];
  const part = last?.kind === "message" ? last.parts.at(-1) : undefined;
  if (last?.kind !== "message" || !part || part.interrupted) return items;
  return items.with(place, { ...last, parts: last.parts.with(-1, { ...part, interrupted: true }) });
}

/**
 * A sentence split into what was heard and what was not.
 * @param {Part} part
 * @returns {[heard: string, unheard: string]}
 */
export function heardOf({ content, interrupted, heard }) {
  if (!interrupted || heard === null || !content.startsWith(heard)) return [content, ""];
  return [heard, content.slice(heard.length)];
}
