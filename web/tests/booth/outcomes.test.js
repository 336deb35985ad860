/**
 * What the gateway's answers say of a ballot: never "not cast" of one that may still arrive.
 */

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { describe, it } from "node:test";

import {
  BALLOT_REASONS,
  ballotOutcome,
  mayBeHandedOver,
  refusal,
  stateOutcome,
} from "../../booth/outcomes.js";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const VOTES_KEY = publicKey.export({ format: "der", type: "spki" }).subarray(-32).toString("hex");
const ELECTION = "11111111111111";
const TRACKER = "A".repeat(43);
const BALLOT = { electionId: ELECTION, tracker: TRACKER, votesKey: VOTES_KEY };

/** @param {number} status @param {any} [body] */
function answer(status, body = {}) {
  return { status, body, retryAfterSeconds: 0, sentAtMs: null };
}

/** @param {object} [changed] */
function receipt(changed = {}) {
  const told = { election_id: ELECTION, tracker: TRACKER, recorded_at_ms: 1_700_000_000_000 };
  const text = `castonce-receipt-v1|${ELECTION}|${TRACKER}|${told.recorded_at_ms}`;
  const signature = sign(null, Buffer.from(text), privateKey).toString("hex");
  return { ...told, signature, ...changed };
}

describe("whether a ballot may be on its way", () => {
  it("may be, where the answer is lost or says nothing of it", () => {
    for (const one of [null, answer(202), answer(500), answer(502), answer(503), answer(408)]) {
      assert.equal(mayBeHandedOver(one), true);
    }
    assert.equal(mayBeHandedOver(answer(503, { code: "no_answer" })), true);
  });

  it("isn't, where the gateway itself says that it took nothing", () => {
    for (const one of [answer(503, { code: "unavailable" }), answer(429), answer(403), answer(409)]) {
      assert.equal(mayBeHandedOver(one), false);
    }
  });
});

describe("what an answer says of a ballot", () => {
  it("is accepted with a receipt that votes signed for this very ballot", () => {
    const outcome = ballotOutcome(answer(201, { receipt: receipt() }), BALLOT, true);
    assert.deepEqual(outcome, { kind: "accepted", receipt: receipt(), atMs: 1_700_000_000_000 });
  });

  it("is doubtful with any other receipt, or none", () => {
    const others = [
      receipt({ tracker: "B".repeat(43) }),
      receipt({ election_id: "22222222222222" }),
      receipt({ recorded_at_ms: 1 }),
      receipt({ recorded_at_ms: "soon" }),
      receipt({ signature: Buffer.alloc(64).toString("hex") }),
      null,
      undefined,
      "receipt",
    ];
    for (const one of others) {
      const outcome = ballotOutcome(answer(201, { receipt: one }), BALLOT, true);
      assert.deepEqual(outcome, { kind: "receipt-doubtful" });
    }
  });

  it("keeps nothing of what stands beside the receipt", () => {
    const told = answer(200, { receipt: receipt({ more: "x" }) });
    assert.deepEqual(ballotOutcome(told, BALLOT, true)?.receipt, receipt());
  });

  it("is nothing yet where it must be handed in again", () => {
    for (const one of [null, answer(202), answer(404), answer(408), answer(429), answer(503)]) {
      assert.equal(ballotOutcome(one, BALLOT, true), null);
      assert.equal(ballotOutcome(one, BALLOT, false), null);
    }
  });

  it("is nothing where a copy may be out and the refusal isn't one that the API documents", () => {
    for (const one of [answer(403, { code: "blocked_by_proxy" }), answer(409), answer(400), answer(413)]) {
      assert.equal(ballotOutcome(one, BALLOT, true), null);
    }
  });

  it("is refused at once where no copy is out", () => {
    assert.equal(ballotOutcome(answer(413, { code: "too_large" }), BALLOT, false)?.kind, "refused");
  });

  it("is nothing where somebody between the page and the gateway refuses: the ballot stays", () => {
    for (const one of [answer(403), answer(413, "<html>"), answer(403, { code: "blocked_by_proxy" })]) {
      assert.equal(ballotOutcome(one, BALLOT, false), null);
    }
  });

  for (const reason of BALLOT_REASONS) {
    it(`ends at the reason of votes, even of a ballot that may be out: ${reason}`, () => {
      const outcome = ballotOutcome(answer(409, { code: reason, first_at_ms: 5 }), BALLOT, true);
      assert.equal(outcome?.atMs, 5);
      assert.notEqual(outcome?.kind, "accepted");
    });
  }
});

describe("a refusal", () => {
  it("has the kind of its code, with when and how many attempts are left", () => {
    const told = answer(403, { code: "wrong_answers", remaining: 3 });
    assert.deepEqual(refusal(told), {
      ...{ kind: "wrong-answers", remaining: 3, atMs: 0, code: "wrong_answers" },
    });
    const late = refusal(answer(409, { code: "already_voted_by_post", first_at_ms: 9 }));
    assert.equal(late.kind, "post-received");
    assert.equal(late.atMs, 9);
  });

  it("is one for the helpline where its code is none that we know, or no text", () => {
    assert.equal(refusal(answer(409, { code: "toString" })).kind, "refused");
    assert.deepEqual(refusal(answer(418, { code: 7 })).code, "HTTP 418");
    assert.equal(refusal(answer(500, "text")).kind, "refused");
  });
});

it("tells the state of a code, and nothing of one that may be used", () => {
  assert.equal(stateOutcome(answer(200, { state: "active", since_ms: 0 })), null);
  for (const [state, kind] of [
    ["spent", "already-voted"],
    ["blocked", "post-received"],
    ["revoked", "post-received"],
    ["replaced", "replaced"],
    ["withdrawn", "withdrawn"],
    ["hasOwnProperty", "refused"],
  ]) {
    assert.equal(stateOutcome(answer(200, { state, since_ms: 4 }))?.kind, kind);
  }
});
