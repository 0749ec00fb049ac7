// Captions in step with the sound: where in it a sentence begins and ends, and how much of one was said. Pure.
// All milliseconds count on one line: the agent's sound that came to this client, from its very first sample on.

/** @typedef {import("./record.js").Item} Item */
/** @typedef {import("./record.js").Part} Part */

/** How long a letter takes while the end of its sentence is not known; rather too slow, so that nothing is taken back. */
const MS_PER_LETTER = 75;
/** So close to its end a sentence counts as said. */
const NEAR_MS = 50;

/** Its place in the sound is known, its end is not. @param {Part} part */
const open = ({ fromMs, toMs }) => fromMs !== null && toMs === null;

/** @param {readonly Item[]} items @param {(part: Part) => Part} change @returns {readonly Item[]} */
function changeParts(items, change) {
  let changed = false;
  const next = items.map((item) => {
    if (item.kind !== "message") return item;
    const parts = item.parts.map(change);
    if (parts.every((part, place) => part === item.parts[place])) return item;
    changed = true;
    return { ...item, parts };
  });
  return changed ? next : items;
}

/** @param {readonly Item[]} items @returns {Part[]} */
const openParts = (items) => items.flatMap((item) => (item.kind === "message" ? item.parts.filter(open) : []));

/**
 * What was open ends here. Sentences that came without sound between them share it by their letters; without any sound
 * they stay open.
 * @param {readonly Item[]} items
 * @param {number} toMs
 */
export function close(items, toMs) {
  const parts = openParts(items);
  const fromMs = parts[0]?.fromMs ?? toMs;
  if (toMs <= fromMs) return items;
  const letters = parts.reduce((sum, { content }) => sum + content.length, 0) || 1;
  let at = fromMs;
  return changeParts(items, (part) => {
    if (!open(part)) return part;
    const begin = at;
    at += ((toMs - fromMs) * part.content.length) / letters;
    return { ...part, fromMs: begin, toMs: at };
  });
}

/**
 * The last sentence came just now: its sound begins here, or after that of the sentences that wait for theirs.
 * @param {readonly Item[]} items
 * @param {number} fromMs
 */
export function begin(items, fromMs) {
  const last = items.at(-1);
  const part = last?.kind === "message" ? last.parts.at(-1) : undefined;
  const before = openParts(items).at(-1);
  const from = before ? Math.max(fromMs, (before.fromMs ?? 0) + before.content.length * MS_PER_LETTER) : fromMs;
  return changeParts(items, (other) => (other === part ? { ...other, fromMs: from } : other));
}

/**
 * The last sentence came when all the sound of its reply had come: with the reply's others it shares that by its letters.
 * @param {readonly Item[]} items
 * @param {number} fromMs
 * @param {number} toMs
 */
export function squeeze(items, fromMs, toMs) {
  const last = items.at(-1);
  const late = last?.kind === "message" ? last.parts.at(-1) : undefined;
  const mine = (/** @type {Part} */ part) =>
    part === late || (part.fromMs !== null && part.fromMs >= fromMs && part.toMs !== null && part.toMs <= toMs);
  return close(changeParts(items, (part) => (mine(part) ? { ...part, fromMs, toMs: null } : part)), toMs);
}

/** No sound will come: all that is there is shown. @param {readonly Item[]} items */
export const release = (items) =>
  changeParts(items, (part) => (part.fromMs === null ? part : { ...part, fromMs: null, toMs: null }));

/** Letters of a sentence that were said. @param {Part} part @param {number} playedMs */
function lettersSaid({ content, fromMs, toMs }, playedMs) {
  if (fromMs === null || (toMs !== null && playedMs >= toMs - NEAR_MS)) return content.length;
  const length = toMs === null ? content.length * MS_PER_LETTER : toMs - fromMs;
  const share = (playedMs - fromMs) / length;
  return Math.max(0, Math.min(content.length, Math.floor(content.length * share)));
}

/**
 * A sentence split into what was said, with the word under way, and what is still to come. What has no place in the
 * sound, or was interrupted, is there whole.
 * @param {Part} part
 * @param {number} playedMs `State.playedMs`
 * @returns {[spoken: string, toCome: string]}
 */
export function revealed(part, playedMs) {
  const { content, interrupted } = part;
  if (interrupted || part.fromMs === null) return [content, ""];
  if (playedMs <= part.fromMs) return ["", content];
  const rest = content.slice(lettersSaid(part, playedMs));
  const end = content.length - rest.length + (/\s|$/.exec(rest)?.index ?? rest.length);
  return [content.slice(0, end), content.slice(end)];
}

/**
 * The sound was cut: of every sentence that was not said to its end, the whole words that were. The bridge's own word
 * on it (`BridgeCut`) comes later.
 * @param {readonly Item[]} items
 * @param {number} playedMs
 */
export function cutShort(items, playedMs) {
  return changeParts(items, (part) => {
    const letters = lettersSaid(part, playedMs);
    if (part.interrupted || letters === part.content.length) return part;
    const begun = part.content.slice(0, letters);
    return { ...part, interrupted: true, heard: begun.slice(0, Math.max(0, begun.lastIndexOf(" "))) };
  });
}
