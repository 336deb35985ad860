/**
 * The answers to the security questions, sealed to identity's key.
 *
 * Promises a libsodium sealed box of one length whatever the answers, bound to the code permit's nonce
 * and the attempt. Must never keep the key that it makes for it. Trusts @noble's X25519, BLAKE2b and
 * XSalsa20-Poly1305.
 *
 * Source: libsodium, "Sealed boxes"; DESIGN section 6; Python's `services/identity/domain/sealed.py`.
 *
 * @module
 */

import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { montgomery } from "@noble/curves/abstract/montgomery.js";
import { blake2b } from "@noble/hashes/blake2.js";
import { ProtocolError } from "./errors.js";
import { Ed25519, PRIME } from "./group.js";
import { readHex, utf8, writeBase64 } from "./hash.js";

/** Sealed answers are padded to this length, so that their length says nothing. */
export const ANSWERS_BYTES = 1024;
const KEY_BYTES = 32;
const NONCE_BYTES = 24;

const X25519 = montgomery({
  P: PRIME,
  type: "x25519",
  powPminus2: (x) => Ed25519.Fp.pow(x, PRIME - 2n),
  adjustScalarBytes: clamped,
});

/**
 * Return Base64 of the answers, with nonce and attempt id, padded and sealed to identity's key.
 *
 * @param {{nonce: string, attemptId: string, answers: Record<string, string>}} content
 * @param {string} answersKeyHex  64 hex digits
 * @returns {string}
 * @throws {ProtocolError} answers-too-long or invalid-key
 */
export function sealAnswers({ nonce, attemptId, answers }, answersKeyHex) {
  const plain = utf8(JSON.stringify({ nonce, attempt_id: attemptId, answers }));
  if (plain.length > ANSWERS_BYTES) {
    throw new ProtocolError("answers-too-long", `more than ${ANSWERS_BYTES} bytes`);
  }
  const padded = new Uint8Array(ANSWERS_BYTES).fill(0x20);
  padded.set(plain);
  return writeBase64(sealedBox(padded, answersKey(answersKeyHex)));
}

/**
 * RFC 7748, section 5: a multiple of eight, of which the highest bit is known.
 *
 * @param {Uint8Array} bytes
 */
function clamped(bytes) {
  bytes[0] &= 0b1111_1000;
  bytes[31] &= 0b0111_1111;
  bytes[31] |= 0b0100_0000;
  return bytes;
}

/**
 * @param {Uint8Array} plain
 * @param {Uint8Array} recipient
 */
function sealedBox(plain, recipient) {
  const secret = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const sender = X25519.getPublicKey(secret);
  const nonce = blake2b(joined(sender, recipient), { dkLen: NONCE_BYTES });
  const key = boxKey(secret, recipient);
  return joined(sender, xsalsa20poly1305(key, nonce).encrypt(plain));
}

/**
 * @param {Uint8Array} secret
 * @param {Uint8Array} recipient
 */
function boxKey(secret, recipient) {
  const shared = sharedSecret(secret, recipient);
  const key = new Uint8Array(KEY_BYTES);
  const sigma = words(utf8("expand 32-byte k"));
  hsalsa(sigma, words(shared), new Uint32Array(4), words(key));
  return key;
}

/**
 * @param {Uint8Array} secret
 * @param {Uint8Array} recipient
 */
function sharedSecret(secret, recipient) {
  try {
    return X25519.getSharedSecret(secret, recipient);
  } catch {
    throw new ProtocolError("invalid-key", "identity's key is of small order");
  }
}

/** @param {string} hex */
function answersKey(hex) {
  const key = readHex(hex);
  if (key?.length !== KEY_BYTES) throw new ProtocolError("invalid-key", "64 hex digits are needed");
  return key;
}

/** @param {Uint8Array} bytes */
function words(bytes) {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

/**
 * @param {Uint8Array} first
 * @param {Uint8Array} second
 */
function joined(first, second) {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
