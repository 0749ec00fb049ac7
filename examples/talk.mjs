// Says a WAV file to Voice Bridge and prints the talk, the calls and what came of them. Needs nothing but web/client.
//
//     node examples/talk.mjs question.wav [http://127.0.0.1:8000]
//
// The file: 16 kHz, 16 bits a sample, one channel. Node 20 has no WebSocket of its own: npm install ws.

import { readFileSync } from "node:fs";
import { VoiceBridge } from "../web/client/index.js";

const [FRAME_MS, FRAME_BYTES] = [20, 640];
const QUIET_MS = 2000; // after which the talk counts as over
const TOO_LONG_MS = 60_000;

const [file, server = "http://127.0.0.1:8000"] = process.argv.slice(2);
const question = samplesOf(readFileSync(file));
const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;
const bridge = new VoiceBridge({ server, WebSocket, sound: false });

let sent = 0; // bytes
let [heard, answered] = [false, false];
let quietSince = Infinity;
let speaking;

bridge.on("entry", (entry) => {
  if (entry.kind !== "message") return;
  console.log(`${entry.role}: ${entry.content}`);
  heard ||= entry.role === "user";
  answered = heard && entry.role === "assistant";
});
bridge.on("call", ({ name, status, content }) => console.log(`[${name}: ${status}]${content && ` ${content}`}`));
bridge.on("notice", (notice) => notice && console.error(notice.text));
bridge.on("phase", (phase) => {
  quietSince = phase === "listening" ? Date.now() : Infinity;
  if (phase === "listening") speaking ??= speak();
  if (phase === "ended" || phase === "error") clearInterval(speaking);
});
bridge.start();

/** Send the question as a microphone would, then silence: without it no turn ends. */
function speak() {
  const begun = Date.now();
  return setInterval(() => {
    const now = Date.now();
    while (sent < ((now - begun) / FRAME_MS) * FRAME_BYTES) {
      const frame = new Uint8Array(FRAME_BYTES);
      frame.set(question.subarray(sent, sent + FRAME_BYTES));
      bridge.sendSound(frame);
      sent += FRAME_BYTES;
    }
    const over = answered && sent >= question.length && now - quietSince > QUIET_MS;
    if (over || now - begun > TOO_LONG_MS) bridge.stop();
  }, FRAME_MS);
}

/** What is in the `data` part of a WAV. @param {Buffer} wav */
function samplesOf(wav) {
  let at = 12;
  while (wav.toString("latin1", at, at + 4) !== "data") at += 8 + wav.readUInt32LE(at + 4);
  return wav.subarray(at + 8, at + 8 + wav.readUInt32LE(at + 4));
}
