/** In place of a microphone: frames are given from outside. */
export class GivenMicrophone {
    /** @param {(frame: ArrayBuffer) => void} pass where frames go */
    constructor(pass: (frame: ArrayBuffer) => void);
    hz: null;
    /** @returns {Promise<"open">} */
    open(): Promise<"open">;
    /** Shut, silence is sent in place of sound. @param {boolean} open */
    gate(open: boolean): void;
    close(): void;
    /**
     * One frame; without a talk it is thrown away.
     * @param {ArrayBuffer | Uint8Array | Int16Array} frame linear16, 16 kHz
     */
    take(frame: ArrayBuffer | Uint8Array | Int16Array): void;
    #private;
}
/** In place of a speaker: what comes counts as heard at once. */
export class GivenSpeaker {
    /** @param {import("./speaker.js").Listener} listener */
    constructor(listener: import("./speaker.js").Listener);
    /** Milliseconds of sound that came. */
    arrivedMs: number;
    open(): void;
    resume(): void;
    choose(): Promise<void>;
    /** @param {ArrayBuffer} sound linear16, 24 kHz */
    play(sound: ArrayBuffer): void;
    end(): void;
    flush(): void;
    #private;
}
