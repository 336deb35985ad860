/**
 * The declaration as a document: its one spelling, its fields, its signature.
 *
 * Promises that every field that the format names is there, of its kind, in its place, and no other,
 * and that the service that the board's setup names signed exactly these bytes. What the fields say is
 * compared with the recount in `declared.js`.
 *
 * @module
 */

import { utf8 } from "../protocol/hash.js";
import { isSigned } from "../protocol/signature.js";
import { Fault, demand } from "./faults.js";
import { readHexOf } from "./states.js";
import { array, decode, digest, natural, readCompactText, record, text } from "./strict-json.js";

/** @typedef {import("./strict-json.js").Json} Json */
/** Throws a Fault unless a value is of its kind. @typedef {(value: Json | undefined) => void} Shape */

const SIGNED = "castonce-declaration-v1|";
const SIGNATURE = /,"signature":"[0-9a-f]{128}"\}$/;
const SIGNATURE_DIGITS = 128;
const CHANNELS = ["online", "post", "total"];

/**
 * Return the fields of a declaration that this key signed; throws a Fault otherwise.
 *
 * @param {Uint8Array} raw
 * @param {Uint8Array} key
 * @returns {Record<string, Json>}
 */
export function readDeclaration(raw, key) {
  const source = decode(raw);
  const fields = DECLARATION(readCompactText(source));
  demand(fields.version === 1, "unsupported", "another version than 1");
  // Found at the end, for the shape wants it there.
  const content = utf8(SIGNED + source.replace(SIGNATURE, "}"));
  const signature = readHexOf(fields.signature, SIGNATURE_DIGITS);
  demand(isSigned(key, content, signature), "signature-refused");
  return fields;
}

/**
 * @param {Record<string, Shape>} shape
 * @returns {(value: Json | undefined) => Record<string, Json>}
 */
function object(shape) {
  return (value) => {
    const fields = record(value, ...Object.keys(shape));
    for (const [name, check] of Object.entries(shape)) check(fields[name]);
    return fields;
  };
}

/** @param {...string} names */
function counts(...names) {
  return object(Object.fromEntries(names.map((name) => [name, natural])));
}

/** @param {Shape} shape @returns {Shape} */
function each(shape) {
  return (value) => array(value).map(shape);
}

/** @type {Shape} */
function countsByWord(value) {
  if (!(value instanceof Map)) throw new Fault("wrong-shape", "an object is missing");
  const words = [...value.keys()];
  const isSorted = words.every((word, at) => at === 0 || comesBefore(words[at - 1] ?? "", word));
  demand(isSorted, "wrong-shape", "words out of order");
  for (const count of value.values()) natural(count);
}

/** By the characters' numbers, as Python sorts: UTF-16 would have rare ones first. @param {string} left @param {string} right */
function comesBefore(left, right) {
  const [first, second] = [[...left], [...right]];
  const at = first.findIndex((character, place) => character !== second[place]);
  if (at < 0) return true;
  return (first[at]?.codePointAt(0) ?? 0) < (second[at]?.codePointAt(0) ?? -1);
}

/** @type {Shape} */
function channelsOrNull(value) {
  if (value !== null) counts(...CHANNELS)(value);
}

const ANSWER = object({ answer: text, online: natural, post: natural, total: natural });
const QUESTION = object({ question: text, answers: each(ANSWER), blank: channelsOrNull });
const BARRIER = object({
  kind: text,
  partition: natural,
  offset: natural,
  stamp_ms: natural,
  log_sha256: digest,
});
const PACKS = ["unused", "voted_online", "voted_by_post", "replaced", "withdrawn", "undelivered"];
const DECLARATION = object({
  version: natural,
  election_id: text,
  title: text,
  organisation: text,
  fingerprint: text,
  declared_at_ms: natural,
  questions: each(QUESTION),
  turnout: counts("electors", ...CHANNELS),
  papers: object({ valid: natural, rejected: countsByWord, missing: natural }),
  packs: counts(...PACKS, "spare"),
  credentials: object({
    size: natural,
    root: digest,
    active: natural,
    replaced: natural,
    withdrawn: natural,
    spare: natural,
  }),
  envelopes: object({
    received: natural,
    admitted: natural,
    voided: natural,
    set_aside: countsByWord,
  }),
  cases: countsByWord,
  roll: object({ electors: natural, withdrawn: natural, sha256: digest }),
  barriers: each(BARRIER),
  archive: object({ sha256: digest, bytes: natural, entries: natural, root: digest }),
  signature: (value) => readHexOf(value, SIGNATURE_DIGITS),
});
