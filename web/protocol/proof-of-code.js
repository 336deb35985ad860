/**
 * The proof that a voter holds the code behind a public credential.
 *
 * Promises that a proof is worth something in one election, one session and for one nonce only, and
 * that it can't be mistaken for a ballot's signature (the prefix differs). Must never reveal the
 * private credential. Trusts `codes` to have made the nonce and to use it once.
 *
 * Source: DESIGN section 6: Schnorr over `castonce-code|ELECTION|SESSION|NONCE|CREDENTIAL|A`.
 *
 * @module
 */

import { ProtocolError } from "./errors.js";
import { proveKnowledge } from "./proofs.js";

// No vertical bar: it separates what is hashed.
const BINDING = /^[0-9A-Za-z_.:=+/-]{1,128}$/;

/**
 * Return the proof for one session and nonce.
 *
 * @param {import("./credential.js").Credential} credential
 * @param {string} electionId
 * @param {string} sessionId
 * @param {string} nonce
 * @returns {import("./proofs.js").Proof}
 * @throws {ProtocolError} invalid-binding
 */
export function prove(credential, electionId, sessionId, nonce) {
  const bound = [electionId, sessionId, nonce];
  if (!bound.every((text) => typeof text === "string" && BINDING.test(text))) {
    throw new ProtocolError("invalid-binding", "1 to 128 letters, digits or _.:=+/- are allowed");
  }
  const prefix = `castonce-code|${bound.join("|")}|${credential.publicCredential}|`;
  return proveKnowledge(credential.secret, prefix);
}
