// What a service worker has and a window has not; TypeScript knows only one of the two at a time.

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

interface InstallEvent extends ExtendableEvent {
  /** Not in every browser. */
  addRoutes?(rule: { condition: { urlPattern: URLPattern }; source: "network" }): Promise<void>;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  /** The tab that asks. */
  readonly clientId: string;
  /** The tab that a navigation will become; otherwise empty. */
  readonly resultingClientId: string;
  respondWith(answer: Promise<Response>): void;
}

declare function skipWaiting(): Promise<void>;
