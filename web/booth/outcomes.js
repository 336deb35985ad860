/**
 * What the gateway's answers say: about a step of the visit, and about a ballot.
 *
 * Promises that once a copy of a ballot may have gone out, only the answers that the API documents
 * as final end its way: an accepted receipt or one of FINAL. Everything else (no answer, 404 of a
 * gateway that has just started) says nothing about that copy. A proxy's page ends no ballot's way at
 * all. Trusts nothing but a
 * receipt that `votes` signed. The rules are those of `cli/cast_answers.py`.
 *
 * @module
 */

import { verifyReceipt } from "../protocol/receipt.js";

/**
 * @typedef {object} Answer  one HTTP answer
 * @property {number} status
 * @property {any} body  decoded JSON, or {}
 * @property {number} retryAfterSeconds
 * @property {number | null} sentAtMs  the server's clock as it answered (Unix ms), if it said so
 *
 * @typedef {object} Receipt  what `votes` signs; see shared/contracts/permits.py
 * @property {string} election_id
 * @property {string} tracker
 * @property {number} recorded_at_ms
 * @property {string} signature
 *
 * @typedef {object} Outcome  what came of a step or of a ballot
 * @property {OutcomeKind} kind
 * @property {number} [atMs]  when it happened (Unix ms); 0 if nobody said
 * @property {number} [remaining]  attempts at the questions that are left
 * @property {string} [code]  what to tell the helpline
 * @property {Receipt} [receipt]
 *
 * @typedef {"accepted" | "receipt-doubtful" | "already-voted" | "post-received" | "replaced" |
 *   "withdrawn" | "locked" | "closed" | "not-open" | "no-online" | "expired" | "refused" |
 *   "wrong-answers" | "code-refused" | "visit-over"} OutcomeKind
 */

/** Why `votes` says that a ballot doesn't count (shared/contracts/votes.py: BallotReason). */
export const BALLOT_REASONS = [
  "not_open",
  "closed",
  "permit_refused",
  "permit_expired",
  "unknown_right",
  "withdrawn",
  "replaced",
  "credential_refused",
  "already_voted_online",
  "already_voted_by_post",
  "ballot_refused",
];

/** The refusals that the API documents for a ballot, by status: none is of a copy on its way. */
const FINAL = new Map([
  [409, new Set([...BALLOT_REASONS, "no_online_channel"])],
  [403, new Set(["permit_refused"])],
]);

/** The other refusals of the gateway's own for a ballot; whatever else comes is somebody else's. */
const OWN = new Set([
  ...BALLOT_REASONS,
  "no_online_channel",
  "permit_refused",
  "not_json",
  "invalid_body",
  "too_deep",
  "too_large",
  "unsupported_media_type",
]);

const PASSING = new Set([202, 404, 408, 429]);

/** @type {Record<string, OutcomeKind>} */
const KINDS = {
  not_open: "not-open",
  closed: "closed",
  no_online_channel: "no-online",
  already_voted_online: "already-voted",
  already_voted_by_post: "post-received",
  withdrawn: "withdrawn",
  replaced: "replaced",
  permit_expired: "expired",
  wrong_answers: "wrong-answers",
  locked: "locked",
  code_refused: "code-refused",
  session_unknown: "visit-over",
  nonce_expired: "visit-over",
  code_permit_refused: "visit-over",
};

/** @type {Record<string, OutcomeKind | null>} */
const STATES = {
  active: null,
  spent: "already-voted",
  blocked: "post-received",
  revoked: "post-received",
  replaced: "replaced",
  withdrawn: "withdrawn",
};

/**
 * Return whether the request with this answer (null: lost) may have put the ballot on its way.
 *
 * Not where the gateway itself says that it took nothing. A browser doesn't tell whether a request
 * whose answer is lost was sent at all, so that one may have been.
 *
 * @param {Answer | null} answer
 */
export function mayBeHandedOver(answer) {
  if (answer === null) {
    return true;
  }
  const isShut = answer.status === 503 && codeOf(answer) === "unavailable";
  const isRefused = answer.status >= 400 && answer.status < 500 && answer.status !== 408;
  return !(isShut || isRefused);
}

/**
 * Return what an answer says about a ballot; null when it must be handed in again.
 *
 * @param {Answer | null} answer  null: lost
 * @param {{electionId: string, tracker: string, votesKey: string}} ballot
 * @param {boolean} mayBeOut  whether a copy may be on its way, from this request or an earlier one
 * @returns {Outcome | null}
 */
export function ballotOutcome(answer, ballot, mayBeOut) {
  if (answer === null || PASSING.has(answer.status) || answer.status >= 500) {
    return null;
  }
  if (answer.status === 200 || answer.status === 201) {
    return accepted(answer, ballot);
  }
  if (!OWN.has(codeOf(answer)) || (mayBeOut && !FINAL.get(answer.status)?.has(codeOf(answer)))) {
    return null;
  }
  const outcome = refusal(answer);
  // Of a ballot these say nothing that a voter could act on: only of a visit.
  return outcome.kind === "visit-over" || outcome.kind === "code-refused"
    ? { kind: "refused", code: codeOf(answer) }
    : outcome;
}

/**
 * Return the refusal at any step, by the problem's code.
 *
 * @param {Answer} answer
 * @returns {Outcome}
 */
export function refusal(answer) {
  const code = codeOf(answer);
  const kind = Object.hasOwn(KINDS, code) ? KINDS[code] : "refused";
  return {
    kind,
    atMs: whole(answer.body?.first_at_ms),
    remaining: whole(answer.body?.remaining),
    code: code || `HTTP ${answer.status}`,
  };
}

/**
 * Return why a code can't be used, from its state; null if it can.
 *
 * @param {Answer} answer  of the door `state`, with status 200
 * @returns {Outcome | null}
 */
export function stateOutcome(answer) {
  const state = String(answer.body?.state);
  const kind = Object.hasOwn(STATES, state) ? STATES[state] : "refused";
  return kind === null ? null : { kind, atMs: whole(answer.body?.since_ms), code: state };
}

const PERMIT_OVER = new Set(["permit_refused", "code_permit_refused", "nonce_expired"]);

/** Return whether the visit's permits have ended, or its gateway. @param {Answer} answer */
export function isPermitOver(answer) {
  return answer.status === 404 || (answer.status === 403 && PERMIT_OVER.has(codeOf(answer)));
}

/** @param {Answer} answer */
export function codeOf(answer) {
  const code = answer.body?.code;
  return typeof code === "string" ? code : "";
}

/**
 * @param {Answer} answer
 * @param {{electionId: string, tracker: string, votesKey: string}} ballot
 * @returns {Outcome}
 */
function accepted(answer, { electionId, tracker, votesKey }) {
  const receipt = receiptOf(answer.body?.receipt);
  return receipt !== null && verifyReceipt(receipt, votesKey, { electionId, tracker })
    ? { kind: "accepted", receipt, atMs: receipt.recorded_at_ms }
    : { kind: "receipt-doubtful" };
}

/**
 * @param {any} told
 * @returns {Receipt | null}
 */
function receiptOf(told) {
  const isWhole =
    typeof told?.election_id === "string" &&
    typeof told.tracker === "string" &&
    Number.isSafeInteger(told.recorded_at_ms) &&
    typeof told.signature === "string";
  if (!isWhole) {
    return null;
  }
  const { election_id, tracker, recorded_at_ms, signature } = told;
  return { election_id, tracker, recorded_at_ms, signature };
}

/** @param {unknown} number */
function whole(number) {
  return Number.isSafeInteger(number) ? Number(number) : 0;
}
