/** @typedef {import("./protocol.js").Entry} Entry */
/** @typedef {import("./protocol.js").SessionAnswer} SessionAnswer */
/** @typedef {import("./types.js").Failure} Failure */
/**
 * A conversation in the list; times are ISO 8601.
 * @typedef {{id: string, agent: string, title: string, started_at: string, last_activity_at: string,
 *   ended_at: string | null, duration_seconds: number, message_count: number, linked_goal_id: string | null,
 *   linked_task_id: string | null, extracted_intent: string | null}} Conversation
 * @typedef {{id: string, statement: string, timeline: string, due_at: string | null, status: string,
 *   created_at: string}} Goal
 * @typedef {{id: string, title: string, trigger_type: string, scheduled_at: string | null,
 *   recurrence_rule: string | null, location_trigger: string | null, previous_time: string | null, status: string,
 *   created_at: string}} Task
 */
/**
 * A part of a list; `next` fetches the next part.
 * @template T
 * @typedef {{items: T[], next: string | null}} Part
 */
/**
 * How people prove who they are, and who has; `sign_in_url`: where, if elsewhere.
 * @typedef {{method: "none" | "pin" | "jwt", user_id: string | null, sign_in_url: string | null}} SignInState
 * @typedef {{user_id: string, expires_at: string, token: string | null}} SignedIn
 */
/** Gives the credential for a request; null = none is needed. @typedef {() => string | null | Promise<string | null>} Token */
/** The bridge said no, or was not reached (`failure.status` 0). */
export class RequestFailed extends Error {
    /** @param {Failure} failure */
    constructor(failure: Failure);
    failure: import("./types.js").Failure;
}
export function failureIn(error: unknown): Failure;
/** Every request may reject with `RequestFailed`. */
export class Api {
    /** @param {{server?: string | URL, fetch?: typeof globalThis.fetch, token?: Token}} [options] */
    constructor({ server, fetch, token }?: {
        server?: string | URL;
        fetch?: typeof globalThis.fetch;
        token?: Token;
    });
    /** Address of the bridge. */
    server: URL;
    /**
     * A new session; with a conversation's id, one that goes on with it.
     * @param {{agent: string | null, conversationId: string | null}} wish
     * @returns {Promise<SessionAnswer>}
     */
    startSession({ agent, conversationId }: {
        agent: string | null;
        conversationId: string | null;
    }): Promise<SessionAnswer>;
    /** How people prove who they are here, and who has. @returns {Promise<SignInState>} */
    signInState(): Promise<SignInState>;
    /**
     * Sign in by PIN: a browser keeps a cookie; with `keep: "token"` the answer has what `Options.token` is to give.
     * @param {string} name
     * @param {string} pin
     * @param {{keep?: "cookie" | "token"}} [options]
     * @returns {Promise<SignedIn>}
     */
    signIn(name: string, pin: string, { keep }?: {
        keep?: "cookie" | "token";
    }): Promise<SignedIn>;
    /** Sign out here, or everywhere; what is open is closed. @param {{everywhere?: boolean}} [options] @returns {Promise<null>} */
    signOut({ everywhere }?: {
        everywhere?: boolean;
    }): Promise<null>;
    /** Whether the server answers at all. @returns {Promise<boolean>} */
    reachable(): Promise<boolean>;
    /**
     * Past conversations, newest first.
     * @param {{text?: string, after?: string | null, limit?: number, signal?: AbortSignal}} [wish]
     * @returns {Promise<Part<Conversation>>}
     */
    conversations({ text, after, limit, signal }?: {
        text?: string;
        after?: string | null;
        limit?: number;
        signal?: AbortSignal;
    }): Promise<Part<Conversation>>;
    /** @param {string} id @returns {Promise<Conversation>} */
    conversation(id: string): Promise<Conversation>;
    /** All entries of a conversation, oldest first. @param {string} id @returns {Promise<Entry[]>} */
    entries(id: string): Promise<Entry[]>;
    /** @param {string} id @param {string} title @returns {Promise<Conversation>} */
    rename(id: string, title: string): Promise<Conversation>;
    /** Delete a conversation. @param {string} id @returns {Promise<null>} */
    remove(id: string): Promise<null>;
    /** A whole conversation as a file. @param {string} id @param {"json" | "markdown"} format @returns {Promise<Blob>} */
    export(id: string, format: "json" | "markdown"): Promise<Blob>;
    /** @returns {Promise<{goals: Goal[], tasks: Task[]}>} */
    planner(): Promise<{
        goals: Goal[];
        tasks: Task[];
    }>;
    #private;
}
export type Entry = import("./protocol.js").Entry;
export type SessionAnswer = import("./protocol.js").SessionAnswer;
export type Failure = import("./types.js").Failure;
/**
 * A conversation in the list; times are ISO 8601.
 */
export type Conversation = {
    id: string;
    agent: string;
    title: string;
    started_at: string;
    last_activity_at: string;
    ended_at: string | null;
    duration_seconds: number;
    message_count: number;
    linked_goal_id: string | null;
    linked_task_id: string | null;
    extracted_intent: string | null;
};
/**
 * A conversation in the list; times are ISO 8601.
 */
export type Goal = {
    id: string;
    statement: string;
    timeline: string;
    due_at: string | null;
    status: string;
    created_at: string;
};
/**
 * A conversation in the list; times are ISO 8601.
 */
export type Task = {
    id: string;
    title: string;
    trigger_type: string;
    scheduled_at: string | null;
    recurrence_rule: string | null;
    location_trigger: string | null;
    previous_time: string | null;
    status: string;
    created_at: string;
};
/**
 * A part of a list; `next` fetches the next part.
 */
export type Part<T> = {
    items: T[];
    next: string | null;
};
/**
 * How people prove who they are, and who has; `sign_in_url`: where, if elsewhere.
 */
export type SignInState = {
    method: "none" | "pin" | "jwt";
    user_id: string | null;
    sign_in_url: string | null;
};
/**
 * How people prove who they are, and who has; `sign_in_url`: where, if elsewhere.
 */
export type SignedIn = {
    user_id: string;
    expires_at: string;
    token: string | null;
};
/**
 * Gives the credential for a request; null = none is needed.
 */
export type Token = () => string | null | Promise<string | null>;
