/**
 * A board's proof that a ballot is on it, checked by whoever asks.
 *
 * Promises a place only if the ballot's own leaf, computed from the tracker alone, leads to a root that
 * the board signed with the key given. Believes nothing else that the answer says. Pure: no DOM, no
 * network.
 *
 * @module
 */

import { readCheckpoint } from "../protocol/checkpoint.js";
import { ProtocolError } from "../protocol/errors.js";
import { readHex, utf8 } from "../protocol/hash.js";
import { verifyInclusion } from "../protocol/merkle.js";

/** Where a ballot stands, from 0, and among how many entries. @typedef {{index: number, size: number}} Proved */

const TRACKER = /^[A-Za-z0-9+/]{43}$/;
const KEY = /^[0-9a-f]{64}$/;
const MOST_STEPS = 64;

/**
 * Return the tracker that was meant: pasted with spaces, over several lines, or as part of a link; null
 * if it is none.
 *
 * @param {string} typed
 */
export function readTracker(typed) {
  const tracker = typed.replace(/\s/g, "");
  return TRACKER.test(tracker) ? tracker : null;
}

/**
 * Return the board key that was meant, null if it is none.
 *
 * @param {string} typed
 */
export function readBoardKey(typed) {
  const key = typed.replace(/[\s:-]/g, "").toLowerCase();
  return KEY.test(key) ? key : null;
}

/**
 * Return where the ballot stands; throws ProtocolError unless the proof holds.
 *
 * @param {unknown} answer  of `/elections/{id}/inclusion`
 * @param {{tracker: string, boardKey: string, electionId: string}} asked
 * @returns {Proved}
 */
export function checkProof(answer, { tracker, boardKey, electionId }) {
  const { index, checkpoint, path } = /** @type {Record<string, unknown>} */ (answer ?? {});
  if (typeof index !== "number" || typeof checkpoint !== "string" || !Array.isArray(path)) {
    throw new ProtocolError("malformed", "the board's answer is no proof");
  }
  if (path.length > MOST_STEPS) throw new ProtocolError("inclusion-refused", "too long a path");
  const { size, root } = readCheckpoint(checkpoint, boardKey, electionId);
  const leaf = utf8(JSON.stringify({ entry: "ballot", tracker }));
  const steps = path.map((step) => readHex(step) ?? new Uint8Array());
  verifyInclusion({ root, size }, index, leaf, steps);
  return { index, size };
}
