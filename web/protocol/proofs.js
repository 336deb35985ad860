/**
 * Zero-knowledge proofs: Schnorr's, and "one of these ciphertexts encrypts zero".
 *
 * Promises proofs that Python's `ballots/proofs.py` and belenios-tool accept, bound to the prefix
 * that the caller gives; for the same number of alternatives the same number of multiplications,
 * whichever is true. Trusts the callers' prefixes to be distinct.
 *
 * Everything that Belenios proves about an answer is one form: for one j of several ciphertexts,
 * (α_j, β_j) = (g^r, y^r). Intervals, blank votes and totals differ in their lists and prefixes only.
 *
 * Source: Belenios 3.3 specification, "Proofs of interval membership", "Proofs of possibly-blank
 * votes", "Signatures".
 *
 * @module
 */

import { ProtocolError } from "./errors.js";
import {
  hashToScalar,
  multiply,
  multiplyBase,
  multiplyBaseEvenly,
  randomScalar,
  reduce,
  writePoint,
  writeScalar,
} from "./group.js";

/** @typedef {import("./group.js").Point} Point */
/** @typedef {{challenge: string, response: string}} Proof  decimal strings below the order */
/** @typedef {{randomness: bigint, plaintext: bigint}} Opening  what its maker knows of a ciphertext */

/**
 * Return a Schnorr proof of the discrete logarithm; the commitment follows the prefix.
 *
 * @param {bigint} secret
 * @param {string} prefix
 * @returns {Proof}
 */
export function proveKnowledge(secret, prefix) {
  const nonce = randomScalar();
  const challenge = hashToScalar(prefix + writePoint(multiplyBase(nonce)));
  return proof(challenge, nonce - secret * challenge);
}

/**
 * Return proofs, one per ciphertext, that the first with plaintext zero is among them.
 *
 * The others are simulated: knowing the openings, they need multiplications by g and y only.
 *
 * @param {Point} key
 * @param {string} prefix
 * @param {Opening[]} openings
 * @returns {Proof[]}
 * @throws {ProtocolError} proof-refused: none of the plaintexts is zero
 */
export function proveOneIsZero(key, prefix, openings) {
  const trueIndex = openings.findIndex(({ plaintext }) => plaintext === 0n);
  const real = openings[trueIndex];
  if (real === undefined) throw new ProtocolError("proof-refused", "nothing true to prove");
  const nonce = randomScalar();
  const simulated = openings.map(() => ({ challenge: randomScalar(), response: randomScalar() }));
  const commitments = openings.flatMap((opening, index) =>
    index === trueIndex
      ? [multiplyBase(nonce), multiply(key, nonce)]
      : simulate(key, opening, simulated[index]),
  );
  const others = simulated.reduce(
    (sum, { challenge }, index) => (index === trueIndex ? sum : sum + challenge),
    0n,
  );
  const challenge = reduce(hashToScalar(prefix + commitments.map(writePoint).join(",")) - others);
  simulated[trueIndex] = { challenge, response: nonce - real.randomness * challenge };
  return simulated.map((one) => proof(one.challenge, one.response));
}

/**
 * @param {Point} key
 * @param {Opening} opening
 * @param {{challenge: bigint, response: bigint}} chosen
 * @returns {Point[]}
 */
function simulate(key, opening, { challenge, response }) {
  const exponent = response + opening.randomness * challenge;
  const shift = multiplyBaseEvenly(opening.plaintext * challenge);
  return [multiplyBase(exponent), multiply(key, exponent).add(shift)];
}

/**
 * @param {bigint} challenge
 * @param {bigint} response
 * @returns {Proof}
 */
function proof(challenge, response) {
  return { challenge: writeScalar(challenge), response: writeScalar(response) };
}
