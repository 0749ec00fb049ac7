/**
 * The first message on every socket.
 * @param {string | null} cursor the last entry seen
 * @param {string} instance this page's own name for itself
 * @returns {ClientMessage}
 */
export function settings(cursor: string | null, instance: string): ClientMessage;
/**
 * Read a text frame; null when it is not a message at all.
 * @param {string} text
 * @returns {ServerMessage | null}
 */
export function parse(text: string): ServerMessage | null;
/**
 * Where cursor `a` stands to cursor `b`: negative before, 0 the same, positive after. Nothing is before everything.
 * @param {string | null} a
 * @param {string | null} b
 */
export function compareCursors(a: string | null, b: string | null): number;
/**
 * The entries in a live message; `at` and `cursor` stand on the message.
 * @param {ConversationText | FunctionCallRequest | FunctionCallResponse | BridgeCut} message
 * @param {string} now ISO 8601, for a message without a time
 * @returns {Entry[]}
 */
export function entriesOf(message: ConversationText | FunctionCallRequest | FunctionCallResponse | BridgeCut, now: string): Entry[];
/** @typedef {"user" | "assistant"} Role */
/** @typedef {"done" | "refused" | "failed" | "timed_out" | "unconfirmed" | "cancelled" | "noted"} Status */
/**
 * One thing that was said or done, in its place. `cursor` is `epoch:idx`, `at` is ISO 8601.
 * @typedef {{cursor: string, at: string, kind: "message", role: Role, content: string, modality?: "voice" | "text",
 *   interrupted?: boolean, heard?: string | null}} MessageEntry
 * @typedef {{cursor: string, at: string, kind: "call", id: string, name: string, arguments: string}} CallEntry
 * @typedef {{cursor: string, at: string, kind: "result", id: string, name: string, content: string, status: Status,
 *   duration_ms: number, goal_id?: string | null, task_id?: string | null}} ResultEntry
 * @typedef {{cursor: string, at: string, kind: "cut", of: string, heard: string}} CutEntry
 * @typedef {MessageEntry | CallEntry | ResultEntry | CutEntry} Entry
 */
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 * @typedef {{type: "Welcome", request_id: string}} Welcome
 * @typedef {{type: "BridgeReady", session_id: string, conversation_id: string, agent: string, cursor: string | null,
 *   resumed: boolean, recovered: boolean, resume_token: string}} BridgeReady
 * @typedef {{type: "BridgeEntry", entry: Entry}} BridgeEntry
 * @typedef {{type: "SettingsApplied"}} SettingsApplied
 * @typedef {{type: "ConversationText", role: Role, content: string, cursor?: string, at?: string,
 *   modality?: "voice" | "text"}} ConversationText
 * @typedef {{type: "UserStartedSpeaking"}} UserStartedSpeaking
 * @typedef {{type: "EndOfTurn"}} EndOfTurn
 * @typedef {{type: "AgentThinking"}} AgentThinking
 * @typedef {{type: "AgentAudioDone"}} AgentAudioDone
 * @typedef {{type: "AgentStartedSpeaking" | "LatencyReport", [stage: string]: unknown}} Latencies
 * @typedef {{type: "BridgePong", id: string}} BridgePong
 * @typedef {{type: "FunctionCallRequest", functions: {id: string, name: string, arguments: string}[],
 *   cursor?: string, at?: string}} FunctionCallRequest
 * @typedef {{type: "FunctionCallResponse", id: string, name: string, content: string, status?: Status,
 *   duration_ms?: number, cursor?: string, at?: string}} FunctionCallResponse
 * @typedef {{type: "BridgeCut", of: string, heard: string, cursor?: string, at?: string}} BridgeCut
 * @typedef {{type: "FunctionCallCancelled", functions: {id: string}[]}} FunctionCallCancelled
 * @typedef {{type: "Warning" | "Error", code: string, description: string}} Trouble
 * @typedef {Welcome | BridgeReady | BridgeEntry | SettingsApplied | ConversationText | UserStartedSpeaking | EndOfTurn |
 *   AgentThinking | AgentAudioDone | Latencies | BridgePong | FunctionCallRequest | FunctionCallResponse | FunctionCallCancelled | BridgeCut |
 *   Trouble} ServerMessage
 */
/** @typedef {{type: string, [key: string]: unknown}} ClientMessage */
/**
 * What `POST /api/v1/voice/session` answers.
 * @typedef {{session_id: string, conversation_id: string, websocket_url: string, token: string,
 *   agent: {name: string, title: string, greeting: string}, upstream: string, messages: Entry[]}} SessionAnswer
 */
/** Hz of what the page sends: linear16, one channel. */
export const INPUT_RATE: 16000;
/** Hz of what the page plays: linear16, one channel. */
export const OUTPUT_RATE: 24000;
/** The bridge restarts: come back. */
export const CLOSE_RESTART: 1012;
/** This end was too slow: come back. */
export const CLOSE_TOO_SLOW: 4410;
/** Over on purpose: do not come back. */
export const CLOSE_NORMAL: 1000;
export function injectUserMessage(content: string): ClientMessage;
export function playback(ms: number): ClientMessage;
export function ping(id: string): ClientMessage;
export function keepAlive(): ClientMessage;
export type Role = "user" | "assistant";
export type Status = "done" | "refused" | "failed" | "timed_out" | "unconfirmed" | "cancelled" | "noted";
/**
 * One thing that was said or done, in its place. `cursor` is `epoch:idx`, `at` is ISO 8601.
 */
export type MessageEntry = {
    cursor: string;
    at: string;
    kind: "message";
    role: Role;
    content: string;
    modality?: "voice" | "text";
    interrupted?: boolean;
    heard?: string | null;
};
/**
 * One thing that was said or done, in its place. `cursor` is `epoch:idx`, `at` is ISO 8601.
 */
export type CallEntry = {
    cursor: string;
    at: string;
    kind: "call";
    id: string;
    name: string;
    arguments: string;
};
/**
 * One thing that was said or done, in its place. `cursor` is `epoch:idx`, `at` is ISO 8601.
 */
export type ResultEntry = {
    cursor: string;
    at: string;
    kind: "result";
    id: string;
    name: string;
    content: string;
    status: Status;
    duration_ms: number;
    goal_id?: string | null;
    task_id?: string | null;
};
/**
 * One thing that was said or done, in its place. `cursor` is `epoch:idx`, `at` is ISO 8601.
 */
export type CutEntry = {
    cursor: string;
    at: string;
    kind: "cut";
    of: string;
    heard: string;
};
/**
 * One thing that was said or done, in its place. `cursor` is `epoch:idx`, `at` is ISO 8601.
 */
export type Entry = MessageEntry | CallEntry | ResultEntry | CutEntry;
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type Welcome = {
    type: "Welcome";
    request_id: string;
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type BridgeReady = {
    type: "BridgeReady";
    session_id: string;
    conversation_id: string;
    agent: string;
    cursor: string | null;
    resumed: boolean;
    recovered: boolean;
    resume_token: string;
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type BridgeEntry = {
    type: "BridgeEntry";
    entry: Entry;
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type SettingsApplied = {
    type: "SettingsApplied";
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type ConversationText = {
    type: "ConversationText";
    role: Role;
    content: string;
    cursor?: string;
    at?: string;
    modality?: "voice" | "text";
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type UserStartedSpeaking = {
    type: "UserStartedSpeaking";
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type EndOfTurn = {
    type: "EndOfTurn";
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type AgentThinking = {
    type: "AgentThinking";
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type AgentAudioDone = {
    type: "AgentAudioDone";
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type Latencies = {
    type: "AgentStartedSpeaking" | "LatencyReport";
    [stage: string]: unknown;
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type BridgePong = {
    type: "BridgePong";
    id: string;
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type FunctionCallRequest = {
    type: "FunctionCallRequest";
    functions: {
        id: string;
        name: string;
        arguments: string;
    }[];
    cursor?: string;
    at?: string;
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type FunctionCallResponse = {
    type: "FunctionCallResponse";
    id: string;
    name: string;
    content: string;
    status?: Status;
    duration_ms?: number;
    cursor?: string;
    at?: string;
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type BridgeCut = {
    type: "BridgeCut";
    of: string;
    heard: string;
    cursor?: string;
    at?: string;
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type FunctionCallCancelled = {
    type: "FunctionCallCancelled";
    functions: {
        id: string;
    }[];
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type Trouble = {
    type: "Warning" | "Error";
    code: string;
    description: string;
};
/**
 * What the bridge sends as text. Unknown types are allowed and mean nothing to the page.
 */
export type ServerMessage = Welcome | BridgeReady | BridgeEntry | SettingsApplied | ConversationText | UserStartedSpeaking | EndOfTurn | AgentThinking | AgentAudioDone | Latencies | BridgePong | FunctionCallRequest | FunctionCallResponse | FunctionCallCancelled | BridgeCut | Trouble;
export type ClientMessage = {
    type: string;
    [key: string]: unknown;
};
/**
 * What `POST /api/v1/voice/session` answers.
 */
export type SessionAnswer = {
    session_id: string;
    conversation_id: string;
    websocket_url: string;
    token: string;
    agent: {
        name: string;
        title: string;
        greeting: string;
    };
    upstream: string;
    messages: Entry[];
};
