/**
 * JSON with one reading only, and typed access to what was read.
 *
 * Promises that no object has the same field twice, that every object has the fields that the format
 * names, in its order, and no others, and that numbers are whole. `JSON.parse` would let the last of
 * two fields win, round large numbers and reorder names, so the text is read here.
 *
 * Source: Belenios 3.3 specification, "Conventions" and "Basic types".
 *
 * @module
 */

import { Fault, demand } from "./faults.js";

/** @typedef {string | number | bigint | boolean | null | Json[] | Map<string, Json>} Json */

export const MAX_NATURAL = 2 ** 53;
/** No record of ours has more than six levels. */
const MOST_LEVELS = 60;
const HASH = /^[0-9a-f]{64}$/;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const INTEGER = /-?(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
const SPACE = /[ \t\n\r]*/y;
const WORD = /true|false|null/y;
const MOST_DIGITS = 15;
const LONGEST_INTEGER = 4_300;
/** @type {Record<string, Json>} */
const WORDS = { true: true, false: false, null: null };

/**
 * Return the value of a JSON text in UTF-8.
 *
 * @param {Uint8Array} raw
 * @returns {Json}
 */
export function read(raw) {
  return new Reader(decode(raw)).whole();
}

/**
 * Return the value of a JSON text that is spelled as the format writes it.
 *
 * @param {Uint8Array} raw
 * @returns {Json}
 */
export function readCompact(raw) {
  return readCompactText(decode(raw));
}

/**
 * Return the value of a JSON text, already decoded, that is spelled as the format writes it.
 *
 * @param {string} source
 * @returns {Json}
 */
export function readCompactText(source) {
  const reader = new Reader(source);
  const value = reader.whole();
  demand(reader.isCompact, "not-compact");
  return value;
}

/**
 * Return the compact form of a value, fields in the order in which they were read.
 *
 * @param {Json} value
 * @returns {string}
 */
export function write(value) {
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (value instanceof Map) {
    const fields = [...value].map(([name, field]) => `${JSON.stringify(name)}:${write(field)}`);
    return `{${fields.join(",")}}`;
  }
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

/**
 * Return an object with these fields in this order; `?name` marks one that may be absent.
 *
 * @param {Json | undefined} value
 * @param {...string} names
 * @returns {Record<string, Json>}
 */
export function record(value, ...names) {
  if (!(value instanceof Map)) throw new Fault("wrong-shape", "an object is missing");
  const wanted = names
    .filter((name) => !name.startsWith("?") || value.has(name.slice(1)))
    .map((name) => name.replace(/^\?/, ""));
  const found = [...value.keys()];
  const isSame = found.length === wanted.length && found.every((name, at) => name === wanted[at]);
  demand(isSame, "wrong-shape", `fields ${found.slice(0, 20)} instead of ${wanted}`);
  return Object.fromEntries(value);
}

/**
 * Return a list, of this length if one is given.
 *
 * @param {Json | undefined} value
 * @param {number} [length]
 * @returns {Json[]}
 */
export function array(value, length) {
  if (!Array.isArray(value)) throw new Fault("wrong-shape", "a list is missing");
  const isLong = length === undefined || value.length === length;
  demand(isLong, "wrong-shape", `a list of ${value.length} instead of ${length}`);
  return value;
}

/**
 * Return a string.
 *
 * @param {Json | undefined} value
 * @returns {string}
 */
export function text(value) {
  if (typeof value !== "string") throw new Fault("wrong-shape", "a text is missing");
  return value;
}

/**
 * Return a whole number from 0 to 2^53.
 *
 * @param {Json | undefined} value
 * @returns {number}
 */
export function natural(value) {
  const isNatural = typeof value === "number" && value >= 0 && value <= MAX_NATURAL;
  if (!isNatural) throw new Fault("wrong-shape", "a whole number is missing");
  return value;
}

/**
 * Return a SHA-256 hash as 64 hex digits.
 *
 * @param {Json | undefined} value
 * @returns {string}
 */
export function digest(value) {
  if (typeof value !== "string" || !HASH.test(value)) {
    throw new Fault("wrong-shape", "a hash of 64 lower-case hex digits is missing");
  }
  return value;
}

/**
 * Return bytes as text, if they are UTF-8.
 *
 * @param {Uint8Array} raw
 * @returns {string}
 */
export function decode(raw) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    throw new Fault("not-json", "not UTF-8");
  }
}

/** Reads one text once; `isCompact` stays true while it is spelled as the format writes it. */
class Reader {
  /** @param {string} source */
  constructor(source) {
    this._source = source;
    this._at = 0;
    this.isCompact = true;
  }

  /** @returns {Json} */
  whole() {
    const value = this._value(0);
    demand(this._at === this._source.length, "not-json");
    return value;
  }

  /** @param {number} level @returns {Json} */
  _value(level) {
    demand(level <= MOST_LEVELS, "not-json");
    this._skipSpace();
    const first = this._source[this._at];
    const value =
      first === "{"
        ? this._object(level)
        : first === "["
          ? this._array(level)
          : first === '"'
            ? this._string()
            : this._scalar();
    this._skipSpace();
    return value;
  }

  /** @param {number} level @returns {Json} */
  _object(level) {
    /** @type {Map<string, Json>} */
    const fields = new Map();
    this._list("}", () => {
      this._skipSpace();
      const name = this._string();
      demand(!fields.has(name), "duplicate-field");
      this._skipSpace();
      this._expect(":");
      fields.set(name, this._value(level + 1));
    });
    return fields;
  }

  /** @param {number} level @returns {Json} */
  _array(level) {
    /** @type {Json[]} */
    const values = [];
    this._list("]", () => values.push(this._value(level + 1)));
    return values;
  }

  /** @param {string} end @param {() => void} readOne */
  _list(end, readOne) {
    this._at += 1;
    this._skipSpace();
    if (this._source[this._at] === end) {
      this._at += 1;
      return;
    }
    readOne();
    while (this._source[this._at] === ",") {
      this._at += 1;
      readOne();
    }
    this._expect(end);
  }

  /** @returns {string} */
  _string() {
    this._expect('"');
    const start = this._at;
    let isEscaped = false;
    this._match(PLAIN);
    while (this._match(ESCAPE)) {
      isEscaped = true;
      this._match(PLAIN);
    }
    const spelled = this._source.slice(start, this._at);
    this._expect('"');
    if (!isEscaped) return spelled;
    const value = JSON.parse(`"${spelled}"`);
    const written = JSON.stringify(value);
    // Half of a surrogate pair can be spelled, but is no text; only as an escape is it written back.
    demand(!/\\ud[89a-f]/.test(written) || isWellFormed(value), "not-json");
    this.isCompact &&= written === `"${spelled}"`;
    return value;
  }

  /** @returns {Json} */
  _scalar() {
    const word = this._match(WORD);
    if (word) return /** @type {Json} */ (WORDS[word]);
    const digits = this._match(INTEGER);
    demand(0 < digits.length && digits.length <= LONGEST_INTEGER, "not-json");
    this.isCompact &&= digits !== "-0";
    if (digits.length <= MOST_DIGITS) return Number(digits) + 0;
    const number = BigInt(digits);
    return 0n <= number && number <= BigInt(MAX_NATURAL) ? Number(number) : number;
  }

  _skipSpace() {
    const code = this._source.charCodeAt(this._at);
    if (code > 0x20 || Number.isNaN(code)) return;
    this.isCompact &&= this._match(SPACE) === "";
  }

  /** @param {string} character */
  _expect(character) {
    demand(this._source[this._at] === character, "not-json");
    this._at += 1;
  }

  /** @param {RegExp} pattern  a sticky one @returns {string} */
  _match(pattern) {
    pattern.lastIndex = this._at;
    const found = pattern.exec(this._source)?.[0] ?? "";
    this._at += found.length;
    return found;
  }
}

/** @param {string} value */
function isWellFormed(value) {
  return !/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value);
}
