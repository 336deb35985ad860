/**
 * The credential: the key pair that a voting code stands for in one election.
 *
 * Promises the same pair as Python's `ballots/credentials.py`. Must never send or store the secret:
 * whoever calls this keeps it in one closure. Trusts the code's 95 bits (the 1,000 rounds only follow
 * Belenios) and WebCrypto.
 *
 * Source: DESIGN section 6.
 *
 * @module
 */

import { readCode } from "./code.js";
import { ProtocolError } from "./errors.js";
import { bigEndian, multiplyBase, reduce, writePoint } from "./group.js";
import { utf8 } from "./hash.js";

/** @typedef {{publicCredential: string, secret: bigint}} Credential */

const ROUNDS = 1_000;
const SECRET_BITS = 256;

/**
 * Return the credential of a voting code in one election.
 *
 * PBKDF2-HMAC-SHA256 over the canonical code with the election's id as salt, 32 bytes read
 * big-endian, modulo the group order.
 *
 * @param {string} code
 * @param {string} electionId
 * @returns {Promise<Credential>}
 * @throws {import("./errors.js").CodeRefused}
 */
export async function derive(code, electionId) {
  const typed = utf8(readCode(code));
  const material = await crypto.subtle.importKey("raw", typed, "PBKDF2", false, ["deriveBits"]);
  const derived = await crypto.subtle.deriveBits(
    { name: "PBKDF2", hash: "SHA-256", salt: utf8(electionId), iterations: ROUNDS },
    material,
    SECRET_BITS,
  );
  return fromSecret(reduce(bigEndian(new Uint8Array(derived))));
}

/**
 * Return the pair of a private exponent.
 *
 * @param {bigint} secret  between 1 and the group order
 * @returns {Credential}
 * @throws {ProtocolError} invalid-scalar
 */
export function fromSecret(secret) {
  if (secret === 0n || secret !== reduce(secret)) {
    throw new ProtocolError("invalid-scalar", "a private credential is between 1 and the order");
  }
  return { publicCredential: writePoint(multiplyBase(secret)), secret };
}
