/**
 * The zero-knowledge proofs: that a secret is known, and that a ciphertext holds an allowed number.
 *
 * Promises that each function returns only if the proof holds for exactly the statement that it is
 * given; else it throws a Fault. The points that it is given as ladders are elements of the group.
 *
 * Source: Belenios 3.3 specification, "Verification keys", "Signatures", "Proofs of interval
 * membership", "Proofs of possibly-blank votes", "Partial decryptions".
 *
 * @module
 */

import { hashToScalar, readScalar, reduce } from "../protocol/group.js";
import { demand } from "./faults.js";
import { Ladder, timesGenerator, writePoints } from "./ladder.js";
import { record } from "./strict-json.js";

/** @typedef {import("./ladder.js").FixedBase} FixedBase */
/** @typedef {import("./strict-json.js").Json} Json */
/** @typedef {{challenge: bigint, response: bigint}} Proof */
/**
 * A pair (α, β), and its spelling `α,β` in hashes.
 *
 * @typedef {{alpha: Ladder, beta: Ladder, spelled: string}} Ciphertext
 */
/** That a ciphertext holds a number. @typedef {{ciphertext: Ciphertext, number: number}} Claim */

/**
 * Return a proof from its JSON form.
 *
 * @param {Json | undefined} value
 * @returns {Proof}
 */
export function readProof(value) {
  const fields = record(value, "challenge", "response");
  return { challenge: readScalar(fields.challenge), response: readScalar(fields.response) };
}

/**
 * Return a ciphertext from its JSON form; the identity is allowed in both places.
 *
 * @param {Json | undefined} value
 * @returns {Ciphertext}
 */
export function readCiphertext(value) {
  const fields = record(value, "alpha", "beta");
  const [alpha, beta] = [Ladder.read(fields.alpha), Ladder.read(fields.beta)];
  return { alpha, beta, spelled: `${fields.alpha},${fields.beta}` };
}

/**
 * Return the ciphertext that holds the sum of what one or more hold.
 *
 * @param {Ciphertext[]} ciphertexts
 * @returns {Ciphertext}
 */
export function combine(ciphertexts) {
  const alpha = ciphertexts.map((one) => one.alpha).reduce((sum, one) => sum.plus(one));
  const beta = ciphertexts.map((one) => one.beta).reduce((sum, one) => sum.plus(one));
  return { alpha, beta, spelled: writePoints([alpha.point, beta.point]).join(",") };
}

/**
 * The maker knows the private part of `key`; `before` is the hashed text up to A.
 *
 * @param {Ladder} key
 * @param {Proof} proof
 * @param {string} before
 */
export function demandKnowledge(key, { challenge, response }, before) {
  const commitment = timesGenerator(response).add(key.times(challenge));
  const expected = hashToScalar(before + writePoints([commitment]).join());
  demand(expected === challenge, "proof-refused");
}

/**
 * One of the claims is true under the election's key; `before` is the hashed text up to A0.
 *
 * @param {FixedBase} key
 * @param {Claim[]} claims
 * @param {Proof[]} proofs
 * @param {string} before
 */
export function demandOneOf(key, claims, proofs, before) {
  const commitments = claims.flatMap((claim, at) => {
    const proof = proofs[at];
    return proof ? commitmentsOf(key, claim, proof) : [];
  });
  const expected = hashToScalar(before + writePoints(commitments).join(","));
  const total = reduce(proofs.reduce((sum, proof) => sum + proof.challenge, 0n));
  const isWhole = proofs.length === claims.length;
  demand(isWhole && expected === total, "proof-refused");
}

/**
 * The factor is α times the private part of the key.
 *
 * @param {{text: string, ladder: Ladder}} key
 * @param {Ladder} alpha
 * @param {Ladder} factor
 * @param {Proof} proof
 * @param {string} fingerprint
 */
export function demandDecryption(key, alpha, factor, { challenge, response }, fingerprint) {
  const first = timesGenerator(response).add(key.ladder.times(challenge));
  const second = alpha.times(response).add(factor.times(challenge));
  const before = `decrypt|${fingerprint}|${key.text}|`;
  const expected = hashToScalar(before + writePoints([first, second]).join(","));
  demand(expected === challenge, "proof-refused");
}

/**
 * A = g·response + α·challenge, B = y·response + (β - g·number)·challenge.
 *
 * @param {FixedBase} key
 * @param {Claim} claim
 * @param {Proof} proof
 */
function commitmentsOf(key, { ciphertext: { alpha, beta }, number }, { challenge, response }) {
  const held = key.times(response).add(beta.times(challenge));
  return [
    timesGenerator(response).add(alpha.times(challenge)),
    number === 0 ? held : held.subtract(timesGenerator(challenge * BigInt(number))),
  ];
}
