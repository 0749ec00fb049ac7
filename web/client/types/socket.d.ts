/**
 * @typedef {object} Listener
 * @property {() => void} opened
 * @property {(code: number, opened: boolean) => void} closed
 * @property {(message: import("./protocol.js").ServerMessage) => void} received
 * @property {(sound: ArrayBuffer) => void} sounded
 */
export class BridgeSocket {
    /** @param {Listener} listener @param {URL} server @param {import("./types.js").SocketMaker | undefined} Socket */
    constructor(listener: Listener, server: URL, Socket: import("./types.js").SocketMaker | undefined);
    /** Milliseconds of sound that could not be held. */
    lostMs: number;
    /**
     * Open a socket in place of the one before, which is no longer listened to. Sound is held until `passSound`.
     * @param {string} url
     * @param {string} token one-time token or resume token
     */
    open(url: string, token: string): void;
    /** @param {import("./protocol.js").ClientMessage} message */
    send(message: import("./protocol.js").ClientMessage): void;
    /** Settings are sent: held sound goes first, then all sound as it comes. */
    passSound(): void;
    /** Send one frame of sound, or hold it while it cannot go. @param {ArrayBuffer} frame */
    sendSound(frame: ArrayBuffer): void;
    /** End it on purpose; nothing is reported any more. */
    close(): void;
    /** Give up a socket that brings nothing any more; held sound stays, nothing is reported. */
    drop(): void;
    #private;
}
export type Listener = {
    opened: () => void;
    closed: (code: number, opened: boolean) => void;
    received: (message: import("./protocol.js").ServerMessage) => void;
    sounded: (sound: ArrayBuffer) => void;
};
