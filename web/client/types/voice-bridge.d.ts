/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Message} Message */
/** @typedef {import("./types.js").Effect} Effect */
/** @typedef {import("./types.js").Events} Events */
/** @typedef {import("./types.js").TimerName} TimerName */
/** @typedef {{[K in Effect["type"]]: (effect: Extract<Effect, {type: K}>) => void}} Performers */
/** A talk with an agent. What it is like stands in `state`; what happens is told as events, see `Events`. */
export class VoiceBridge extends EventTarget {
    /** @param {import("./types.js").Options} [options] */
    constructor({ server, agent, pushToTalk, instance, sound, WebSocket, fetch, token }?: import("./types.js").Options);
    /** The state now; never changed, but replaced. @type {State} */
    state: State;
    /** The bridge's REST interface: past conversations, goals and tasks. */
    api: Api;
    /**
     * Listen to an event.
     * @template {keyof Events} Name
     * @param {Name} name
     * @param {(detail: Events[Name]) => void} listener
     * @returns {() => void} stops listening
     */
    on<Name extends keyof Events>(name: Name, listener: (detail: Events[Name]) => void): () => void;
    /** Open the microphone and begin, or go on. Call it in a tap or a key press, else browsers keep the sound off. */
    start(): void;
    /** End the talk; it can be gone on with. What was said last is still done. */
    stop(): void;
    /**
     * Start; while the microphone is open, mute and unmute. For a page with one button.
     * @param {number} clicks the click's `detail`: the second of a double click that began the talk mutes nobody
     */
    tap(clicks?: number): void;
    /** Silence goes out in place of the microphone's sound. @param {boolean} on */
    mute(on: boolean): void;
    /** Push-to-talk: the button is held. */
    press(): void;
    /** Push-to-talk: the button was let go. */
    release(): void;
    /** Say it in writing; begins when nothing runs. @param {string} content */
    sendText(content: string): void;
    /**
     * With `sound: false`: one frame of the person's sound, linear16 at 16 kHz, one channel; 20 ms (640 bytes) is a good
     * size. Send all the time between `start` and `stop`, silence too, as fast as it is spoken.
     * @param {ArrayBuffer | Uint8Array | Int16Array} frame
     */
    sendSound(frame: ArrayBuffer | Uint8Array | Int16Array): void;
    /** With `sound: false`, while you play the agent's: how much of the current reply was heard, about four times a second.
     * @param {number} playedMs */
    played(playedMs: number): void;
    /** Begin anew with the next `start` or `sendText`. */
    renew(): void;
    /**
     * Go on with a past conversation at the next `start` or `sendText`; a talk under way ends. Rejects with `RequestFailed`.
     * @param {string} conversationId
     * @param {readonly import("./protocol.js").Entry[]} [entries] its entries, when they are known already
     */
    resume(conversationId: string, entries?: readonly import("./protocol.js").Entry[]): Promise<void>;
    /** The microphone is open only between `press` and `release`. @param {boolean} on */
    pushToTalk(on: boolean): void;
    /** Try again now instead of at the end of the wait. */
    retry(): void;
    /** The notice was read. */
    dismiss(): void;
    /** Go on sounding after the system took the sound away; best inside a tap. */
    resumeSound(): void;
    /** The network, or the page, is back: try again now instead of at the end of the wait. */
    wake(): void;
    /** @param {string} device id of an input; empty = the system's choice */
    chooseMicrophone(device: string): Promise<void>;
    /** @param {string} device id of an output; empty = the system's choice */
    chooseSpeaker(device: string): Promise<void>;
    #private;
}
export type State = import("./types.js").State;
export type Message = import("./types.js").Message;
export type Effect = import("./types.js").Effect;
export type Events = import("./types.js").Events;
export type TimerName = import("./types.js").TimerName;
export type Performers = { [K in Effect["type"]]: (effect: Extract<Effect, {
    type: K;
}>) => void; };
import { Api } from "./api.js";
