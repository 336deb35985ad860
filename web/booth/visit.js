/**
 * A voter's way through the booth as a pure state machine: a state and an event give the next state
 * and what is to be done.
 *
 * Promises that what a state says of the vote (`standing`) is true in each of them; that a ballot
 * which may be out is handed in again, never another in its place, and its way ends only at a
 * receipt or a final refusal; and that what comes too late for a step is ignored. A state holds no
 * code, key, answer or choice: those lie in the entry module's closure. Does nothing itself.
 *
 * @module
 */

import {
  answersRefused,
  away,
  ballotEnded,
  failed,
  forgetAll,
  notRenewed,
  permitted,
  timedOut,
  VISIT_ENDS,
  visitEnded,
} from "./endings.js";
import { arrived, at, begun, ENDS, move, still, TIMED } from "./state.js";

/**
 * @typedef {import("./outcomes.js").Outcome} Outcome
 * @typedef {import("./state.js").Effect} Effect
 * @typedef {import("./state.js").Event} Event
 * @typedef {import("./state.js").Move} Move
 * @typedef {import("./state.js").Problem} Problem
 * @typedef {import("./state.js").Rule} Rule
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Step} Step
 */

/**
 * Return what follows from an event; the same state where the event means nothing there.
 *
 * @param {State} state
 * @param {Event} event
 * @returns {Move}
 */
export function next(state, event) {
  if ("turn" in event && event.turn !== state.turn) {
    return still(state);
  }
  const everywhere = ANYWHERE[event.type]?.(state, event);
  if (everywhere) {
    return everywhere;
  }
  return STEPS[state.step]?.[event.type]?.(state, event) ?? still(state);
}

/** @type {Record<string, Rule>} */
const ANYWHERE = {
  warned: (state) => (TIMED.has(state.step) ? move(state, { warns: true }) : undefined),
  extend: (state) => {
    if (!state.warns || state.isRenewing) {
      return undefined;
    }
    return state.step === "code"
      ? move(state, { warns: false }, { do: "linger" })
      : move(state, { isRenewing: true, problems: [] }, { do: "renew" });
  },
  renewed: (state) => move(state, { isRenewing: false, warns: false }),
  "not-renewed": notRenewed,
  "timed-out": timedOut,
  "other-ballot": (state) =>
    state.hasKept
      ? move(begun(state), at("other-ballot"), { do: "forget", what: "visit" })
      : undefined,
};

/** @type {Partial<Record<Step, Record<string, Rule>>>} */
const STEPS = {
  start: {
    begin: (state) => move(state, { ...at("code"), standing: standingOf(state) }),
    kept: resumed,
    "other-tab": (state, { tracker }) =>
      move(begun(state), {
        ...at("other-tab"),
        ...{ mayBeOut: true, standing: /** @type {const} */ ("not-known"), tracker },
      }),
    "timed-out": (state) => move(state, {}, { do: "forget", what: "visit" }), // a scanned code
  },
  code: {
    code: (state, { problems }) => asked(state, problems, "code", "enter"),
    proved: (state) => move(state, { ...at("questions"), warns: false }),
    refused: (state, { outcome }) =>
      outcome.kind === "code-refused" || outcome.kind === "visit-over"
        ? move(state, { busy: null, problems: [{ word: outcome.kind, field: "code" }] })
        : visitEnded(state, outcome),
    away,
    failed,
    back: (state) =>
      move(begun(state), { ...at(state.hasKept ? "resume" : "start") }, { do: "forget", what: "visit" }),
  },
  questions: {
    answers: (state, { problems }) => asked(state, problems, "answers", "answer"),
    permitted,
    refused: answersRefused,
    away,
    failed,
    back: (state) => move(begun(state), at("code"), { do: "forget", what: "session" }),
  },
  choose: {
    choice: chosen,
    back: (state) => {
      if (state.isReturning) {
        return sealing(state);
      }
      return state.question > 0
        ? move(state, { ...at("choose"), question: state.question - 1 })
        : move(state, at("questions"));
    },
  },
  check: {
    sealed: (state, { tracker, isSafe }) => move(state, { busy: null, tracker, isSafe }),
    failed: (state) => move(state, { busy: null, problems: [{ word: "failed" }] }),
    change: (state, { question }) =>
      move(
        begun(state),
        { ...at("choose"), question, isReturning: true, tracker: "" },
        { do: "forget", what: "ballot" },
      ),
    cast: (state) =>
      isSealed(state)
        ? move(
            begun(state),
            { ...at("sending"), busy: "state" },
            { do: "forget", what: "choices" },
            { do: "ask-state" },
          )
        : undefined,
    audit: (state) =>
      isSealed(state)
        ? move(
            begun(state),
            { ...at("audit"), busy: "opening" },
            { do: "forget", what: "ballot" },
            { do: "open" },
          )
        : undefined,
    again: (state) => (state.tracker === "" && state.busy === null ? sealing(state) : undefined),
    back: (state) =>
      move(
        begun(state),
        { ...at("choose"), question: state.questions - 1, tracker: "" },
        { do: "forget", what: "ballot" },
      ),
  },
  audit: {
    opened: (state) => move(state, { busy: null }),
    audited: sealing,
    back: sealing,
  },
  resume: {
    asked: (state, { outcome, mayBeOut }) =>
      outcome === null
        ? move(state, { busy: null, mayBeOut, standing: mayBeOut ? "not-known" : "not-cast" })
        : ballotEnded(state, { outcome }),
    away: (state) => move(state, { busy: null }),
    failed: (state) => move(state, { busy: null }),
    again: (state) =>
      state.busy === null && state.mayBeOut
        ? move(begun(state), { busy: "asking" }, { do: "ask-ballot" })
        : undefined,
    cast: (state) => {
      if (state.busy !== null) {
        return undefined;
      }
      return state.hasKept
        ? move(state, at("code"))
        : move(begun(state), { ...at("sending"), busy: "handing-in" }, { do: "hand-in" });
    },
    restart: (state) =>
      state.mayBeOut
        ? undefined // what may be out is handed in again, never replaced
        : move(anew(state), { ...at("code"), standing: "not-cast" }, forgetAll()),
  },
  sending: {
    stated: (state, { outcome }) => {
      if (outcome === null) {
        return move(state, { busy: "handing-in" }, { do: "hand-in" });
      }
      // Anything else says nothing of the code: the sealed ballot stays, and may be tried again.
      return VISIT_ENDS.has(outcome.kind) ? visitEnded(state, outcome) : move(state, { busy: null });
    },
    lapsed: (state) =>
      move(
        begun(state),
        { ...at("resume"), hasKept: true, busy: "asking" },
        { do: "forget", what: "visit" },
        { do: "ask-ballot" },
      ),
    "timed-out": (state) =>
      state.busy === null ? move(state, {}, { do: "forget", what: "visit" }) : undefined,
    away: (state) => move(state, { busy: null }),
    failed: (state) => move(state, { busy: null }),
    noted: (state, { mayBeOut }) =>
      move(state, { mayBeOut, standing: mayBeOut ? "not-known" : "not-cast" }),
    ended: ballotEnded,
    again: (state) => {
      if (state.busy !== null) {
        return undefined;
      }
      const asks = !state.mayBeOut && !state.hasKept;
      return asks
        ? move(begun(state), { busy: "state" }, { do: "ask-state" })
        : move(begun(state), { busy: "handing-in" }, { do: "hand-in" });
    },
    back: (state) => move(state, {}, { do: "stay" }),
  },
};

for (const end of ENDS) {
  STEPS[end] = {
    restart: (state) =>
      state.mayBeOut ? undefined : move(anew(state), {}, forgetAll()),
  };
}

/**
 * @param {State} state
 * @param {readonly Problem[]} problems
 * @param {"code" | "answers"} busy
 * @param {"enter" | "answer"} effect
 */
function asked(state, problems, busy, effect) {
  if (state.busy !== null) {
    return undefined;
  }
  return problems.length > 0
    ? move(state, { problems })
    : move(begun(state), { busy, problems: [] }, { do: effect });
}

/**
 * A ballot that is found may be out, whatever this tab remembers, until the gateway was asked: tabs
 * are copied, and browsers restore them as they were a while ago.
 *
 * @type {Rule}
 */
function resumed(state, { mayBeOut, isExpired, tracker }) {
  const found = { mayBeOut: true, hasKept: isExpired, tracker, standing: "not-known" };
  // With a permit that has expired it would be refused for good, had no copy arrived before.
  return mayBeOut && !isExpired
    ? move(begun(state), { ...at("sending"), ...found, busy: "handing-in" }, { do: "hand-in" })
    : move(begun(state), { ...at("resume"), ...found, busy: "asking" }, { do: "ask-ballot" });
}

/** @type {Rule} */
function chosen(state, { problems }) {
  if (problems.length > 0) {
    return move(state, { problems });
  }
  const isLast = state.question === state.questions - 1;
  return isLast || state.isReturning
    ? sealing(state)
    : move(state, { ...at("choose"), question: state.question + 1 });
}

/** @param {State} state */
function sealing(state) {
  return move(
    begun(state),
    { ...at("check"), busy: "sealing", isReturning: false, tracker: "" },
    { do: "seal" },
  );
}

/** The first page again; what was asked for before comes too late there, too. @param {State} state */
function anew(state) {
  return begun({ ...arrived(state.questions), turn: state.turn });
}

/** @param {State} state */
function isSealed(state) {
  return state.tracker !== "" && state.busy === null;
}

/** @param {State} state */
function standingOf(state) {
  return state.mayBeOut ? "not-known" : "not-cast";
}
