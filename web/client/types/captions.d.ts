/**
 * What was open ends here. Sentences that came without sound between them share it by their letters; without any sound
 * they stay open.
 * @param {readonly Item[]} items
 * @param {number} toMs
 */
export function close(items: readonly Item[], toMs: number): readonly import("./record.js").Item[];
/**
 * The last sentence came just now: its sound begins here, or after that of the sentences that wait for theirs.
 * @param {readonly Item[]} items
 * @param {number} fromMs
 */
export function begin(items: readonly Item[], fromMs: number): readonly import("./record.js").Item[];
/**
 * The last sentence came when all the sound of its reply had come: with the reply's others it shares that by its letters.
 * @param {readonly Item[]} items
 * @param {number} fromMs
 * @param {number} toMs
 */
export function squeeze(items: readonly Item[], fromMs: number, toMs: number): readonly import("./record.js").Item[];
/**
 * A sentence split into what was said, with the word under way, and what is still to come. What has no place in the
 * sound, or was interrupted, is there whole.
 * @param {Part} part
 * @param {number} playedMs `State.playedMs`
 * @returns {[spoken: string, toCome: string]}
 */
export function revealed(part: Part, playedMs: number): [spoken: string, toCome: string];
/**
 * The sound was cut: of every sentence that was not said to its end, the whole words that were. The bridge's own word
 * on it (`BridgeCut`) comes later.
 * @param {readonly Item[]} items
 * @param {number} playedMs
 */
export function cutShort(items: readonly Item[], playedMs: number): readonly import("./record.js").Item[];
export function release(items: readonly Item[]): readonly import("./record.js").Item[];
export type Item = import("./record.js").Item;
export type Part = import("./record.js").Part;
