/** @typedef {import("./types.js").Heard} Heard */
/**
 * @typedef {object} Listener
 * @property {(hz: number | null) => void} started the voice is to be heard, at that sample rate
 * @property {(heard: Heard) => void} played how far it is, ten times a second
 * @property {(heard: Heard) => void} drained nothing is left to play
 * @property {(flushed: {playedMs: number, passedMs: number, droppedMs: number}) => void} flushed
 * @property {(level: number) => void} level loudest sample of the last 50 ms, 0 … 1
 */
export class Speaker {
    /** Whether the browser lets the page choose where sound goes. */
    static get choosable(): boolean;
    /** @param {Listener} listener */
    constructor(listener: Listener);
    /** Milliseconds of sound that were given to `play`. */
    arrivedMs: number;
    /** Unlock the sound. Must be called inside a tap or a key press, before any await; may be called again. */
    open(): void;
    /** Go on after the system took the sound away. */
    resume(): void;
    /** Play after what is there already; the buffer is given away. @param {ArrayBuffer} sound linear16, 24 kHz */
    play(sound: ArrayBuffer): void;
    /** The reply is complete; the next sound begins another one. */
    end(): void;
    /** Fall silent within 20 ms and drop what is left; `flushed` follows. */
    flush(): void;
    /** @param {string} device id of an output; empty = the system's choice */
    choose(device: string): Promise<void>;
    #private;
}
export type Heard = import("./types.js").Heard;
export type Listener = {
    /**
     * the voice is to be heard, at that sample rate
     */
    started: (hz: number | null) => void;
    /**
     * how far it is, ten times a second
     */
    played: (heard: Heard) => void;
    /**
     * nothing is left to play
     */
    drained: (heard: Heard) => void;
    flushed: (flushed: {
        playedMs: number;
        passedMs: number;
        droppedMs: number;
    }) => void;
    /**
     * loudest sample of the last 50 ms, 0 … 1
     */
    level: (level: number) => void;
};
