/**
 * JSON read so that no two readers can differ about what it says.
 *
 * Promises that what is read equals its own compact re-serialisation, which refuses repeated fields,
 * white space and other spellings of texts and numbers, and that a record has the named fields and
 * no other. Trusts JSON.parse and JSON.stringify, whose spelling of texts is msgspec's and Belenios'.
 *
 * @module
 */

import { ProtocolError } from "./errors.js";
import { utf8 } from "./hash.js";

/**
 * Read JSON in its compact spelling; the order of fields is left to whoever reads them.
 *
 * @param {string} text
 * @param {number} maxBytes
 * @returns {unknown}
 * @throws {ProtocolError} too-large, malformed or not-canonical
 */
export function readCompact(text, maxBytes) {
  if (typeof text !== "string") throw new ProtocolError("malformed", "not a text");
  if (text.length > maxBytes || utf8(text).length > maxBytes) {
    throw new ProtocolError("too-large", `longer than ${maxBytes} bytes`);
  }
  const value = parsed(text);
  if (JSON.stringify(value) !== text) {
    throw new ProtocolError("not-canonical", "differs from its own compact serialisation");
  }
  return value;
}

/**
 * Return a value as a record that has all the required fields and none but the named ones.
 *
 * @param {unknown} value
 * @param {readonly string[]} required
 * @param {readonly string[]} [optional]
 * @returns {Record<string, unknown>}
 * @throws {ProtocolError} malformed
 */
export function record(value, required, optional = []) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong("a record");
  const names = Object.keys(value);
  const isKnown = names.every((name) => required.includes(name) || optional.includes(name));
  if (!isKnown || !required.every((name) => Object.hasOwn(value, name))) {
    throw wrong(`a record of ${required.join(", ")}`);
  }
  return /** @type {Record<string, unknown>} */ (value);
}

/**
 * Return a value as a list.
 *
 * @param {unknown} value
 * @returns {unknown[]}
 * @throws {ProtocolError} malformed
 */
export function list(value) {
  if (!Array.isArray(value)) throw wrong("a list");
  return value;
}

/**
 * Return a value as a text.
 *
 * @param {unknown} value
 * @returns {string}
 * @throws {ProtocolError} malformed
 */
export function text(value) {
  if (typeof value !== "string") throw wrong("a text");
  return value;
}

/**
 * Return a value as a whole number from zero.
 *
 * @param {unknown} value
 * @returns {number}
 * @throws {ProtocolError} malformed
 */
export function count(value) {
  if (!Number.isSafeInteger(value) || Object.is(value, -0) || Number(value) < 0) {
    throw wrong("a whole number");
  }
  return Number(value);
}

/** @param {string} raw */
function parsed(raw) {
  try {
    return JSON.parse(raw);
  } catch {
    throw new ProtocolError("malformed", "not JSON"); // the engine's words quote the content
  }
}

/** @param {string} what */
function wrong(what) {
  return new ProtocolError("malformed", `${what} is expected here`);
}
