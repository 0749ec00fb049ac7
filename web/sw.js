// The service worker: keeps the page's own files, so that it opens without a network. Nothing that was said is kept here.

/** Names the way files are kept, not a release: what the server has newly is taken at once. */
const CACHE = "page-1";
const PAGE = new URL("./", location.href).href;
/** What index.html does not name: the worklets are fetched by the first talk. */
const WORKLETS = ["capture", "playback", "resampler", "ring"].map((name) => `client/worklets/${name}.js`);
const STATIC = /\.(css|js|png|svg|webmanifest)$/;
/** Tabs whose page came from here; the rest of it does too, so that no two releases meet. @type {Set<string>} */
const withoutNetwork = new Set();

addEventListener("install", (given) => {
  const event = /** @type {InstallEvent} */ (given);
  // What the page asks the bridge goes there directly, where the browser can: so does what is asked while the page closes.
  for (const path of event.addRoutes ? ["api", "v1"] : []) {
    const rule = { condition: { urlPattern: new URLPattern(`${path}/*`, PAGE) }, source: "network" };
    event.waitUntil(event.addRoutes(rule));
  }
  event.waitUntil(keepAll().then(() => skipWaiting()));
});

addEventListener("activate", (given) => {
  const event = /** @type {ExtendableEvent} */ (given);
  event.waitUntil(dropOthers());
});

addEventListener("fetch", (given) => {
  const event = /** @type {FetchEvent} */ (given);
  const key = keyOf(event.request);
  if (key !== null) event.respondWith(answer(event, key));
});

/** All files of the page: those that index.html names, and the worklets. */
async function keepAll() {
  const cache = await caches.open(CACHE);
  const html = await (await fetch(PAGE)).text();
  const named = Array.from(html.matchAll(/<(?:link|script)[^>]* (?:href|src)="([^"]+)"/g), ([, file]) => file);
  await cache.addAll([PAGE, ...new Set([...named, ...WORKLETS])]);
}

async function dropOthers() {
  const others = (await caches.keys()).filter((name) => name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

/** What it is kept under; null: not a file of the page. @param {Request} request */
function keyOf({ method, mode, url }) {
  const address = url.split(/[?#]/)[0];
  if (method !== "GET" || !address.startsWith(PAGE)) return null;
  if (mode === "navigate") return address === PAGE ? PAGE : null;
  const path = address.slice(PAGE.length);
  return STATIC.test(path) && !/^(api|v1)\//.test(path) ? address : null;
}

/** From the server; from here when it is not there. @param {FetchEvent} event @param {string} key @returns {Promise<Response>} */
async function answer({ request, clientId, resultingClientId }, key) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(key);
  if (kept && withoutNetwork.has(clientId)) return kept;
  const fresh = await fetch(request).catch(() => Response.error());
  if (fresh.ok) await cache.put(key, fresh.clone());
  const away = fresh.type === "error" || fresh.status >= 500;
  if (!away || !kept) return fresh;
  withoutNetwork.add(resultingClientId);
  return kept;
}
