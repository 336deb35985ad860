/**
 * The group Ed25519 in Belenios' notation, computed by @noble/curves.
 *
 * Promises that `readPoint` and `readPointOrIdentity` return elements of the prime-order group in
 * their only spelling, and `readScalar` numbers below the order in theirs; that multiplying by zero
 * or the identity gives the identity instead of an exception. Must never decode a point without
 * checking it. Trusts @noble/curves' arithmetic, and the browser's `crypto.getRandomValues`.
 *
 * The curve is built from its equation here rather than imported as `ed25519.js`: that module loads
 * four protocols more (34 kB compressed) which no ballot needs. A test compares the two.
 *
 * Source: Belenios 3.3 specification, "Basic types" and "Groups / Ed25519"; RFC 8032, section 5.1.
 *
 * @module
 */

import { edwards } from "@noble/curves/abstract/edwards.js";
import { ProtocolError } from "./errors.js";
import { readHex, sha256, writeHex } from "./hash.js";

/** @typedef {import("@noble/curves/abstract/edwards.js").EdwardsPoint} Point */

export const PRIME = 2n ** 255n - 19n;
export const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

export const Ed25519 = edwards({
  p: PRIME,
  n: ORDER,
  h: 8n,
  a: PRIME - 1n,
  d: 0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3n,
  Gx: 0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51an,
  Gy: 0x6666666666666666666666666666666666666666666666666666666666666658n,
});

/** @type {Point} */
export const GENERATOR = Ed25519.BASE;
/** @type {Point} */
export const IDENTITY = Ed25519.ZERO;

const POINT = /^[0-9a-f]{64}$/;
const SCALAR = /^(?:0|[1-9][0-9]{0,75})$/;

/**
 * Read an element of the prime-order group other than the identity from 64 lower-case hex digits.
 *
 * @param {unknown} text
 * @returns {Point}
 * @throws {ProtocolError} invalid-point
 */
export function readPoint(text) {
  const point = readPointOrIdentity(text);
  if (point.is0()) throw new ProtocolError("invalid-point", "the identity may not stand here");
  return point;
}

/**
 * Read any element of the prime-order group, the identity included.
 *
 * Refuses other spellings, points off the curve, and those with a part of small order.
 *
 * @param {unknown} text
 * @returns {Point}
 * @throws {ProtocolError} invalid-point
 */
export function readPointOrIdentity(text) {
  const point = decode(text);
  if (point === null || !point.isTorsionFree()) {
    throw new ProtocolError("invalid-point", "not a canonical element of the prime-order group");
  }
  return point;
}

/**
 * Write a point as 64 lower-case hex digits: the compressed encoding byte-reversed.
 *
 * @param {Point} point
 */
export function writePoint(point) {
  return writeHex(point.toBytes().reverse());
}

/**
 * Read a scalar below the group order from decimal digits without leading zeros.
 *
 * @param {unknown} text
 * @throws {ProtocolError} invalid-scalar
 */
export function readScalar(text) {
  const scalar = typeof text === "string" && SCALAR.test(text) ? BigInt(text) : ORDER;
  if (scalar >= ORDER) {
    throw new ProtocolError("invalid-scalar", "not a decimal number below the group order");
  }
  return scalar;
}

/**
 * Write a scalar, reduced modulo the group order, as Belenios' decimal string.
 *
 * @param {bigint} scalar
 */
export function writeScalar(scalar) {
  return reduce(scalar).toString();
}

/**
 * Return a number between zero and the group order that is congruent to the scalar.
 *
 * @param {bigint} scalar
 */
export function reduce(scalar) {
  const rest = scalar % ORDER;
  return rest < 0n ? rest + ORDER : rest;
}

/**
 * Return scalar·point in a time that doesn't depend on the scalar: for secret ones.
 *
 * @param {Point} point
 * @param {bigint} scalar
 * @returns {Point}
 */
export function multiply(point, scalar) {
  const rest = reduce(scalar);
  if (rest === 0n || point.is0()) return IDENTITY;
  return point.multiply(rest);
}

/**
 * Return scalar·point, faster, in a time that tells about the scalar: for public ones only.
 *
 * @param {Point} point
 * @param {bigint} scalar
 * @returns {Point}
 */
export function multiplyPublic(point, scalar) {
  return point.multiplyUnsafe(reduce(scalar));
}

/**
 * Return scalar·g from a table that is made once; zero gives the identity.
 *
 * @param {bigint} scalar
 * @returns {Point}
 */
export function multiplyBase(scalar) {
  return multiply(GENERATOR, scalar);
}

/**
 * Return scalar·g in the same number of steps for zero too: for what a vote may be.
 *
 * @param {bigint} scalar
 * @returns {Point}
 */
export function multiplyBaseEvenly(scalar) {
  return multiplyBase(scalar + 1n).subtract(GENERATOR);
}

/**
 * Return SHA-256 of the text, read big-endian, modulo the group order.
 *
 * @param {string} text
 */
export function hashToScalar(text) {
  return reduce(bigEndian(sha256(text)));
}

/**
 * Return a uniform scalar from 64 random bytes (so that the reduction has no bias).
 */
export function randomScalar() {
  return reduce(bigEndian(crypto.getRandomValues(new Uint8Array(64))));
}

/**
 * Return the number that bytes spell big-endian.
 *
 * @param {Uint8Array} bytes
 */
export function bigEndian(bytes) {
  return BigInt(`0x${writeHex(bytes)}`);
}

/**
 * @param {unknown} text
 * @returns {Point | null}
 */
function decode(text) {
  const bytes = typeof text === "string" && POINT.test(text) ? readHex(text) : null;
  if (bytes === null) return null;
  try {
    return Ed25519.fromBytes(bytes.reverse());
  } catch {
    return null; // off the curve, or not the canonical spelling
  }
}
