/**
 * How a step ends that asked somebody: at an answer, a refusal, the time-out, or with a ballot.
 *
 * Promises that a ballot which may be out ends its way at what `votes` said alone, and that what says
 * nothing of a kept ballot leaves it kept. Rules of the state machine in `visit.js`, which calls them.
 *
 * @module
 */

import { at, begun, move, TIMED } from "./state.js";

/**
 * @typedef {import("./outcomes.js").Outcome} Outcome
 * @typedef {import("./state.js").Effect} Effect
 * @typedef {import("./state.js").Move} Move
 * @typedef {import("./state.js").Rule} Rule
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Step} Step
 */

/**
 * Right answers: on to the choices, to the kept ballot, or to why the code can't be used.
 *
 * @type {Rule}
 */
export function permitted(state, { outcome }) {
  if (state.hasKept && (outcome === null || state.mayBeOut)) {
    // The ballot from before the reload; whatever its code's state, `votes` knows of it alone.
    return move(
      begun(state),
      { ...at("sending"), hasKept: false, busy: "handing-in" },
      { do: "hand-in" },
    );
  }
  return outcome === null
    ? move(state, { ...at("choose"), question: 0, isReturning: false, warns: false })
    : visitEnded(state, outcome);
}

/**
 * Answers were refused, or the visit that offered them.
 *
 * @type {Rule}
 */
export function answersRefused(state, { outcome }) {
  if (outcome.kind === "wrong-answers") {
    const problems = [{ word: "wrong-answers", remaining: outcome.remaining ?? 0 }];
    return move(state, { busy: null, isRenewing: false, problems });
  }
  if (outcome.kind === "visit-over" || outcome.kind === "code-refused") {
    const problems = [{ word: "visit-over", field: "code" }];
    return move(begun(state), { ...at("code"), problems }, { do: "forget", what: "session" });
  }
  return visitEnded(state, outcome);
}

/**
 * The service doesn't answer: the voter may try again, at the same step.
 *
 * @type {Rule}
 */
export function away(state) {
  const word = state.mayBeOut ? "away-kept" : "away";
  return move(state, { busy: null, isRenewing: false, problems: [{ word }] });
}

/**
 * Something went wrong here: the voter may try again, at the same step.
 *
 * @type {Rule}
 */
export function failed(state) {
  const word = state.mayBeOut ? "failed-kept" : "failed";
  return move(state, { busy: null, isRenewing: false, problems: [{ word }] });
}

/**
 * Nobody was there for too long.
 *
 * @type {Rule}
 */
export function timedOut(state) {
  if (!TIMED.has(state.step)) {
    return undefined;
  }
  return state.mayBeOut || state.hasKept
    ? move(begun(state), at("resume"), { do: "forget", what: "visit" }) // the ballot stays kept
    : ended(state, "timed-out");
}

/**
 * The permits couldn't be renewed, for a reason of the moment or for good.
 *
 * @type {Rule}
 */
export function notRenewed(state, { outcome }) {
  if (!TIMED.has(state.step)) {
    return undefined;
  }
  if (outcome === null) {
    return away(state, {});
  }
  return outcome.kind === "refused"
    ? failed(state, {})
    : answersRefused({ ...begun(state), ...at("questions") }, { outcome });
}

/**
 * What became of a ballot that was handed in; null: nobody knows yet.
 *
 * @type {Rule}
 */
export function ballotEnded(state, { outcome }) {
  if (outcome === null) {
    // Patience is over: the page may lie open for long, and a new permit can be asked for again.
    return move(state, { busy: null }, { do: "forget", what: "visit" });
  }
  if (outcome.kind === "accepted") {
    return move(
      state,
      { ...at("receipt"), outcome, standing: "cast", mayBeOut: false, hasKept: false },
      forgetAll(),
    );
  }
  if (outcome.kind === "receipt-doubtful") {
    // Not final: the ballot stays kept, and a reload asks again.
    return move(state, { ...at("receipt-doubtful"), outcome }, { do: "forget", what: "visit" });
  }
  return over(state, outcome.kind, outcome);
}

/**
 * The visit can't go on; a ballot that may be out still can, with the permit that it has.
 *
 * @param {State} state
 * @param {Outcome} outcome
 */
export function visitEnded(state, outcome) {
  const isForGood = VISIT_ENDS.has(outcome.kind);
  if (!isForGood && (state.mayBeOut || state.hasKept)) {
    return /** @type {Move} */ (failed(state, {})); // that says nothing of the kept ballot
  }
  if (state.mayBeOut) {
    return move(
      begun(state),
      { ...at("sending"), hasKept: false, busy: "handing-in" },
      { do: "hand-in-as-is" },
    );
  }
  return ended(state, isForGood ? outcome.kind : "refused", outcome);
}

/**
 * The visit ends with nothing cast.
 *
 * @param {State} state
 * @param {string} step
 * @param {Outcome | null} [outcome]
 */
function ended(state, step, outcome = null) {
  if (state.mayBeOut) {
    throw new Error(`Only votes ends the way of a ballot that may be out, not ${step}.`);
  }
  return over(state, step, outcome);
}

/**
 * Nothing goes on from here, and nothing stays kept.
 *
 * @param {State} state
 * @param {string} step
 * @param {Outcome | null} outcome
 */
function over(state, step, outcome) {
  const nothing = { mayBeOut: false, hasKept: false, standing: /** @type {const} */ ("none") };
  return move(
    begun(state),
    { ...at(/** @type {Step} */ (step)), ...nothing, outcome },
    forgetAll(),
  );
}

/** Why a code can't be used online now; whatever else refuses a step may pass. */
export const VISIT_ENDS = new Set([
  "already-voted",
  "post-received",
  "replaced",
  "withdrawn",
  "locked",
  "closed",
  "not-open",
  "no-online",
]);

/** The voter's secrets, the choices and the kept ballot. @returns {Effect} */
export function forgetAll() {
  return { do: "forget", what: "all" };
}
