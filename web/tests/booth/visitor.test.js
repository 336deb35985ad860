/**
 * The voter's secrets and permits: renewed in time, dropped when they should be, and always the same
 * ballot under whatever permit.
 */

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { describe, it } from "node:test";

import { GatewayAway } from "../../booth/api.js";
import { Kept } from "../../booth/kept.js";
import { OtherBallot, OtherElection, Visitor } from "../../booth/visitor.js";
import { trackerOf } from "../../protocol/ballot.js";
import { vector } from "../vectors.js";

const ELECTION = JSON.parse(vector.election).uuid;
const CODE = vector.voters[0].code;
const ANSWERS = { postcode: "AB1 2CD" };
const NOW_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;

const votes = generateKeyPairSync("ed25519");
const identity = generateKeyPairSync("x25519");
const hexOf = (/** @type {import("node:crypto").KeyObject} */ key) =>
  key.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");

/** A gateway that obliges, with what it was asked for and a clock of its own. */
class Gateway {
  nowMs = NOW_MS;
  rightId = "r".repeat(32);
  aheadMs = 0;
  isAway = false;
  state_ = "active";
  sessions = 0;
  /** @type {Set<string>} */
  ended = new Set();
  /** @type {any[]} */
  handedIn = [];
  /** @type {any[]} */
  attempts = [];
  /** @type {any[]} */
  said = [];
  /** @type {((permit: any, ballot: string) => any)} */
  onBallot = (_permit, ballot) => this.receipt(ballot);

  async election() {
    const keys = { votes: hexOf(votes.publicKey) };
    const paper = JSON.parse(vector.election).questions.map(() => ({ texts: [], order: "listed" }));
    const body = { election: vector.election, paper, answers_key: hexOf(identity.publicKey), keys };
    return answer(200, body);
  }
  async begin() {
    if (this.isAway) throw new GatewayAway("away");
    this.sessions += 1;
    return answer(201, { session_id: `s${this.sessions}`, nonce: "ab".repeat(32) });
  }
  async prove(/** @type {string} */ id) {
    const permit = { session_id: id, nonce: "ab".repeat(32), expires_at_ms: this.nowMs + 15 * MINUTE_MS };
    return answer(200, { code_permit: permit });
  }
  async answer(/** @type {string} */ id, /** @type {any} */ body) {
    this.attempts.push(body);
    if (this.ended.has(id)) return answer(404, { code: "session_unknown" });
    return answer(200, { permit: this.permit() });
  }
  async state(/** @type {string} */ id) {
    if (this.ended.has(id)) return answer(404, { code: "session_unknown" });
    return answer(200, { state: this.state_, since_ms: 7 });
  }
  async nothingPosted(/** @type {string} */ id, /** @type {any} */ permits) {
    this.said.push([id, permits]);
    return answer(200, { noted_at_ms: 8 });
  }
  async handIn(/** @type {any} */ permit, /** @type {string} */ ballot) {
    this.handedIn.push({ permit, ballot });
    return this.onBallot(permit, ballot);
  }
  async known() {
    return answer(404, { code: "ballot_unknown" });
  }
  permit() {
    const ends = { expires_at_ms: this.nowMs + 15 * MINUTE_MS, signature: `p${this.attempts.length}` };
    return { election_id: ELECTION, right_id: this.rightId, ...ends };
  }
  receipt(/** @type {string} */ ballot) {
    const told = { election_id: ELECTION, tracker: trackerOf(ballot), recorded_at_ms: this.nowMs };
    const text = `castonce-receipt-v1|${told.election_id}|${told.tracker}|${told.recorded_at_ms}`;
    const signature = sign(null, Buffer.from(text), votes.privateKey).toString("hex");
    return answer(201, { receipt: { ...told, signature } });
  }
}

/** @param {number} status @param {any} [body] */
function answer(status, body = {}) {
  return { status, body, retryAfterSeconds: 0, sentAtMs: null };
}

function visit(kept = new Kept(ELECTION, null)) {
  const gateway = new Gateway();
  const clock = {
    nowMs: () => gateway.nowMs,
    steadyMs: () => gateway.nowMs,
    sleep: async (/** @type {number} */ milliseconds) => void (gateway.nowMs += milliseconds),
  };
  const api = /** @type {any} */ (gateway);
  const given = { electionId: ELECTION, fingerprint: vector.fingerprint, api, kept, clock };
  return { gateway, kept, visitor: new Visitor(given), given };
}

async function sealed() {
  const made = visit();
  assert.equal(await made.visitor.enter(CODE), null);
  assert.deepEqual(await made.visitor.offer(ANSWERS), { refused: null, state: null });
  vector.voters[0].choices.forEach((marks, question) => {
    const isBlank = JSON.parse(vector.election).questions[question].blank;
    const chosen = isBlank ? marks.slice(1) : marks;
    const choice = isBlank && marks[0] === 1 ? null : chosen.flatMap((mark, at) => (mark ? [at] : []));
    made.visitor.choose(question, choice);
  });
  return { ...made, ...(await made.visitor.seal()) };
}

const nothing = () => undefined;

describe("a visit", () => {
  it("keeps the sealed ballot before a copy goes out, and ends with its receipt", async () => {
    const { visitor, kept, tracker, gateway } = await sealed();
    assert.equal(trackerOf(kept.read()?.ballot ?? ""), tracker);
    assert.equal(kept.read()?.mayBeOut, false);
    gateway.onBallot = (_, ballot) => {
      assert.equal(kept.read()?.mayBeOut, true);
      return gateway.receipt(ballot);
    };
    const outcome = await visitor.handIn(nothing);
    assert.equal(outcome?.kind, "accepted");
    assert.equal(outcome?.receipt?.tracker, tracker);
  });

  it("believes no election but the one whose fingerprint the page shows", async () => {
    const { given } = visit();
    const other = new Visitor({ ...given, fingerprint: "A".repeat(43) });
    await assert.rejects(other.enter(CODE), OtherElection);
  });

  it("offers each attempt under an id of its own, and the same answers again on a new session", async () => {
    const { visitor, gateway } = visit();
    await visitor.enter(CODE);
    gateway.ended.add("s1");
    assert.deepEqual(await visitor.offer(ANSWERS), { refused: null, state: null });
    const ids = gateway.attempts.map((body) => body.attempt_id);
    assert.equal(new Set(ids).size, 2);
    assert.equal(gateway.sessions, 2);
    assert.deepEqual(new Set(gateway.attempts.map((body) => body.sealed_answers.length)), new Set([1432]));
  });

  it("knows when it ends, by this device's clock", async () => {
    const { visitor, gateway } = visit();
    assert.equal(visitor.endsAtMs, null);
    await visitor.enter(CODE);
    gateway.aheadMs = 5 * MINUTE_MS;
    assert.equal(visitor.endsAtMs, NOW_MS + 10 * MINUTE_MS);
  });

  it("is renewed without anything being typed again", async () => {
    const { visitor, gateway } = await sealed();
    gateway.nowMs += 14 * MINUTE_MS;
    assert.equal(await visitor.renew(), null);
    assert.equal(visitor.endsAtMs, gateway.nowMs + 15 * MINUTE_MS);
  });

  it("drops everything when it is forgotten", async () => {
    const { visitor } = await sealed();
    visitor.forget();
    assert.deepEqual(visitor.choices, []);
    assert.equal(visitor.endsAtMs, null);
    await assert.rejects(visitor.seal());
    await assert.rejects(visitor.renew());
    assert.throws(() => visitor.open());
  });

  it("opens a ballot once, and none that was handed in", async () => {
    const audited = await sealed();
    assert.equal(trackerOf(audited.visitor.open().ballot), audited.tracker);
    assert.throws(() => audited.visitor.open());
    const cast = await sealed();
    await cast.visitor.handIn(nothing);
    assert.throws(() => cast.visitor.open());
  });
});

describe("a ballot whose permit ends", () => {
  it("goes with a new permit, and is the same ballot", async () => {
    const { visitor, gateway, tracker } = await sealed();
    gateway.nowMs += 16 * MINUTE_MS;
    await visitor.handIn(nothing);
    const [{ permit, ballot }] = gateway.handedIn;
    assert.ok(permit.expires_at_ms > gateway.nowMs);
    assert.equal(trackerOf(ballot), tracker);
  });

  it("isn't handed in with the old one while no new one can be had", async () => {
    const { visitor, gateway } = await sealed();
    gateway.nowMs += 16 * MINUTE_MS;
    gateway.isAway = true;
    const notes = /** @type {boolean[]} */ ([]);
    assert.equal(await visitor.handIn((mayBeOut) => notes.push(mayBeOut)), null);
    assert.deepEqual(gateway.handedIn, []);
    assert.equal(notes.at(-1), false);
  });

  it("stays the same ballot through lost answers and a permit that ends meanwhile", async () => {
    const { visitor, gateway } = await sealed();
    gateway.onBallot = (_, ballot) => {
      gateway.nowMs += 5 * MINUTE_MS;
      return gateway.handedIn.length < 2 ? null : gateway.receipt(ballot);
    };
    assert.equal(await visitor.handIn(nothing), null); // patience is a minute
    assert.equal((await visitor.handIn(nothing))?.kind, "accepted");
    assert.equal(new Set(gateway.handedIn.map(({ ballot }) => ballot)).size, 1);
  });

  it("gets the new permit of a later visit, if it is of the same right", async () => {
    const first = await sealed();
    const later = visit(first.kept);
    await later.visitor.enter(CODE);
    await later.visitor.offer(ANSWERS);
    const outcome = await later.visitor.handIn(nothing);
    assert.equal(outcome?.kind, "accepted");
    assert.equal(trackerOf(later.gateway.handedIn[0].ballot), first.tracker);

    const stranger = visit((await sealed()).kept);
    stranger.gateway.rightId = "o".repeat(32);
    await stranger.visitor.enter(CODE);
    await assert.rejects(stranger.visitor.offer(ANSWERS), OtherBallot);
    assert.deepEqual(stranger.gateway.handedIn, []);
  });
});

describe("a postal receipt", () => {
  it("leaves the voter both permits for one word to officials, and no key", async () => {
    const { visitor, gateway } = visit();
    gateway.state_ = "revoked";
    await visitor.enter(CODE);
    assert.equal((await visitor.offer(ANSWERS)).state?.kind, "post-received");
    visitor.forget();
    assert.equal(visitor.canSayNothingPosted, true);
    assert.equal(await visitor.sayNothingPosted(), true);
    assert.equal(gateway.said[0][0], "s1");
    await assert.rejects(visitor.renew());
  });

  it("is all that gives that word: nobody else has it", async () => {
    const { visitor } = await sealed();
    assert.equal(visitor.canSayNothingPosted, false);
  });
});
