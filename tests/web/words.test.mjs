// What the page says: why a sign-in was refused, and when it may be tried again.

import assert from "node:assert/strict";
import { test } from "node:test";

import { signInTrouble } from "../../web/words.js";

const NOON = new Date(2026, 10, 21, 12, 0, 30);
const words = (code, { status = 401, retryAfter = null, description = "" } = {}) =>
  signInTrouble({ code, status, description, retryAfter }, NOON);

test("a wrong PIN is told without saying which of the two was wrong", () => {
  assert.equal(words("BRIDGE_WRONG_PIN"), "The name or the PIN is wrong.");
});

test("a wait is told in seconds, a long one by the clock, never too early", () => {
  assert.match(words("BRIDGE_LOCKED_OUT", { status: 429, retryAfter: 29.2 }), /^Locked: .* Try again in 30 seconds\.$/);
  assert.match(words("BRIDGE_TOO_MANY_TRIES", { status: 429, retryAfter: 600 }), / Try again at 12:11/);
});

test("other troubles have words too", () => {
  assert.match(words("UNREACHABLE", { status: 0 }), /cannot be reached/);
  assert.match(words("BRIDGE_USER_LOCKED"), /Ask whoever runs this server/);
  assert.equal(words("BRIDGE_UNAVAILABLE", { status: 503, retryAfter: 2, description: "Too many are signing in." }),
    "Too many are signing in. Try again in 2 seconds.");
  assert.equal(words("HTTP_418", { status: 418 }), "That did not work.");
});
