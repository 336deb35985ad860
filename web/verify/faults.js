/**
 * What can be wrong: with one statement, with one entry, or with a whole file.
 *
 * Promises that `code` is one of few words that never change, from which a page chooses its own
 * sentences; `detail` is for whoever looks deeper, and has text from a file only where it was judged.
 *
 * @module
 */

import { ProtocolError } from "../protocol/errors.js";

/**
 * Which thing is at fault: an entry of the archive by its number (BELENIOS is 0), a line of the board
 * file by its number (the setup is 0), or a file.
 *
 * @typedef {{file: "archive" | "board" | "checkpoint" | "declaration", entry?: number, name?: string}} Place
 */

/** A rule doesn't hold; whoever catches this knows of what. */
export class Fault extends Error {
  /**
   * @param {string} code
   * @param {string} [detail]
   */
  constructor(code, detail = "") {
    super(detail ? `${code}: ${detail}` : code);
    this.name = "Fault";
    this.code = code;
    this.detail = detail;
  }
}

/** An entry breaks a rule; the archive proves nothing. */
export class Refused extends Error {
  /**
   * @param {Place} place
   * @param {string} code
   * @param {string} [detail]
   */
  constructor(place, code, detail = "") {
    super(`${place.file} ${place.entry ?? ""} ${place.name ?? ""}: ${code} ${detail}`);
    this.name = "Refused";
    this.place = place;
    this.code = code;
    this.detail = detail;
  }
}

/** A file can't be read to its end, so nothing in it was judged. */
export class Unreadable extends Error {
  /**
   * @param {string} code
   * @param {Place} place
   */
  constructor(code, place) {
    super(`${place.file}: ${code}`);
    this.name = "Unreadable";
    this.code = code;
    this.place = place;
  }
}

/**
 * Throw a Fault of this kind unless the condition holds.
 *
 * @param {boolean} holds
 * @param {string} code
 * @param {string} [detail]
 */
export function demand(holds, code, detail) {
  if (!holds) throw new Fault(code, detail);
}

/**
 * Return what `check` does, its Fault turned into the refusal of this place.
 *
 * @template T
 * @param {Place} place
 * @param {() => T} check
 * @returns {T}
 */
export function blaming(place, check) {
  try {
    return check();
  } catch (error) {
    const isFault = error instanceof Fault || error instanceof ProtocolError;
    if (!isFault) throw error;
    throw new Refused(place, error.code, error instanceof Fault ? error.detail : error.message);
  }
}
