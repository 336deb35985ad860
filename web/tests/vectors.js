/** The election of `tests/vectors/own`, as Python made it from one seed; and how a test asks for a refusal. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

/**
 * @typedef {object} Voter
 * @property {string} code
 * @property {string} printed
 * @property {string} private
 * @property {string} credential
 * @property {{session_id: string, nonce: string, challenge: string, response: string}} code_proof
 * @property {number[][]} choices
 * @property {string} ballot
 * @property {string} tracker
 */

/** @type {{election: string, fingerprint: string, voters: Voter[]}} */
export const vector = JSON.parse(
  readFileSync(new URL("../../tests/vectors/own/vector.json", import.meta.url), "utf8"),
);

/**
 * Assert that an act is refused with this code.
 *
 * @param {() => unknown} act
 * @param {string} code
 */
export function refuses(act, code) {
  assert.throws(act, (/** @type {{code?: string}} */ error) => {
    assert.equal(error.code, code);
    return true;
  });
}
