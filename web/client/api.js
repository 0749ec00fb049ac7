// The bridge's REST interface: sessions, past conversations, goals and tasks.

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
  constructor(failure) {
    super(failure.code);
    this.failure = failure;
  }
}

/** What failed, whatever was thrown. @param {unknown} error @returns {Failure} */
export const failureIn = (error) => (error instanceof RequestFailed ? error.failure : NOT_REACHED);

/** @type {Failure} */
const NOT_REACHED = { status: 0, code: "UNREACHABLE", description: "", retryAfter: null };

/** @param {Response} answer @returns {Promise<Failure>} */
async function failureOf(answer) {
  const { error } = await answer.json().catch(() => ({}));
  const wait = Number.parseFloat(answer.headers.get("Retry-After") ?? "");
  return {
    status: answer.status,
    code: error?.code ?? `HTTP_${answer.status}`,
    description: error?.description ?? "",
    retryAfter: Number.isFinite(wait) ? wait : null,
  };
}

/** @param {string} id @returns {string} its path under /api/v1/ */
const pathOf = (id) => `conversations/${encodeURIComponent(id)}`;

/** Where the bridge is when nobody says so: where the page came from. */
function ownServer() {
  const address = globalThis.location?.href;
  if (!address) throw new TypeError("Outside of a page the client must be told its `server`.");
  return address;
}

/** Every request may reject with `RequestFailed`. */
export class Api {
  #fetch;
  #token;

  /** @param {{server?: string | URL, fetch?: typeof globalThis.fetch, token?: Token}} [options] */
  constructor({ server = ownServer(), fetch, token } = {}) {
    this.#token = token;
    /** Address of the bridge. */
    this.server = new URL(server);
    this.#fetch = fetch ?? ((/** @type {Parameters<typeof globalThis.fetch>} */ ...wish) => globalThis.fetch(...wish));
  }

  /**
   * @param {string} method
   * @param {string} path under /api/v1/
   * @param {{body?: object, signal?: AbortSignal}} [options]
   * @returns {Promise<any>} the answer's JSON
   */
  async #request(method, path, options) {
    const answer = await this.#answer(method, path, options);
    return answer.status === 204 ? null : answer.json();
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{body?: object, signal?: AbortSignal}} [options]
   */
  async #answer(method, path, { body, signal } = {}) {
    const token = this.#token ? await this.#token() : null; // without one it goes out at once: the page may be closing
    const headers = { ...(body && { "Content-Type": "application/json" }), ...(token && { Authorization: `Bearer ${token}` }) };
    const answer = await this.#fetch(new URL(`/api/v1/${path}`, this.server), {
      method, headers, body: body && JSON.stringify(body), signal: signal ?? AbortSignal.timeout(15_000), cache: "no-store",
      keepalive: method === "DELETE", // it may be the last thing the page does
    }).catch((error) => {
      throw signal?.aborted ? error : new RequestFailed(NOT_REACHED);
    });
    if (!answer.ok) throw new RequestFailed(await failureOf(answer));
    return answer;
  }

  /**
   * A new session; with a conversation's id, one that goes on with it.
   * @param {{agent: string | null, conversationId: string | null}} wish
   * @returns {Promise<SessionAnswer>}
   */
  startSession({ agent, conversationId }) {
    const body = {
      time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      ...(agent && { agent }),
      ...(conversationId && { conversation_id: conversationId }),
    };
    return this.#request("POST", "voice/session", { body });
  }

  /** How people prove who they are here, and who has. @returns {Promise<SignInState>} */
  signInState() {
    return this.#request("GET", "sign-in");
  }

  /**
   * Sign in by PIN: a browser keeps a cookie; with `keep: "token"` the answer has what `Options.token` is to give.
   * @param {string} name
   * @param {string} pin
   * @param {{keep?: "cookie" | "token"}} [options]
   * @returns {Promise<SignedIn>}
   */
  signIn(name, pin, { keep = "cookie" } = {}) {
    return this.#request("POST", "sign-in", { body: { name, pin, keep } });
  }

  /** Sign out here, or everywhere; what is open is closed. @param {{everywhere?: boolean}} [options] @returns {Promise<null>} */
  signOut({ everywhere = false } = {}) {
    return this.#request("POST", "sign-out", { body: { everywhere } });
  }

  /** Whether the server answers at all. @returns {Promise<boolean>} */
  reachable() {
    const options = { method: "HEAD", cache: /** @type {const} */ ("no-store"), signal: AbortSignal.timeout(5_000) };
    return this.#fetch(new URL("/live", this.server), options).then(() => true, () => false);
  }

  /**
   * Past conversations, newest first.
   * @param {{text?: string, after?: string | null, limit?: number, signal?: AbortSignal}} [wish]
   * @returns {Promise<Part<Conversation>>}
   */
  conversations({ text = "", after = null, limit = 30, signal } = {}) {
    const query = new URLSearchParams({ limit: String(limit), ...(text && { text }), ...(after && { after }) });
    return this.#request("GET", `conversations?${query}`, { signal });
  }

  /** @param {string} id @returns {Promise<Conversation>} */
  conversation(id) {
    return this.#request("GET", pathOf(id));
  }

  /** All entries of a conversation, oldest first. @param {string} id @returns {Promise<Entry[]>} */
  async entries(id) {
    /** @type {Entry[]} */
    const all = [];
    let after = "";
    do {
      const query = new URLSearchParams({ limit: "200", ...(after && { after }) });
      /** @type {Part<Entry>} */
      const part = await this.#request("GET", `${pathOf(id)}/messages?${query}`);
      all.push(...part.items);
      after = part.next ?? "";
    } while (after);
    return all;
  }

  /** @param {string} id @param {string} title @returns {Promise<Conversation>} */
  rename(id, title) {
    return this.#request("PATCH", pathOf(id), { body: { title } });
  }

  /** Delete a conversation. @param {string} id @returns {Promise<null>} */
  remove(id) {
    return this.#request("DELETE", pathOf(id));
  }

  /** A whole conversation as a file. @param {string} id @param {"json" | "markdown"} format @returns {Promise<Blob>} */
  async export(id, format) {
    const answer = await this.#answer("GET", `${pathOf(id)}/export?format=${format}`);
    return answer.blob().catch(() => {
      throw new RequestFailed(NOT_REACHED);
    });
  }

  /** @returns {Promise<{goals: Goal[], tasks: Task[]}>} */
  async planner() {
    const [goals, tasks] = await Promise.all([this.#request("GET", "goals"), this.#request("GET", "tasks")]);
    return { goals: goals.items, tasks: tasks.items };
  }
}
