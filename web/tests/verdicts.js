/**
 * The browser's verifier for a test in another language: a request a line in from standard input, an
 * outcome a line out.
 *
 * No test of itself: `tests/interop/browser_verifier.py` runs it once for many archives.
 *
 * @module
 */

import { createInterface } from "node:readline";
import { Crew } from "../verify/crew.js";
import { verify } from "../verify/recount.js";

/**
 * @typedef {object} Asked  files in Base64
 * @property {string} archive
 * @property {string | null} board
 * @property {string[]} checkpoints
 * @property {string | null} declaration
 * @property {string | null} board_key
 * @property {string | null} fingerprint
 * @property {number | null} sample
 */

/** @param {string} encoded */
function blobOf(encoded) {
  return new Blob([Buffer.from(encoded, "base64")]);
}

/** @param {Asked} asked */
function requestOf(asked) {
  return {
    archive: blobOf(asked.archive),
    boardFile: asked.board === null ? null : blobOf(asked.board),
    checkpoints: asked.checkpoints.map(blobOf),
    declaration: asked.declaration === null ? null : blobOf(asked.declaration),
    boardKey: asked.board_key,
    fingerprint: asked.fingerprint,
    sample: asked.sample,
  };
}

const crew = new Crew([]);
for await (const line of createInterface({ input: process.stdin })) {
  const outcome = await verify(requestOf(JSON.parse(line)), crew, () => undefined);
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}
