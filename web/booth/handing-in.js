/**
 * The last step: the same sealed ballot, again and again, until its outcome is known.
 *
 * Promises that no other ballot is ever put in its place, that "may be out" is noted before a copy
 * goes out, and that it is taken back only where the gateway itself says that it took nothing. The
 * rules are those of `Booth.cast` in `cli/booth.py`.
 *
 * @module
 */

import { nextPauseMs, waitMs } from "./api.js";
import { ballotOutcome, mayBeHandedOver } from "./outcomes.js";

/** @typedef {import("./outcomes.js").Answer} Answer */
/** @typedef {import("./outcomes.js").Outcome} Outcome */

/** For how long the page asks by itself before it says so and offers a button (ms). */
export const PATIENCE_MS = 60_000;

/**
 * @typedef {object} Ballot
 * @property {string} electionId
 * @property {string} tracker
 * @property {string} votesKey
 *
 * @typedef {object} Doors
 * @property {() => boolean} mayHandIn  false: a request now would spoil the ballot
 * @property {() => Promise<Answer | null>} handIn  one request
 * @property {(mayBeOut: boolean) => void} note  what is true from here on
 * @property {(milliseconds: number) => Promise<void>} sleep
 * @property {() => number} nowMs  of a clock that never goes back
 */

/**
 * Hand in a ballot until its outcome is known.
 *
 * @param {Ballot} ballot
 * @param {boolean} mayHaveBeenOut  whether a copy may have gone out before
 * @param {Doors} doors
 * @returns {Promise<Outcome | null>}  null when patience ran out, or no request may be made: the last
 *   `note` says what is true
 */
export async function handedIn(ballot, mayHaveBeenOut, doors) {
  const deadlineMs = doors.nowMs() + PATIENCE_MS;
  let mayBeOut = mayHaveBeenOut;
  let pauseMs = 200;
  while (doors.mayHandIn()) {
    doors.note(true);
    const answer = await doors.handIn();
    mayBeOut = mayBeOut || mayBeHandedOver(answer);
    doors.note(mayBeOut);
    const outcome = ballotOutcome(answer, ballot, mayBeOut);
    if (outcome !== null || doors.nowMs() >= deadlineMs) {
      return outcome;
    }
    await doors.sleep(waitMs(answer, pauseMs));
    pauseMs = nextPauseMs(pauseMs);
  }
  return null;
}
