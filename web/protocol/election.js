/**
 * The election as Belenios defines it: what voters, trustees and verifiers all hash.
 *
 * Promises that the fingerprint is the hash of the text as it came, and that an election that is read
 * can be voted on. Must never re-serialise an election to hash it. Trusts nobody: the public key is
 * checked to be in the group.
 *
 * Source: Belenios 3.3 specification, "Questions" (homomorphic), "Elections".
 *
 * @module
 */

import { ProtocolError } from "./errors.js";
import { readPoint } from "./group.js";
import { digestBase64 } from "./hash.js";
import { count, list, readCompact, record, text } from "./strict-json.js";

/**
 * @typedef {object} Question  choose `min` to `max` of `answers`, or blank where it is allowed
 * @property {string} question
 * @property {string[]} answers
 * @property {boolean} blank
 * @property {number} min
 * @property {number} max
 */

/**
 * @typedef {object} Election
 * @property {string} uuid
 * @property {string} name
 * @property {string} description
 * @property {Question[]} questions
 * @property {string} publicKey
 * @property {import("./group.js").Point} key
 * @property {string} fingerprint  SHA-256 of the text, Base64 without padding
 * @property {string} text  as it came
 */

export const MAX_ELECTION_BYTES = 1_000_000;
const UUID = /^[1-9A-HJ-NP-Za-km-z]{14,32}$/;
const FIELDS = ["version", "description", "name", "group", "public_key", "questions", "uuid"];
// A table of this window costs as much as three multiplications without one, and a ballot needs ten
// or more: measured in web/README.md.
const KEY_WINDOW_BITS = 4;

/**
 * Read an election's stored text, in compact JSON.
 *
 * @param {string} raw
 * @returns {Election}
 * @throws {ProtocolError} too-large, malformed, not-canonical, invalid-election or invalid-point
 */
export function readElection(raw) {
  const value = readCompact(raw, MAX_ELECTION_BYTES);
  const fields = record(value, FIELDS, ["administrator", "credential_authority"]);
  if (fields.version !== 1 || fields.group !== "Ed25519") {
    throw new ProtocolError("invalid-election", "only version 1 with group Ed25519 is understood");
  }
  for (const name of [fields.administrator, fields.credential_authority]) {
    if (name !== undefined && name !== null) text(name);
  }
  const questions = list(fields.questions).map(readQuestion);
  if (questions.length === 0) throw new ProtocolError("invalid-election", "a question is needed");
  const uuid = text(fields.uuid);
  if (!UUID.test(uuid)) throw new ProtocolError("malformed", "14 to 32 Base58 characters expected");
  return {
    uuid,
    name: text(fields.name),
    description: text(fields.description),
    questions,
    publicKey: text(fields.public_key),
    key: readPoint(fields.public_key).precompute(KEY_WINDOW_BITS),
    fingerprint: digestBase64(raw),
    text: raw,
  };
}

/**
 * Return the number of ciphertexts in an answer: one per candidate, and a leading blank slot.
 *
 * @param {Question} question
 */
export function slotsOf(question) {
  return question.answers.length + (question.blank ? 1 : 0);
}

/**
 * @param {unknown} value
 * @returns {Question}
 */
function readQuestion(value) {
  const fields = record(value, ["answers", "min", "max", "question"], ["blank"]);
  const { blank = false } = fields;
  if (typeof blank !== "boolean") throw new ProtocolError("malformed", "true or false is expected");
  const answers = list(fields.answers).map(text);
  const [min, max] = [count(fields.min), count(fields.max)];
  if (min > max || max > answers.length || max === 0) {
    throw new ProtocolError("invalid-election", "0 <= min <= max <= answers, and max above 0");
  }
  return { question: text(fields.question), answers, blank, min, max };
}
