/**
 * Ed25519 signatures of the services, of the board and of witnesses.
 *
 * Promises `true` only if exactly these bytes were signed by exactly this key. Trusts @noble/curves,
 * which refuses keys of small order, other spellings of points, and responses above the order.
 *
 * Source: RFC 8032, section 5.1.7.
 *
 * @module
 */

import { eddsa } from "@noble/curves/abstract/edwards.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { Ed25519 } from "./group.js";

export const KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

const signatures = eddsa(Ed25519, sha512, { zip215: false });

/**
 * Return whether the holder of a key signed a content.
 *
 * @param {Uint8Array} key  32 bytes
 * @param {Uint8Array} content
 * @param {Uint8Array} signature  64 bytes
 */
export function isSigned(key, content, signature) {
  const haveSizes = key.length === KEY_BYTES && signature.length === SIGNATURE_BYTES;
  return haveSizes && signatures.verify(signature, content, key);
}
