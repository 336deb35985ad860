/**
 * The board file: one line for each entry of the bulletin board, in step with the archive.
 *
 * Promises that each line is the only one that could stand there. What follows from the archive is
 * compared byte by byte; what doesn't (the setup's keys, states of credentials) is read strictly, and
 * the states' signatures are checked. That everybody sees the same lines is for the checkpoint.
 *
 * @module
 */

import { readHex, utf8, writeBase64, writeHex } from "../protocol/hash.js";
import { merkleRoot } from "../protocol/merkle.js";
import { Refused, Unreadable, blaming, demand } from "./faults.js";
import { States, isInOrder, readHexOf } from "./states.js";
import { digest, natural, readCompact, record } from "./strict-json.js";

/** @typedef {import("./chain.js").Contents} Contents */
/** Under which keys statements on the board are believed. @typedef {Record<"codes" | "elections" | "votes", Uint8Array>} Keys */
/**
 * A board file that is in step with its archive.
 *
 * @typedef {object} Posted
 * @property {Uint8Array[]} lines
 * @property {Keys} keys
 * @property {States} states
 * @property {number} linesToResult
 * @property {string | null} declaration  its hash
 * @property {string} credentialsRoot
 */

/** Far above any that can be right: a statement about 5,000 credentials has 340,000. */
const MAX_LINE_BYTES = 1_000_000;
const STATES = utf8('{"entry":"states",');
const NEWLINE = 10;

/**
 * Return the lines of a board file; throws Refused at the first that isn't as it must be.
 *
 * @param {Uint8Array} raw
 * @param {string} uuid
 * @param {Contents} contents
 * @param {Map<string, bigint>} weights  the archive's credentials
 * @returns {Posted}
 */
export function readBoardFile(raw, uuid, contents, weights) {
  const reader = new BoardReader(uuid, contents, weights);
  for (const line of linesOf(raw)) reader.take(line);
  return reader.finish();
}

class BoardReader {
  /**
   * @param {string} uuid
   * @param {Contents} contents
   * @param {Map<string, bigint>} weights
   */
  constructor(uuid, contents, weights) {
    this._uuid = uuid;
    this._contents = contents;
    this._weights = weights;
    this._due = dueLines(contents);
    this._next = this._due.next();
    this._place = 0;
    this._linesToResult = 0;
    /** @type {string | null} */
    this._declaration = null;
    /** @type {Set<string>} */
    this._seen = new Set();
    /** @type {Uint8Array[]} */
    this._lines = [];
    /** @type {{keys: Keys, root: string, states: States} | null} */
    this._setup = null;
  }

  /** @param {Uint8Array} line */
  take(line) {
    const number = this._lines.length;
    blaming({ file: "board", entry: number }, () => {
      demand(line.length <= MAX_LINE_BYTES, "too-large");
      if (this._setup === null) this._setup = this._readSetup(line);
      else if (startsWith(line, STATES)) this._takeStates(line, this._setup.states);
      else if (!this._next.done) this._takeDue(line, this._next.value);
      else this._takeDeclaration(line);
    });
    this._lines.push(line);
  }

  /** @returns {Posted} */
  finish() {
    if (this._setup === null || !this._next.done) {
      throw new Refused({ file: "board", entry: this._lines.length }, "not-complete");
    }
    return {
      lines: this._lines,
      keys: this._setup.keys,
      states: this._setup.states,
      linesToResult: this._linesToResult,
      declaration: this._declaration,
      credentialsRoot: this._setup.root,
    };
  }

  /** @param {Uint8Array} line */
  _readSetup(line) {
    const weights = this._weights;
    const names = ["entry", "event", "credentials_root", "credentials_size", "keys"];
    const fields = record(readCompact(line), ...names);
    demand(fields.entry === "setup", "wrong-order", "isn't the setup");
    demand(digest(fields.event) === this._contents.setupEvent, "other-setup");
    demand(isInOrder(weights.keys()), "wrong-order", "the archive's credentials are out of order");
    const isEach = [...weights.values()].every((weight) => weight === 1n);
    demand(isEach, "unsupported", "credentials of different weight");
    demand(natural(fields.credentials_size) === weights.size, "other-credentials");
    const root = writeHex(merkleRoot([...weights.keys()].map(utf8)));
    demand(digest(fields.credentials_root) === root, "other-credentials", root);
    const keys = record(fields.keys, "codes", "elections", "votes");
    const [codes, elections, votes] = Object.values(keys).map((key) => readHexOf(key, 64));
    const read = /** @type {Keys} */ ({ codes, elections, votes });
    return { keys: read, root, states: new States(this._uuid, read.codes, weights) };
  }

  /** @param {Uint8Array} line @param {States} states */
  _takeStates(line, states) {
    demand(this._place <= this._contents.ballots.length, "wrong-order", "the ballots have ended");
    const name = writeHex(merkleRoot([line]));
    demand(!this._seen.has(name), "repeated");
    this._seen.add(name);
    states.add(line);
  }

  /** @param {Uint8Array} line @param {string} due */
  _takeDue(line, due) {
    const expected = utf8(due);
    const isDue = line.length === expected.length && startsWith(line, expected);
    demand(isDue, "not-in-step", due);
    this._next = this._due.next();
    this._place += 1;
    this._linesToResult = this._lines.length + 1;
  }

  /** @param {Uint8Array} line */
  _takeDeclaration(line) {
    demand(this._declaration === null, "wrong-order", "follows the declaration");
    const fields = record(readCompact(line), "entry", "sha256");
    demand(fields.entry === "declaration", "wrong-order", "isn't the declaration");
    this._declaration = digest(fields.sha256);
  }
}

/**
 * Return a SHA-256 hash as voters know it: in Base64 without padding.
 *
 * @param {string} hash  64 hex digits
 */
export function trackerOf(hash) {
  return writeBase64(readHex(hash) ?? new Uint8Array()).replace(/=+$/, "");
}

/**
 * What follows the setup, but for states of credentials and the declaration.
 *
 * @param {Contents} contents
 * @returns {Generator<string, void>}
 */
function* dueLines({ ballots, decryptions, laterEvents }) {
  for (const ballot of ballots) {
    yield JSON.stringify({ entry: "ballot", tracker: trackerOf(ballot.digest) });
  }
  const kinds = ["end", "tally", ...decryptions.map(() => "decryption"), "result"];
  for (const [at, entry] of kinds.entries()) yield JSON.stringify({ entry, event: laterEvents[at] });
}

/**
 * @param {Uint8Array} raw
 * @returns {Generator<Uint8Array>}
 */
function* linesOf(raw) {
  if (raw.at(-1) !== NEWLINE) throw new Unreadable("cut", { file: "board" });
  for (let start = 0; start < raw.length; ) {
    const end = raw.indexOf(NEWLINE, start);
    yield raw.subarray(start, end);
    start = end + 1;
  }
}

/** @param {Uint8Array} line @param {Uint8Array} start */
function startsWith(line, start) {
  return start.every((byte, at) => byte === line[at]);
}
