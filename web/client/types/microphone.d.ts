export function troubleOf(error: unknown): MicrophoneTrouble;
export class Microphone {
    /** @param {Listener} listener */
    constructor(listener: Listener);
    /**
     * Ask for it and begin. @param {string} device id of an input; empty = the system's choice
     * @returns {Promise<MicrophoneTrouble | "open" | "stale">} stale: another opening or a close came between
     */
    open(device: string): Promise<MicrophoneTrouble | "open" | "stale">;
    /** Sample rate while it is open. */
    get hz(): number | null;
    /** Shut, silence is sent in place of sound. @param {boolean} open */
    gate(open: boolean): void;
    close(): void;
    #private;
}
export type Listener = {
    /**
     * linear16, 16 kHz, 640 bytes
     */
    frame: (frame: ArrayBuffer) => void;
    /**
     * loudest sample of the last 20 ms, 0 … 1
     */
    level: (level: number) => void;
    /**
     * it gives nothing but zeros
     */
    silent: () => void;
    /**
     * it was unplugged, or the permission was taken back
     */
    lost: () => void;
};
export type MicrophoneTrouble = import("./types.js").MicrophoneTrouble;
