/**
 * The archive as a file: a run of 512-byte blocks, each entry a header and its content.
 *
 * Promises that every entry that it yields stands there in the one form that the format allows:
 * header, name, padding, hash. Knows nothing of an election. A file that can't be followed to its end
 * is Unreadable; an entry that can be found but isn't as it must be is Refused.
 *
 * Source: Belenios 3.3 specification, "Public data".
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { utf8, writeHex } from "../protocol/hash.js";
import { Refused, Unreadable, blaming, demand } from "./faults.js";
import { natural, readCompact, record, text } from "./strict-json.js";

/** @typedef {import("./source.js").Source} Source */
/**
 * One record; its content lies at `start` in the file, and is at hand if it is short.
 *
 * @typedef {object} Entry
 * @property {number} number
 * @property {"data" | "event"} kind
 * @property {string} digest
 * @property {number} start
 * @property {number} size
 */

/** Longer than any event, and than what only points at other entries. */
export const MAX_POINTER_BYTES = 1_000;
const BLOCK = 512;
const FIRST_NAME = "BELENIOS";
const MAX_FIRST_BYTES = 100;
const HASHED_BYTES = 1_000_000;
const NAME = /^([0-9a-f]{64})\.(data|event)\.json$/;
const OCTAL = /^[0-7]{11}$/;
const SECONDS = /^(?:0|[1-9][0-9]{0,9})$/;

/**
 * Yield the entries in order, each with its content if that is short enough for a pointer.
 *
 * @param {Source} source
 * @returns {AsyncGenerator<{entry: Entry, content: Uint8Array | null}>}
 * @throws {Refused | Unreadable}
 */
export async function* entriesOf(source) {
  const first = await readFirst(source);
  /** @type {Set<string>} */
  const seen = new Set();
  let [start, number] = [first.end, 1];
  while (start < source.size) {
    const { header, name, size } = await follow(source, start, number);
    const place = placeOf(number, name);
    const found = NAME.exec(name);
    if (found === null) throw new Refused(place, "wrong-form", "a name that is none of the format's");
    blaming(place, () => demandHeader(header, name, size, first.seconds));
    const body = start + BLOCK;
    await demandPadding(source, body + size, place);
    const digest = await hashOf(source, body, size);
    blaming(place, () => demand(digest === found[1], "wrong-hash", digest));
    blaming(place, () => demand(!seen.has(digest), "repeated"));
    seen.add(digest);
    const content = size <= MAX_POINTER_BYTES ? await source.copy(body, size) : null;
    const kind = found[2] === "data" ? "data" : "event";
    yield { entry: { number, kind, digest, start: body, size }, content };
    start = endOf(start, size);
    number += 1;
  }
}

/**
 * Return which entry is meant, for refusals.
 *
 * @param {number} number
 * @param {string} name
 * @returns {import("./faults.js").Place}
 */
export function placeOf(number, name) {
  return { file: "archive", entry: number, name };
}

/**
 * Check the entry that names the format; return where the next starts, and the time.
 *
 * @param {Source} source
 */
async function readFirst(source) {
  const { header, name, size } = await follow(source, 0, 0);
  const place = placeOf(0, FIRST_NAME);
  if (name !== FIRST_NAME) throw new Unreadable("no-archive", place);
  const end = endOf(0, size);
  const body = size > MAX_FIRST_BYTES ? new Uint8Array() : await source.copy(BLOCK, size);
  const seconds = blaming(place, () => {
    demand(size <= MAX_FIRST_BYTES, "too-large");
    const fields = record(readCompact(body), "version", "timestamp");
    demand(natural(fields.version) === 1, "unsupported", "another version than 1");
    const stamp = text(fields.timestamp);
    demand(SECONDS.test(stamp), "wrong-shape", "no time in whole seconds");
    demandHeader(header, name, size, Number(stamp));
    return Number(stamp);
  });
  await demandPadding(source, BLOCK + size, place);
  return { end, seconds };
}

/**
 * Return the name and size that a header gives, if the file holds all of the entry.
 *
 * @param {Source} source
 * @param {number} start
 * @param {number} number
 */
async function follow(source, start, number) {
  const header = await source.copy(start, BLOCK);
  const digits = String.fromCharCode(...header.subarray(124, 135));
  const place = placeOf(number, "");
  if (header.length < BLOCK || !OCTAL.test(digits)) throw new Unreadable("cut", place);
  const size = Number.parseInt(digits, 8);
  if (endOf(start, size) > source.size) throw new Unreadable("cut", place);
  const name = String.fromCharCode(...header.subarray(0, 100)).replace(/\0[^]*$/, "");
  return { header, name, size };
}

/**
 * A header has one form only, so that one election has one archive.
 *
 * @param {Uint8Array} header
 * @param {string} name
 * @param {number} size
 * @param {number} seconds
 */
function demandHeader(header, name, size, seconds) {
  const expected = canonicalHeader(name, size, seconds);
  const isSame = header.every((byte, at) => byte === expected[at]);
  demand(isSame, "wrong-form", "a header of another form");
}

/**
 * @param {string} name
 * @param {number} size
 * @param {number} seconds
 */
function canonicalHeader(name, size, seconds) {
  const header = new Uint8Array(BLOCK);
  const octal = (/** @type {number} */ number) => number.toString(8).padStart(11, "0");
  const owner = "0000000\0";
  header.set(utf8(name));
  header.set(utf8(`0000644\0${owner}${owner}${octal(size)}\0${octal(seconds)}\0        0`), 100);
  // The sum of all bytes, its own eight taken as spaces.
  const total = header.reduce((sum, byte) => sum + byte, 0);
  header.set(utf8(`${total.toString(8).padStart(6, "0")}\0 `), 148);
  return header;
}

/**
 * @param {Source} source
 * @param {number} start
 * @param {import("./faults.js").Place} place
 */
async function demandPadding(source, start, place) {
  const padding = await source.read(start, Math.ceil(start / BLOCK) * BLOCK - start);
  const isEmpty = padding.every((byte) => byte === 0);
  if (!isEmpty) throw new Refused(place, "wrong-form", "something behind its end");
}

/**
 * @param {Source} source
 * @param {number} start
 * @param {number} size
 */
async function hashOf(source, start, size) {
  const hash = sha256.create();
  for (let done = 0; done < size; done += HASHED_BYTES) {
    // By pieces, for an entry may say that it is as large as the file.
    hash.update(await source.read(start + done, Math.min(HASHED_BYTES, size - done)));
  }
  return writeHex(hash.digest());
}

/**
 * @param {number} start
 * @param {number} size
 */
function endOf(start, size) {
  return start + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
}
