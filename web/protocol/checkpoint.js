/**
 * Checkpoints: how many entries a board has and their root, as a signed note.
 *
 * Promises that a note is read in its one spelling only, and that no signature is believed but one by
 * the key that the caller names. Signatures of others are passed over, as C2SP asks, but named.
 *
 * Source: C2SP signed-note, tlog-checkpoint and tlog-cosignature, version 1.
 *
 * @module
 */

import { ProtocolError } from "./errors.js";
import { readBase64, readHex, sha256, utf8 } from "./hash.js";
import { KEY_BYTES, SIGNATURE_BYTES, isSigned } from "./signature.js";

/**
 * @typedef {object} Head
 * @property {string} origin  whose tree it is: BOARD/ELECTION
 * @property {number} size  how many leaves
 * @property {Uint8Array} root  32 bytes
 * @property {string[]} unchecked  names of signers whose keys nobody gave
 */

/**
 * @typedef {object} Line
 * @property {string} name
 * @property {Uint8Array} keyId
 * @property {Uint8Array} signature
 */

export const MAX_NOTE_BYTES = 100_000;
const MAX_SIGNATURES = 100;
const KEY_ID_BYTES = 4;
const BY_BOARD = 1;
// White space as Unicode has it: JavaScript's \s lacks some and has the byte order mark instead.
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const TEXT = new RegExp(`^([^${SPACE}+]+)\\n(0|[1-9][0-9]{0,15})\\n([^${SPACE}]+)\\n$`, "u");
const SIGNED = new RegExp(`^— ([^${SPACE}+]+) ([^${SPACE}]+)$`, "u");

/**
 * Return the head that a checkpoint of an election's board has, signed with the board's key.
 *
 * Its origin, which is the key's name too, must end with "/" and the election's identifier.
 * Without a key (null) the board's signature must be there, but isn't checked.
 *
 * @param {string} note
 * @param {string | null} boardKeyHex  64 hex digits
 * @param {string} electionId
 * @returns {Head}
 * @throws {ProtocolError} note-refused, signature-refused, wrong-election
 */
export function readCheckpoint(note, boardKeyHex, electionId) {
  const key = boardKeyHex === null ? null : readHex(boardKeyHex);
  demand(boardKeyHex === null || key?.length === KEY_BYTES, "a board's key has 64 hex digits");
  const { text, lines } = split(note);
  const found = TEXT.exec(text);
  if (found === null) throw refusal("a checkpoint has three lines: origin, size and root");
  const [, origin = "", size = "", encoded = ""] = found;
  const end = origin.lastIndexOf("/");
  if (end < 1 || origin.slice(end + 1) !== electionId) {
    throw new ProtocolError("wrong-election", "the checkpoint is of another election's board");
  }
  const root = decoded(encoded);
  demand(root.length === 32, "a checkpoint's root has 32 bytes");
  demand(Number(size) <= Number.MAX_SAFE_INTEGER, "a checkpoint of more entries than there can be");
  return { origin, size: Number(size), root, unchecked: requireBoard(text, origin, lines, key) };
}

/**
 * Return the names of the others who signed, having checked that the board did.
 *
 * @param {string} text
 * @param {string} origin
 * @param {Line[]} lines
 * @param {Uint8Array | null} key
 */
function requireBoard(text, origin, lines, key) {
  const keyId = key === null ? null : keyIdOf(origin, key);
  /** @param {Line} line */
  const isByBoard = (line) =>
    line.name === origin && (keyId === null || isSame(line.keyId, keyId));
  const own = lines.filter(isByBoard);
  const hold = own.map(
    (line) =>
      line.signature.length === SIGNATURE_BYTES &&
      (key === null || isSigned(key, utf8(text), line.signature)),
  );
  if (own.length === 0 || hold.includes(false)) {
    throw new ProtocolError("signature-refused", "the checkpoint isn't signed with the board's key");
  }
  return lines.filter((line) => !isByBoard(line)).map((line) => line.name);
}

/**
 * Return a note's text, with its last line's end, and its signature lines.
 *
 * @param {string} note
 */
function split(note) {
  demand(note.length <= MAX_NOTE_BYTES, "longer than any note");
  const end = note.indexOf("\n\n");
  demand(end > 0 && note.endsWith("\n"), "a note is a text, an empty line, and signatures");
  const lines = note.slice(end + 2, -1).split("\n");
  demand(lines.length <= MAX_SIGNATURES, "a note with too many signatures");
  const read = lines.map(readLine);
  const keys = new Set(read.map(({ name, keyId }) => `${name} ${keyId}`));
  demand(keys.size === read.length, "a key signs a note once");
  return { text: note.slice(0, end + 1), lines: read };
}

/**
 * @param {string} line
 * @returns {Line}
 */
function readLine(line) {
  const found = SIGNED.exec(line);
  if (found === null) throw refusal("a signature line is a dash, a name and Base64");
  const bytes = decoded(found[2] ?? "");
  const [keyId, signature] = [bytes.slice(0, KEY_ID_BYTES), bytes.slice(KEY_ID_BYTES)];
  return { name: found[1] ?? "", keyId, signature };
}

/**
 * @param {string} name
 * @param {Uint8Array} key
 */
function keyIdOf(name, key) {
  const typed = Uint8Array.from([...utf8(`${name}\n`), BY_BOARD, ...key]);
  return sha256(typed).slice(0, KEY_ID_BYTES);
}

/** @param {string} text */
function decoded(text) {
  const bytes = readBase64(text);
  if (bytes === null) throw refusal("not Base64, or in another spelling than the one");
  return bytes;
}

/**
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 */
function isSame(left, right) {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/**
 * @param {boolean} holds
 * @param {string} otherwise
 */
function demand(holds, otherwise) {
  if (!holds) throw refusal(otherwise);
}

/** @param {string} message */
function refusal(message) {
  return new ProtocolError("note-refused", message);
}
