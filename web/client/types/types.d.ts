// The shapes of the client: its options and events; state, messages and effects of its reducer (session.js).

import type { Entry, ServerMessage, ClientMessage, SessionAnswer } from "./protocol.js";
import type { Chip, Item } from "./record.js";
import type { Phase } from "./phases.js";

/** What a client is made with; all of it may be left out in a page of the bridge's own. */
export interface Options {
  /** Address of the bridge; without it, where the page came from. Needed outside of pages. */
  server?: string | URL;
  /** Name of the agent; null = the bridge's default. */
  agent?: string | null;
  /** The microphone is open only between `press` and `release`. */
  pushToTalk?: boolean;
  /** Your own name for this client, for the bridge's log; 100 characters. */
  instance?: string;
  /**
   * The client opens microphone and speaker itself: the default where there is Web Audio. False: give sound with
   * `sendSound`, take the agent's with the event `sound`.
   */
  sound?: boolean;
  /** Another WebSocket than the global one: Node 20 has none, the package `ws` has. */
  WebSocket?: SocketMaker;
  /**
   * Gives the credential of whoever talks, before each request: a token of the issuer, or of `api.signIn`. Null = none.
   * Without it the browser's cookie counts.
   */
  token?: () => string | null | Promise<string | null>;
  /** Another fetch than the global one. */
  fetch?: typeof globalThis.fetch;
}

/** What is needed of a WebSocket. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  onopen: any;
  onmessage: any;
  onclose: any;
  onerror: any;
  send(data: string | ArrayBuffer): void;
  close(code?: number): void;
  terminate?(): void;
}

export type SocketMaker = new (address: URL, protocols: string[]) => SocketLike;

/** Events by name: what a listener is given. */
export interface Events {
  /** Anything in the state is different; while the agent is heard, ten times a second. */
  change: State;
  /** Something new in the record: it is saved. What was there before the talk is not told. */
  entry: Entry;
  phase: Phase;
  /** A function call began, or what became of one. */
  call: Chip;
  /** Words for a trouble; null = it is over. */
  notice: Notice | null;
  /** How loud it is, from 0 to 1. */
  level: { who: "you" | "agent"; level: number };
  /** The agent's sound as it comes, linear16 at 24 kHz, one channel. Copy what you keep: the speaker takes it away. */
  sound: ArrayBuffer;
  /** Nobody is signed in, or no more: sign in, then go on. */
  signIn: string;
  /** A list you may show is out of date. */
  refresh: "conversations" | "planner";
}

export interface Notice {
  tone: "info" | "warning" | "error";
  text: string;
  /** About the connection: goes away when it is back. */
  passing: boolean;
}

/** Coming back after a lost socket; times are milliseconds since 1970. */
export interface Retry {
  attempt: number;
  /** When the socket was lost. */
  since: number;
  /** When the next attempt begins. */
  until: number;
}

export interface Live {
  id: string;
  conversationId: string;
  url: string;
  agent: { name: string; title: string; greeting: string };
  /** Who answers: "local", "deepgram", … */
  upstream: string;
  /** For joining again; null until the bridge was ready once. */
  resumeToken: string | null;
}

/** A reply whose sound has come: where that is, and when the last of it came, in milliseconds since 1970. */
export interface Ended {
  fromMs: number;
  toMs: number;
  at: number;
}

/** A question whether the bridge is still there. */
export interface Ping {
  id: number;
  /** When it was sent, in milliseconds since 1970. */
  at: number;
  /** Nothing at all has come since. */
  quiet: boolean;
}

/** Figures for those who look closer; null = not known. */
export interface Details {
  /** Names to find this talk in the bridge's logs by. */
  requestId: string | null;
  sessionId: string | null;
  conversationId: string | null;
  /** Milliseconds to the bridge and back. */
  roundTripMs: number | null;
  /** Sockets that were lost since the beginning. */
  reconnects: number;
  /** Times the agent's voice stuttered because sound came too late. */
  underruns: number;
  /** Milliseconds of the microphone's sound that could not be kept while there was no socket. */
  lostMs: number;
  /** Hz at which microphone and speaker run here; other than 16000 and 24000, sound is resampled. */
  microphoneHz: number | null;
  speakerHz: number | null;
  /** Seconds each stage of the last turn took, as the agent told. */
  latency: Record<"hear" | "think" | "speak" | "total", number | null>;
}

export interface State {
  phase: Phase;
  /** The session on the bridge; null = none. */
  live: Live | null;
  /** The conversation that is shown and that the next session goes on with; null = a new one. */
  conversationId: string | null;
  /** Agent to ask for; null = the bridge's default. */
  agent: string | null;
  /** This client's own name for itself, for the bridge's log. */
  instance: string;
  items: readonly Item[];
  /** The newest entry seen. */
  cursor: string | null;
  /** Typed, and not yet seen in the record. */
  outbox: readonly string[];
  /** Number of the session request under way; null = none. */
  starting: number | null;
  /** Counts session requests, so that a late answer is known as such. */
  ticket: number;
  /** The bridge accepted our settings on this socket. */
  settled: boolean;
  microphone: "off" | "asking" | "on";
  muted: boolean;
  pushToTalk: boolean;
  held: boolean;
  /** The user is speaking; their words have not arrived yet. */
  hearing: boolean;
  /** The agent's voice is to be heard now. */
  sounding: boolean;
  /** No more sound of the last reply will come. */
  replyDone: boolean;
  /** The agent's sound is played here; false: its sentences are shown at once. */
  sound: boolean;
  /** Milliseconds of the agent's sound that came to this client so far. */
  arrivedMs: number;
  /** Milliseconds of it that were played or dropped. */
  playedMs: number;
  /** Where in it the reply begins that sounds or is awaited. */
  replyFromMs: number;
  /** A sentence of that reply came. */
  replySaid: boolean;
  /** The reply before, while a sentence of it may still come; null = none can. */
  ended: Ended | null;
  /** Milliseconds of the current reply that were heard, */
  heardMs: number;
  /** and what the bridge was last told of that. */
  toldMs: number;
  ping: Ping | null;
  details: Details;
  retry: Retry | null;
  notice: Notice | null;
}

/** When something happened, and a number from 0 to 1 to spread retries by. */
interface Moment {
  at: number;
  roll: number;
}

/** How far the speaker is. */
export interface Heard {
  /** Milliseconds of the current reply. */
  playedMs: number;
  /** Milliseconds of all sound so far; counts as `State.playedMs`. */
  passedMs: number;
  underruns: number;
}

export interface Failure {
  /** HTTP status; 0 = the server was not reached. */
  status: number;
  code: string;
  description: string;
  /** Seconds; null = not said. */
  retryAfter: number | null;
}

export type MicrophoneTrouble = "denied" | "missing" | "busy" | "insecure" | "unplugged" | "other";
export type TimerName = "keepalive" | "reconnect" | "settle" | "hearing" | "aftermath" | "caption" | "ping";

export type Message =
  // the person
  | { type: "Started" }
  | { type: "Muted"; on: boolean }
  | { type: "Pressed" }
  | { type: "Released" }
  | { type: "Typed"; content: string }
  | { type: "Hung" }
  | { type: "Renewed" }
  | { type: "Adopted"; conversationId: string; entries: readonly Entry[] }
  | { type: "PushToTalkChosen"; on: boolean }
  | ({ type: "Retried" } & Moment)
  | { type: "Dismissed" }
  // the shell
  | { type: "MicrophoneOpened"; hz: number | null }
  | { type: "MicrophoneFailed"; reason: MicrophoneTrouble }
  | { type: "MicrophoneSilent" }
  | { type: "SessionStarted"; ticket: number; answer: SessionAnswer }
  | ({ type: "SessionRefused"; ticket: number; failure: Failure } & Moment)
  | { type: "SocketOpened"; lostMs: number }
  | ({ type: "SocketClosed"; code: number; opened: boolean } & Moment)
  | ({ type: "Probed"; reachable: boolean } & Moment)
  | { type: "Received"; message: ServerMessage; at: number }
  | { type: "EntriesLoaded"; conversationId: string; entries: readonly Entry[] }
  | { type: "SoundArrived"; ms: number }
  | { type: "SoundStarted"; hz: number | null }
  | ({ type: "SoundPlayed" } & Heard)
  | ({ type: "SoundDrained" } & Heard)
  | { type: "SoundFlushed"; playedMs: number; passedMs: number; droppedMs: number }
  | ({ type: "TimerFired"; name: TimerName } & Moment)
  | ({ type: "NetworkReturned" } & Moment);

export type Effect =
  | { type: "OpenSpeaker" }
  | { type: "FlushSpeaker" }
  | { type: "EndReply" }
  | { type: "OpenMicrophone" }
  | { type: "CloseMicrophone" }
  | { type: "GateMicrophone"; open: boolean }
  | { type: "StartSession"; ticket: number; conversationId: string | null; agent: string | null }
  | { type: "Connect"; url: string; token: string }
  | { type: "CloseSocket" }
  | { type: "DropSocket" }
  | { type: "Send"; message: ClientMessage }
  | { type: "PassSound" }
  | { type: "Probe" }
  | { type: "LoadEntries"; conversationId: string }
  | { type: "Schedule"; name: TimerName; seconds: number }
  | { type: "Unschedule"; name: TimerName }
  | { type: "Announce"; event: "entry"; detail: Entry }
  | { type: "Announce"; event: "call"; detail: Chip }
  | { type: "Announce"; event: "signIn"; detail: string }
  | { type: "Refresh"; what: "conversations" | "planner" };

export type Step = [State, Effect[]];
export type Rule<M> = (state: State, message: M) => Step;
export type Rules = { [K in Message["type"]]: Rule<Extract<Message, { type: K }>> };
export type ServerRule<M> = (state: State, message: M, at: number) => Step;
export type ServerRules = { [K in ServerMessage["type"]]?: ServerRule<Extract<ServerMessage, { type: K }>> };
