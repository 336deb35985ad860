/**
 * What a visit to the booth can be: its steps, events and effects, and how one state becomes another.
 *
 * Promises nothing of its own but the words for it: the rules are in `visit.js`. A state holds no
 * code, key, answer or choice.
 *
 * @module
 */

/**
 * @typedef {import("./outcomes.js").Outcome} Outcome
 *
 * @typedef {"start" | "code" | "questions" | "choose" | "check" | "audit" | "resume" | "sending" |
 *   "receipt" | EndStep} Step
 *
 * @typedef {"already-voted" | "post-received" | "replaced" | "withdrawn" | "locked" | "closed" |
 *   "not-open" | "no-online" | "expired" | "refused" | "receipt-doubtful" | "timed-out" |
 *   "other-ballot" | "other-tab"} EndStep
 *
 * @typedef {object} Problem  what keeps the voter at this step, by a word that the page has
 * @property {string} word
 * @property {string} [field]  id of the field that it is about
 * @property {string} [group]  id of the fields that belong together, where it isn't the field's
 * @property {string} [about]  the question, where several are asked at this step
 * @property {number} [remaining]
 * @property {number} [min]
 * @property {number} [max]
 *
 * @typedef {object} State
 * @property {Step} step
 * @property {"code" | "answers" | "sealing" | "opening" | "state" | "handing-in" | "asking" |
 *   null} busy
 * @property {"none" | "not-cast" | "not-known" | "cast"} standing  what is true of the vote
 * @property {number} turn  counts what was begun: an event of an earlier turn comes too late
 * @property {number} question  which question of the ballot is shown, from 0
 * @property {number} questions  how many there are
 * @property {boolean} isReturning  whether a change link led to the question
 * @property {boolean} mayBeOut  whether a copy of the sealed ballot may have gone out
 * @property {boolean} hasKept  whether a ballot from before a reload waits for a new permit
 * @property {boolean} isSafe  whether a reload would find the sealed ballot
 * @property {boolean} warns  whether the time-out is near
 * @property {boolean} isRenewing
 * @property {string} tracker
 * @property {readonly Problem[]} problems
 * @property {Outcome | null} outcome
 *
 * @typedef {"session" | "visit" | "choices" | "ballot" | "all"} Forgettable  session: all but the
 *   code that is typed; choices: all that isn't needed once "Cast" is pressed; all: the ballot too
 *
 * @typedef {{do: "enter" | "answer" | "seal" | "open" | "ask-state" | "hand-in" | "hand-in-as-is" |
 *   "ask-ballot" | "renew" | "linger" | "stay"} | {do: "forget", what: Forgettable}} Effect
 *
 * @typedef {{type: "begin" | "audit" | "audited" | "cast" | "again" | "restart" | "back" | "extend" |
 *   "warned" | "renewed" | "timed-out"}
 *   | {type: "not-renewed", outcome: Outcome | null}
 *   | {type: "code" | "answers" | "choice", problems: readonly Problem[]}
 *   | {type: "change", question: number}
 *   | {type: "kept", mayBeOut: boolean, isExpired: boolean, tracker: string}
 *   | {type: "other-tab", tracker: string}
 *   | {type: "proved" | "opened" | "away" | "failed" | "other-ballot" | "lapsed", turn: number}
 *   | {type: "asked", turn: number, outcome: Outcome | null, mayBeOut: boolean}
 *   | {type: "permitted" | "stated" | "refused" | "ended", turn: number, outcome: Outcome | null}
 *   | {type: "sealed", turn: number, tracker: string, isSafe: boolean}
 *   | {type: "noted", turn: number, mayBeOut: boolean}} Event
 *
 * @typedef {{state: State, effects: readonly Effect[]}} Move
 * @typedef {(state: State, event: any) => Move | undefined} Rule  undefined: it means nothing here
 */

/** The steps at which a time-out is near after a while: something secret lies open in the page. */
export const TIMED = new Set(["code", "questions", "choose", "check", "audit"]);

/** @type {ReadonlySet<Step>} */
export const ENDS = new Set([
  "already-voted",
  "post-received",
  "replaced",
  "withdrawn",
  "locked",
  "closed",
  "not-open",
  "no-online",
  "expired",
  "refused",
  "receipt-doubtful",
  "timed-out",
  "other-ballot",
  "other-tab",
]);

/**
 * Return the state of a page that has just been loaded.
 *
 * @param {number} questions  of the ballot
 * @returns {State}
 */
export function arrived(questions) {
  return {
    step: "start",
    busy: null,
    standing: "none",
    turn: 0,
    question: 0,
    questions,
    isReturning: false,
    mayBeOut: false,
    hasKept: false,
    isSafe: true,
    warns: false,
    isRenewing: false,
    tracker: "",
    problems: [],
    outcome: null,
  };
}

/** Return whether the visit is over on this page. @param {State} state */
export function isOver({ step }) {
  return step === "receipt" || ENDS.has(step);
}

/** Return whether leaving the page needs a word of warning. @param {State} state */
export function isHalfCast({ step }) {
  return step === "check" || step === "audit" || step === "sending";
}

/**
 * What is true of a step that is just reached.
 *
 * @param {Step} step
 * @returns {Partial<State>}
 */
export function at(step) {
  const isTimed = TIMED.has(step) && step !== "code"; // whose own time begins when it is reached
  return {
    step,
    busy: null,
    problems: [],
    ...(isTimed ? {} : { warns: false, isRenewing: false }),
  };
}

/**
 * The state with a new turn: answers to what was asked before come too late.
 *
 * @param {State} state
 */
export function begun(state) {
  return { ...state, turn: state.turn + 1 };
}

/**
 * @param {State} state
 * @param {object} change
 * @param {...Effect} effects
 * @returns {Move}
 */
export function move(state, change, ...effects) {
  return { state: { ...state, ...change }, effects };
}

/** @param {State} state */
export function still(state) {
  return { state, effects: [] };
}
