/**
 * The last step under every fault of the way: the same ballot again, and the truth about it.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { Api, GatewayAway, TRIES } from "../../booth/api.js";
import { handedIn, PATIENCE_MS } from "../../booth/handing-in.js";

const BALLOT = { electionId: "11111111111111", tracker: "T", votesKey: "00".repeat(32) };
const LOST = null;
const SHUT = { status: 503, body: { code: "unavailable" }, retryAfterSeconds: 2, sentAtMs: null };
const UNKNOWN = { status: 202, body: {}, retryAfterSeconds: 0, sentAtMs: null };
const REFUSED = { status: 409, body: { code: "closed" }, retryAfterSeconds: 0, sentAtMs: null };

/**
 * @param {any[]} answers
 * @param {boolean} [mayBeOut]
 * @param {number} [requests]  how many may be made; any number where it isn't given
 */
async function told(answers, mayBeOut = false, requests = undefined) {
  const notes = /** @type {boolean[]} */ ([]);
  const pauses = /** @type {number[]} */ ([]);
  let nowMs = 0;
  const outcome = await handedIn(BALLOT, mayBeOut, {
    mayHandIn: () => requests === undefined || requests-- > 0,
    handIn: async () => answers.shift() ?? UNKNOWN,
    note: (mayBeOutNow) => notes.push(mayBeOutNow),
    sleep: async (milliseconds) => {
      pauses.push(milliseconds);
      nowMs += milliseconds;
    },
    nowMs: () => nowMs,
  });
  return { outcome, notes, pauses, nowMs };
}

describe("handing in", () => {
  it("notes that the ballot may be out before it goes out", async () => {
    const { notes } = await told([REFUSED]);
    assert.deepEqual(notes, [true, false]);
  });

  it("takes that back only where the gateway says that it took nothing", async () => {
    const { notes, outcome } = await told([SHUT, LOST, SHUT, REFUSED]);
    assert.deepEqual(notes, [true, false, true, true, true, true, true, true]);
    assert.equal(outcome?.kind, "closed");
  });

  it("never takes it back of a ballot that may have been out before", async () => {
    const { notes } = await told([SHUT, REFUSED], true);
    assert.equal(notes.includes(false), false);
  });

  it("makes no request that would spoil the ballot, and notes nothing of it", async () => {
    const none = await told([REFUSED], false, 0);
    assert.deepEqual([none.outcome, none.notes], [null, []]);
    const one = await told([SHUT, REFUSED], false, 1);
    assert.deepEqual([one.outcome, one.notes], [null, [true, false]]);
  });

  it("waits as long as it is asked to, and longer from time to time", async () => {
    const { pauses } = await told([SHUT, LOST, LOST, LOST, REFUSED]);
    assert.deepEqual(pauses, [2_000, 400, 800, 1_600]);
  });

  it("ends without an outcome when its patience is over, saying what is true", async () => {
    const { outcome, notes, nowMs } = await told([]);
    assert.equal(outcome, null);
    assert.equal(notes.at(-1), true);
    assert.ok(nowMs >= PATIENCE_MS && nowMs < PATIENCE_MS + 10_000);
    const shut = await told(new Array(200).fill(SHUT));
    assert.equal(shut.outcome, null);
    assert.equal(shut.notes.at(-1), false);
  });
});

/** @param {(path: string, init: any) => any} respond @param {boolean} [isOffline] */
function api(respond, isOffline = false) {
  const asked = /** @type {{path: string, init: any}[]} */ ([]);
  const made = new Api("11111111111111", {
    fetch: async (path, init) => {
      asked.push({ path: String(path), init });
      return respond(String(path), init);
    },
    sleep: async () => undefined,
    isOffline: () => isOffline,
  });
  return { made, asked };
}

const json = (/** @type {any} */ body, status = 200, headers = {}) =>
  new Response(JSON.stringify(body), { status, headers });

describe("the API", () => {
  it("asks again after lost answers and polite refusals, and gives up after a while", async () => {
    const answers = [() => Promise.reject(new TypeError("cut")), () => json({}, 503), () => json({ a: 1 })];
    const { made, asked } = api(() => answers[asked.length - 1]());
    assert.deepEqual((await made.election()).body, { a: 1 });
    const away = api(() => Promise.reject(new TypeError("cut")));
    await assert.rejects(away.made.election(), GatewayAway);
    assert.equal(away.asked.length, TRIES);
  });

  it("tells at once where the device says that it is offline", async () => {
    const { made, asked } = api(() => Promise.reject(new TypeError("cut")), true);
    await assert.rejects(made.election(), GatewayAway);
    assert.equal(asked.length, 1);
  });

  it("hands a ballot in once, byte for byte, with no cookie and to its own origin", async () => {
    const permit = { signature: "s", right_id: "r", election_id: "e", expires_at_ms: 5, more: 1 };
    const { made, asked } = api(() => json({}, 202));
    const answer = await made.handIn(permit, '{"b": 1e0}');
    assert.equal(answer?.status, 202);
    assert.equal(asked.length, 1);
    const [{ path, init }] = asked;
    assert.equal(path, "/api/elections/11111111111111/ballots");
    const spelt = '{"election_id":"e","right_id":"r","expires_at_ms":5,"signature":"s"}';
    assert.equal(init.body, `{"permit":${spelt},"ballot":{"b": 1e0}}`);
    assert.deepEqual([init.credentials, init.redirect, init.cache], ["omit", "manual", "no-store"]);
  });

  it("tells a lost answer from one that is no JSON", async () => {
    const lost = api(() => Promise.reject(new TypeError("cut")));
    assert.equal(await lost.made.handIn(/** @type {any} */ ({}), "{}"), null);
    const proxy = api(() => new Response("<html>", { status: 502 }));
    const answer = await proxy.made.handIn(/** @type {any} */ ({}), "{}");
    assert.deepEqual([answer?.status, answer?.body], [502, {}]);
  });

  it("reads how long to wait, and by how much the server's clock is ahead", async () => {
    const ahead = new Date(Date.now() + 3_600_000).toUTCString();
    const { made } = api(() => json({}, 503, { "Retry-After": "7", Date: ahead }));
    const answer = await made.handIn(/** @type {any} */ ({}), "{}");
    assert.equal(answer?.retryAfterSeconds, 7);
    assert.ok(Math.abs(made.aheadMs - 3_600_000) < 5_000);
    const odd = api(() => json({}, 503, { "Retry-After": "-1", Date: "soon" }));
    assert.equal((await odd.made.handIn(/** @type {any} */ ({}), "{}"))?.retryAfterSeconds, 0);
  });
});
