/**
 * SHA-256 and the spellings of bytes that the protocol hashes and shows.
 *
 * Promises that texts are hashed as UTF-8 and that fingerprints and trackers are standard Base64
 * without padding. Trusts @noble/hashes.
 *
 * Source: Belenios 3.3 specification, "Conventions"; PROTOCOL trap 5.
 *
 * @module
 */

import { sha256 as sha256OfBytes } from "@noble/hashes/sha2.js";

const ENCODER = new TextEncoder();
const HEX = /^(?:[0-9a-f]{2})*$/;

/**
 * Return the UTF-8 bytes of a text.
 *
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function utf8(text) {
  return ENCODER.encode(text);
}

/**
 * Return SHA-256 of bytes, or of a text's UTF-8: 32 bytes.
 *
 * @param {Uint8Array | string} content
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function sha256(content) {
  return new Uint8Array(sha256OfBytes(typeof content === "string" ? utf8(content) : content));
}

/**
 * Return SHA-256 as 64 lower-case hex digits.
 *
 * @param {Uint8Array | string} content
 */
export function sha256Hex(content) {
  return writeHex(sha256(content));
}

/**
 * Return SHA-256 in standard Base64 without padding: Belenios' fingerprints and trackers.
 *
 * @param {Uint8Array | string} content
 */
export function digestBase64(content) {
  return writeBase64(sha256(content)).replace(/=+$/, "");
}

/**
 * Return bytes as lower-case hex digits.
 *
 * @param {Uint8Array} bytes
 */
export function writeHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Return the bytes of lower-case hex digits, or null for anything else.
 *
 * @param {unknown} text
 * @returns {Uint8Array<ArrayBuffer> | null}
 */
export function readHex(text) {
  if (typeof text !== "string" || !HEX.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(2 * at, 2 * at + 2), 16),
  );
}

/**
 * Return bytes in standard Base64 with padding.
 *
 * @param {Uint8Array} bytes
 */
export function writeBase64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/**
 * Return the bytes of padded standard Base64, or null for any other spelling (unused bits included).
 *
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer> | null}
 */
export function readBase64(text) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  // atob forgives white space, missing padding and unused bits: one spelling only is accepted here.
  if (btoa(binary) !== text) return null;
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
