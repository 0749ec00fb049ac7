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
export function add(items: readonly Item[], entry: Entry): readonly Item[];
/** What was noted has been run: the same result came again, with its outcome.
 * @param {readonly Item[]} items
 * @param {Entry} entry
 * @returns {readonly Item[]}
 */
export function amend(items: readonly Item[], entry: Entry): readonly Item[];
/**
 * Calls that the agent withdrew.
 * @param {readonly Item[]} items
 * @param {readonly string[]} calls
 * @returns {readonly Item[]}
 */
export function withdraw(items: readonly Item[], calls: readonly string[]): readonly Item[];
/**
 * The user talked into the reply: mark what was not said to its end, or else its last sentence, until the record says
 * how much was heard.
 * @param {readonly Item[]} items
 * @param {number} playedMs how far the agent's sound was; see captions.js
 * @returns {readonly Item[]}
 */
export function interrupt(items: readonly Item[], playedMs: number): readonly Item[];
/**
 * A sentence split into what was heard and what was not.
 * @param {Part} part
 * @returns {[heard: string, unheard: string]}
 */
export function heardOf({ content, interrupted, heard }: Part): [heard: string, unheard: string];
export function fold(entries: readonly Entry[]): readonly Item[];
export type Entry = import("./protocol.js").Entry;
export type Status = import("./protocol.js").Status;
/**
 * One sentence of a bubble. Of an interrupted one only `heard` was heard; null = not known yet. `fromMs` and `toMs` are
 * its place in the agent's sound (captions.js); null = none, or its end is not known yet.
 */
export type Part = {
    cursor: string;
    content: string;
    interrupted: boolean;
    heard: string | null;
    fromMs: number | null;
    toMs: number | null;
};
/**
 * One sentence of a bubble. Of an interrupted one only `heard` was heard; null = not known yet. `fromMs` and `toMs` are
 * its place in the agent's sound (captions.js); null = none, or its end is not known yet.
 */
export type Bubble = {
    kind: "message";
    id: string;
    at: string;
    role: import("./protocol.js").Role;
    typed: boolean;
    parts: readonly Part[];
};
/**
 * One sentence of a bubble. Of an interrupted one only `heard` was heard; null = not known yet. `fromMs` and `toMs` are
 * its place in the agent's sound (captions.js); null = none, or its end is not known yet.
 */
export type Chip = {
    kind: "call";
    id: string;
    at: string;
    call: string;
    name: string;
    args: string;
    status: Status | "running";
    content: string;
    duration: number;
};
/**
 * One sentence of a bubble. Of an interrupted one only `heard` was heard; null = not known yet. `fromMs` and `toMs` are
 * its place in the agent's sound (captions.js); null = none, or its end is not known yet.
 */
export type Item = Bubble | Chip;
