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

/**
 * @param {string} method
 * @param {string} path under /api/v1/
 * @param {{body?: object, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
async function request(method, path, { body, signal } = {}) {
  const headers = body ? { "Content-Type": "application/json" } : undefined;
  const answer = await fetch(new URL(`/api/v1/${path}`, location.href), {
    method, headers, body: body && JSON.stringify(body), signal: signal ?? AbortSignal.timeout(15_000), cache: "no-store",
    keepalive: method === "DELETE", // it may be the last thing the page does
  }).catch((error) => {
    throw signal?.aborted ? error : new RequestFailed(NOT_REACHED);
  });
  if (!answer.ok) throw new RequestFailed(await failureOf(answer));
  return answer.status === 204 ? null : answer.json();
}

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

/**
 * @param {{agent: string | null, conversationId: string | null}} wish
 * @returns {Promise<SessionAnswer>}
 */
export function startSession({ agent, conversationId }) {
  const body = {
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(agent && { agent }),
    ...(conversationId && { conversation_id: conversationId }),
  };
  return request("POST", "voice/session", { body });
}

/** Whether the server answers at all. @returns {Promise<boolean>} */
export async function reachable() {
  const options = /** @type {const} */ ({ method: "HEAD", cache: "no-store" });
  return fetch(new URL("/live", location.href), { ...options, signal: AbortSignal.timeout(5_000) })
    .then(() => true, () => false);
}

/**
 * @param {{text?: string, after?: string | null, limit?: number, signal?: AbortSignal}} [wish]
 * @returns {Promise<Part<Conversation>>}
 */
export function conversations({ text = "", after = null, limit = 30, signal } = {}) {
  const query = new URLSearchParams({ limit: String(limit), ...(text && { text }), ...(after && { after }) });
  return request("GET", `conversations?${query}`, { signal });
}

/** @param {string} id @returns {string} its path under /api/v1/ */
const pathOf = (id) => `conversations/${encodeURIComponent(id)}`;

/** @param {string} id @returns {Promise<Conversation>} */
export const conversation = (id) => request("GET", pathOf(id));

/** All entries of a conversation, oldest first. @param {string} id @returns {Promise<Entry[]>} */
export async function entries(id) {
  /** @type {Entry[]} */
  const all = [];
  let after = "";
  do {
    const query = new URLSearchParams({ limit: "200", ...(after && { after }) });
    /** @type {Part<Entry>} */
    const part = await request("GET", `${pathOf(id)}/messages?${query}`);
    all.push(...part.items);
    after = part.next ?? "";
  } while (after);
  return all;
}

/** @param {string} id @param {string} title @returns {Promise<Conversation>} */
export const rename = (id, title) => request("PATCH", pathOf(id), { body: { title } });

/** @param {string} id */
export const remove = (id) => request("DELETE", pathOf(id));

/** @param {string} id @param {"json" | "markdown"} format */
export const exportAddress = (id, format) => `/api/v1/${pathOf(id)}/export?format=${format}`;

/** @returns {Promise<{goals: Goal[], tasks: Task[]}>} */
export async function planner() {
  const [goals, tasks] = await Promise.all([request("GET", "goals"), request("GET", "tasks")]);
  return { goals: goals.items, tasks: tasks.items };
}
