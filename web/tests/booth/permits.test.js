/**
 * One voter's secrets and permits, against a gateway that answers late, refuses, or is gone.
 */

import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";

import { Kept } from "../../booth/kept.js";
import { Forgotten, Visitor } from "../../booth/visitor.js";
import { vector } from "../vectors.js";

const MINUTE_MS = 60_000;
const ELECTION = JSON.parse(vector.election).uuid;
const [FIRST, SECOND] = vector.voters;
const ANSWERS = { surname: "Nguyen" };
const PAGE = {
  election: vector.election,
  answers_key: "0900000000000000000000000000000000000000000000000000000000000000",
  keys: { votes: "00".repeat(32) },
  paper: JSON.parse(vector.election).questions.map(() => ({ texts: [], order: "listed" })),
};
const CHOICES = FIRST.choices;

const answer = (/** @type {number} */ status, /** @type {any} */ body = {}) => ({
  ...{ status, body, retryAfterSeconds: 0, sentAtMs: null },
});

let nowMs = 0;
beforeEach(() => {
  nowMs = 1_700_000_000_000;
});

/** A gateway whose answers can be changed, one door at a time. */
function gateway() {
  const asked = /** @type {any[]} */ ([]);
  const doors = /** @type {Record<string, (...given: any[]) => any>} */ ({
    election: () => answer(200, PAGE),
    begin: (credential) => answer(201, { session_id: "5".repeat(32), nonce: "6".repeat(64), credential }),
    prove: () => answer(200, { code_permit: { expires_at_ms: nowMs + 15 * MINUTE_MS } }),
    answer: () => answer(200, { permit: permit() }),
    state: () => answer(200, { state: "active", since_ms: 0 }),
    handIn: () => answer(202),
    known: () => answer(404, { code: "ballot_unknown" }),
  });
  const api = Object.fromEntries(
    Object.keys(doors).map((name) => [
      name,
      async (/** @type {any[]} */ ...given) => {
        asked.push([name, ...given]);
        return doors[name](...given);
      },
    ]),
  );
  return { api: Object.assign(api, { aheadMs: 0 }), doors, asked };
}

function permit() {
  return { ...{ election_id: ELECTION, right_id: "r", signature: "s" }, expires_at_ms: nowMs + 15 * MINUTE_MS };
}

function booth() {
  const { api, doors, asked } = gateway();
  const kept = new Kept(ELECTION, null);
  let steadyMs = 0;
  const visitor = new Visitor({
    electionId: ELECTION,
    fingerprint: vector.fingerprint,
    api: /** @type {any} */ (api),
    kept,
    clock: {
      nowMs: () => nowMs,
      steadyMs: () => steadyMs,
      sleep: async (milliseconds) => void (steadyMs += milliseconds),
    },
  });
  const times = (/** @type {string} */ name) => asked.filter(([door]) => door === name).length;
  return { visitor, doors, asked, kept, times };
}

async function sealed() {
  const made = booth();
  await made.visitor.enter(FIRST.code);
  nowMs += 6 * MINUTE_MS;
  await made.visitor.offer(ANSWERS);
  CHOICES.forEach((marks, at) => made.visitor.choose(at, chosen(at, marks)));
  await made.visitor.seal(() => true);
  return made;
}

/** @param {number} at @param {number[]} marks */
function chosen(at, marks) {
  const { blank } = JSON.parse(vector.election).questions[at];
  const own = blank ? marks.slice(1) : marks;
  return blank && marks[0] === 1 ? null : own.flatMap((mark, number) => (mark === 1 ? [number] : []));
}

describe("the end of a visit", () => {
  it("is that of the permit which ends first", async () => {
    const { visitor } = booth();
    assert.equal(visitor.endsAtMs, null);
    await visitor.enter(FIRST.code);
    const ends = visitor.endsAtMs;
    assert.equal(ends, nowMs + 15 * MINUTE_MS);
    nowMs += 6 * MINUTE_MS;
    await visitor.offer(ANSWERS);
    assert.equal(visitor.endsAtMs, ends);
  });

  for (const code of ["permit_refused", "code_permit_refused", "nonce_expired", "session_unknown"]) {
    it(`is put off where the code's state is asked for too late: ${code}`, async () => {
      const { visitor, doors, times } = await sealed();
      nowMs += 10 * MINUTE_MS;
      const late = answer(code === "session_unknown" ? 404 : 403, { code });
      const answers = [late, answer(200, { state: "active", since_ms: 0 })];
      doors.state = () => answers.shift();
      assert.equal(await visitor.state(), null);
      assert.equal(times("answer"), 2);
    });
  }

  it("gives the kept ballot the new permit too, which is used when it is handed in", async () => {
    const { visitor, kept, times, asked } = await sealed();
    nowMs += 8 * MINUTE_MS;
    await visitor.renew();
    assert.equal(kept.read()?.permit.expires_at_ms, nowMs + 15 * MINUTE_MS);
    nowMs += 8 * MINUTE_MS;
    await visitor.handIn(() => undefined);
    assert.equal(times("answer"), 2);
    assert.equal(asked.at(-1)?.[1].expires_at_ms, nowMs + 7 * MINUTE_MS);
  });

  it("offers refused answers no second time by itself, and spoils no ballot with an old permit", async () => {
    const { visitor, doors, times } = await sealed();
    doors.answer = () => answer(403, { code: "wrong_answers", remaining: 3 });
    nowMs += 20 * MINUTE_MS;
    const notes = /** @type {boolean[]} */ ([]);
    assert.equal(await visitor.handIn((mayBeOut) => notes.push(mayBeOut)), null);
    assert.deepEqual([times("answer"), times("handIn"), notes.at(-1)], [2, 0, false]);
    assert.equal(visitor.isLapsed, true);
  });

  it("hands in with an old permit only where it is told to: no other can be got", async () => {
    const { visitor, times } = await sealed();
    visitor.forget();
    nowMs += 20 * MINUTE_MS;
    assert.equal(await visitor.handIn(() => undefined), null);
    assert.equal(times("handIn"), 0);
    await visitor.handIn(() => undefined, true);
    assert.notEqual(times("handIn"), 0);
  });
});

describe("what was forgotten", () => {
  it("stays forgotten where the answer to the questions comes later", async () => {
    const { visitor, doors, kept } = booth();
    await visitor.enter(FIRST.code);
    const offered = visitor.offer(ANSWERS);
    visitor.forget();
    await assert.rejects(offered, Forgotten);
    assert.equal(visitor.endsAtMs, null);
    assert.equal(kept.read(), null);
    assert.equal(typeof doors.answer, "function");
  });

  it("is the first code where a second one is entered meanwhile: its session is the second's", async () => {
    const { visitor, asked } = booth();
    const first = visitor.enter(FIRST.code);
    const second = visitor.enter(SECOND.code);
    await assert.rejects(first, Forgotten);
    assert.equal(await second, null);
    const begun = asked.filter(([name]) => name === "begin").map(([, credential]) => credential);
    assert.equal(begun.at(-1), SECOND.credential);
  });

  it("stays forgotten where permits are renewed meanwhile", async () => {
    const { visitor } = await sealed();
    const renewing = visitor.renew();
    visitor.forget();
    await assert.rejects(renewing, Forgotten);
    assert.equal(visitor.endsAtMs, null);
  });

  it("isn't kept by a seal that was begun before", async () => {
    for (const why of ["visit", "ballot"]) {
      const { visitor, kept } = await sealed();
      kept.forget();
      const sealing = visitor.seal(() => why !== "ballot");
      if (why === "visit") visitor.forget();
      await assert.rejects(sealing, Forgotten);
      assert.equal(kept.read(), null);
    }
  });
});

describe("a ballot that is found", () => {
  it("may be out as long as the gateway couldn't be asked, also when it is handed in", async () => {
    const { visitor, doors } = await sealed();
    doors.known = () => null;
    assert.deepEqual(await visitor.askBallot(), { outcome: null, mayBeOut: true });
    doors.handIn = () => answer(503, { code: "unavailable" });
    const notes = /** @type {boolean[]} */ ([]);
    await visitor.handIn((mayBeOut) => notes.push(mayBeOut));
    assert.equal(notes.includes(false), false);
  });

  it("isn't where the gateway knows nothing of it, and nothing was sent from here", async () => {
    const { visitor } = await sealed();
    assert.deepEqual(await visitor.askBallot(), { outcome: null, mayBeOut: false });
  });
});
