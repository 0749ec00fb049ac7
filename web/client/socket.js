// One WebSocket to the bridge at a time: text as messages, sound as bytes, first words held until they may go.

import { INPUT_RATE, parse } from "./protocol.js";

/** Bytes of sound kept while there is no open socket: 10 s; the oldest go first. */
const HOLD_BYTES = 320_000;
/** Bytes in a millisecond of the microphone's sound. */
const BYTES_PER_MS = (INPUT_RATE * 2) / 1000;
/** `WebSocket.OPEN` */
const OPEN = 1;
/** Bytes the browser may have queued before sound is held back: 4 s. */
const QUEUE_BYTES = 128_000;

/**
 * @typedef {object} Listener
 * @property {() => void} opened
 * @property {(code: number, opened: boolean) => void} closed
 * @property {(message: import("./protocol.js").ServerMessage) => void} received
 * @property {(sound: ArrayBuffer) => void} sounded
 */

export class BridgeSocket {
  /** @type {import("./types.js").SocketLike | null} */
  #socket = null;
  /** @type {ArrayBuffer[]} */
  #held = [];
  #heldBytes = 0;
  #passing = false;
  /** Milliseconds of sound that could not be held. */
  lostMs = 0;
  #listener;
  #server;
  #Socket;

  /** @param {Listener} listener @param {URL} server @param {import("./types.js").SocketMaker | undefined} Socket */
  constructor(listener, server, Socket) {
    this.#listener = listener;
    this.#server = server;
    this.#Socket = Socket ?? globalThis.WebSocket;
    if (!this.#Socket) throw new TypeError("There is no WebSocket here; give one, as of the package ws: {WebSocket}.");
  }

  /**
   * Open a socket in place of the one before, which is no longer listened to. Sound is held until `passSound`.
   * @param {string} url
   * @param {string} token one-time token or resume token
   */
  open(url, token) {
    this.drop();
    const address = new URL(url, this.#server);
    address.protocol = address.protocol.replace(/^http/, "ws");
    const socket = new this.#Socket(address, ["bearer", token]);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    this.#passing = false;
    let opened = false;
    socket.onerror = () => undefined; // a close follows
    socket.onopen = () => {
      opened = true;
      this.#listener.opened();
    };
    socket.onmessage = (/** @type {{data: string | ArrayBuffer}} */ { data }) => this.#take(data);
    socket.onclose = (/** @type {{code: number}} */ { code }) => {
      this.#socket = null;
      this.#listener.closed(code, opened);
    };
  }

  /** @param {string | ArrayBuffer} data */
  #take(data) {
    if (typeof data !== "string") return this.#listener.sounded(data);
    const message = parse(data);
    if (message) this.#listener.received(message);
  }

  /** @param {import("./protocol.js").ClientMessage} message */
  send(message) {
    if (this.#socket?.readyState === OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Settings are sent: held sound goes first, then all sound as it comes. */
  passSound() {
    this.#passing = true;
    this.#drain();
  }

  /** Send one frame of sound, or hold it while it cannot go. @param {ArrayBuffer} frame */
  sendSound(frame) {
    this.#held.push(frame);
    this.#heldBytes += frame.byteLength;
    this.#drain();
    while (this.#heldBytes > HOLD_BYTES) this.lostMs += this.#shift().byteLength / BYTES_PER_MS;
  }

  #drain() {
    const socket = this.#socket;
    while (this.#held.length && this.#passing && socket?.readyState === OPEN) {
      if (socket.bufferedAmount > QUEUE_BYTES) return;
      socket.send(this.#shift());
    }
  }

  #shift() {
    const frame = /** @type {ArrayBuffer} */ (this.#held.shift());
    this.#heldBytes -= frame.byteLength;
    return frame;
  }

  /** End it on purpose; nothing is reported any more. */
  close() {
    this.#held = [];
    this.#heldBytes = 0;
    this.#shut((socket) => socket.close(1000));
  }

  /** Give up a socket that brings nothing any more; held sound stays, nothing is reported. */
  drop() {
    // Node's `ws` would wait half a minute for the other end.
    this.#shut((socket) => (socket.terminate ? socket.terminate() : socket.close(4000)));
  }

  /** @param {(socket: import("./types.js").SocketLike) => void} end */
  #shut(end) {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    end(socket);
  }
}
