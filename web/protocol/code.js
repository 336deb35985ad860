/**
 * Voting codes: what people type from the letter, with a check character.
 *
 * Promises the same canonical code for the same typing as Python's `ballots/codes.py`: lower case,
 * spaces, hyphens, O for 0 and I or L for 1 are forgiven, every single mistyped character is found.
 * Must never put a code into an error. A code is 19 random characters of Crockford's base 32 (95
 * bits) and a check character: Luhn's, modulo 32.
 *
 * Source: DESIGN section 6.
 *
 * @module
 */

import { CodeRefused } from "./errors.js";

export const CODE_LENGTH = 20;
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP_LENGTH = 4;
// What keyboards and phones put where the letter has a hyphen or nothing.
const SEPARATORS = /[ \t\r\n\u00a0\u2007\u2009\u202f\-\u2010\u2011\u2012\u2013\u2014\u2212]/g;
const LOOKALIKES = new Map([
  ["O", "0"],
  ["I", "1"],
  ["L", "1"],
]);

/**
 * Return the 20 canonical characters of a typed code.
 *
 * @param {string} text
 * @returns {string}
 * @throws {CodeRefused} too_short, too_long, bad_character or bad_check
 */
export function readCode(text) {
  const typed = Array.from(text.replace(SEPARATORS, ""), forgiven);
  if (typed.length < CODE_LENGTH) throw new CodeRefused("too_short", "characters are missing");
  if (typed.length > CODE_LENGTH) throw new CodeRefused("too_long", "there are too many characters");
  if (typed.some((character) => !ALPHABET.includes(character))) {
    throw new CodeRefused("bad_character", "one of the characters never occurs in a code");
  }
  if (checkCharacter(typed.slice(0, -1)) !== typed.at(-1)) {
    throw new CodeRefused("bad_check", "one of the characters is mistyped");
  }
  return typed.join("");
}

/**
 * Return a code as it is printed: five groups of four, with hyphens.
 *
 * @param {string} code
 * @throws {CodeRefused}
 */
export function showCode(code) {
  const canonical = readCode(code);
  const starts = Array.from({ length: CODE_LENGTH / GROUP_LENGTH }, (_, at) => at * GROUP_LENGTH);
  return starts.map((start) => canonical.slice(start, start + GROUP_LENGTH)).join("-");
}

/** @param {string} character */
function forgiven(character) {
  // ASCII only: toUpperCase() would turn letters of other scripts into ones of ours.
  const upper = /[a-z]/.test(character) ? character.toUpperCase() : character;
  return LOOKALIKES.get(upper) ?? upper;
}

/** @param {string[]} body  canonical characters */
function checkCharacter(body) {
  const total = [...body].reverse().reduce((sum, character, position) => {
    const value = ALPHABET.indexOf(character);
    return sum + (position % 2 === 0 ? doubled(value) : value);
  }, 0);
  return ALPHABET[(32 - (total % 32)) % 32];
}

/** @param {number} value */
function doubled(value) {
  // The two base-32 digits of twice the value, added: a permutation, so no error is lost in it.
  return value < 16 ? 2 * value : 2 * value - 31;
}
