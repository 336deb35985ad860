/**
 * A receipt: `votes` says that the ballot with this tracker is recorded for ever.
 *
 * Promises `true` only for a receipt that `votes` signed for this election and this tracker. Anything
 * else, whatever it is, is only `false`: the page then says that the receipt is doubtful.
 *
 * Source: DESIGN section 7; Python's `shared/contracts/permits.py`.
 *
 * @module
 */

import { readHex, utf8 } from "./hash.js";
import { isSigned } from "./signature.js";

/**
 * Whether `votes` signed this receipt for the ballot.
 *
 * @param {unknown} receipt  as the gateway answered: election_id, tracker, recorded_at_ms, signature
 * @param {string} votesKeyHex
 * @param {{electionId: string, tracker: string}} expected
 * @returns {boolean}
 */
export function verifyReceipt(receipt, votesKeyHex, { electionId, tracker }) {
  if (typeof receipt !== "object" || receipt === null) return false;
  const { election_id, tracker: named, recorded_at_ms, signature } =
    /** @type {Record<string, unknown>} */ (receipt);
  if (election_id !== electionId || named !== tracker) return false;
  if (!Number.isSafeInteger(recorded_at_ms)) return false;
  const signed = `castonce-receipt-v1|${electionId}|${tracker}|${recorded_at_ms}`;
  const [key, raw] = [readHex(votesKeyHex), readHex(signature)];
  return key !== null && raw !== null && isSigned(key, utf8(signed), raw);
}
