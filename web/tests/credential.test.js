/** Credentials and the proof of a code: the same as Python's, and nothing odd is bound. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { derive, fromSecret } from "../protocol/credential.js";
import { hashToScalar, multiplyPublic, GENERATOR, ORDER, readPoint, readScalar, writePoint } from "../protocol/group.js";
import { prove } from "../protocol/proof-of-code.js";
import { readElection } from "../protocol/election.js";
import { refuses, vector } from "./vectors.js";

const { uuid } = readElection(vector.election);

test("the same code gives Python's credential, however it is typed", async () => {
  for (const voter of vector.voters) {
    for (const typed of [voter.code, voter.printed.toLowerCase()]) {
      const credential = await derive(typed, uuid);
      assert.equal(credential.publicCredential, voter.credential);
      assert.equal(credential.secret, BigInt(voter.private));
    }
  }
});

test("another election gives another credential", async () => {
  const { code, credential } = vector.voters[0];
  assert.notEqual((await derive(code, `${uuid}x`)).publicCredential, credential);
});

test("a mistyped code derives nothing", async () => {
  await assert.rejects(derive("1", uuid), { code: "too_short" });
});

test("a secret lies between 1 and the order", () => {
  for (const secret of [0n, -1n, ORDER, ORDER + 1n]) refuses(() => fromSecret(secret), "invalid-scalar");
  assert.equal(fromSecret(1n).publicCredential, writePoint(GENERATOR));
});

test("a proof of a code holds for its session and nonce, as Python's does", () => {
  const { code_proof: theirs, credential: publicCredential, private: secret } = vector.voters[0];
  const { session_id: session, nonce } = theirs;
  assert.ok(holds(publicCredential, session, nonce, theirs));
  const credential = { publicCredential, secret: BigInt(secret) };
  const ours = prove(credential, uuid, session, nonce);
  assert.ok(holds(publicCredential, session, nonce, ours));
  assert.ok(!holds(publicCredential, session, `${nonce}0`, ours));
  assert.notDeepEqual(prove(credential, uuid, session, nonce), ours);
});

test("nothing is bound that could be read in two ways", () => {
  const credential = fromSecret(5n);
  for (const odd of ["", "a|b", "a b", "é", "a\n", "a".repeat(129), null]) {
    const bound = /** @type {string} */ (odd);
    refuses(() => prove(credential, bound, "s", "n"), "invalid-binding");
    refuses(() => prove(credential, uuid, bound, "n"), "invalid-binding");
    refuses(() => prove(credential, uuid, "s", bound), "invalid-binding");
  }
});

/**
 * @param {string} credential
 * @param {string} session
 * @param {string} nonce
 * @param {{challenge: string, response: string}} proof
 */
function holds(credential, session, nonce, proof) {
  const [challenge, response] = [readScalar(proof.challenge), readScalar(proof.response)];
  const commitment = multiplyPublic(GENERATOR, response).add(
    multiplyPublic(readPoint(credential), challenge),
  );
  const bound = `castonce-code|${uuid}|${session}|${nonce}|${credential}|`;
  return hashToScalar(bound + writePoint(commitment)) === challenge;
}
