/**
 * Every way through the booth that can happen at all, walked breadth first.
 *
 * The promise (P4): a ballot that may be out is never forgotten, replaced, or said not to be cast
 * before `votes` itself has told what became of it.
 */

import assert from "node:assert/strict";
import { it } from "node:test";

import { arrived } from "../../booth/state.js";
import { next } from "../../booth/visit.js";

/** @typedef {import("../../booth/state.js").State} State */

const KINDS = [
  ...["accepted", "receipt-doubtful", "already-voted", "closed", "refused", "wrong-answers"],
  ...["code-refused", "visit-over", "locked"],
];
const PRESSED = [
  ...["begin", "audit", "audited", "cast", "again", "restart", "back", "extend", "warned"],
  ...["renewed", "timed-out"],
];
/** What a ballot's own answer is never of. */
const OF_A_VISIT = new Set(["wrong-answers", "code-refused", "visit-over", "locked"]);
/** What the state of a code is never. */
const NO_STATE = new Set(["accepted", "receipt-doubtful", "wrong-answers"]);
const LONGEST_WAY = 14;

/** Return every event there is. @param {State} state @returns {any[]} */
function events({ turn }) {
  const outcomes = [null, ...KINDS.map((kind) => ({ kind }))];
  const flags = [true, false];
  return [
    ...PRESSED.map((type) => ({ type })),
    ...["code", "answers", "choice"].map((type) => ({ type, problems: [] })),
    { type: "change", question: 0 },
    ...flags.flatMap((mayBeOut) =>
      flags.map((isExpired) => ({ type: "kept", mayBeOut, isExpired, tracker: "T" })),
    ),
    { type: "other-tab", tracker: "T" },
    ...["proved", "opened", "away", "failed", "other-ballot", "lapsed"].map((type) => ({ type, turn })),
    ...flags.flatMap((mayBeOut) =>
      outcomes.map((outcome) => ({ type: "asked", turn, outcome, mayBeOut })),
    ),
    ...["permitted", "stated", "refused", "ended"].flatMap((type) =>
      outcomes.map((outcome) => ({ type, turn, outcome })),
    ),
    ...outcomes.map((outcome) => ({ type: "not-renewed", outcome })),
    { type: "sealed", turn, tracker: "T", isSafe: true },
    ...flags.map((mayBeOut) => ({ type: "noted", turn, mayBeOut })),
  ];
}

/** @type {Record<string, (state: State, event: any) => boolean>} */
const FEASIBLE = {
  proved: ({ busy }) => busy === "code",
  permitted: ({ busy }) => busy === "answers",
  refused: ({ busy }, { outcome }) => (busy === "code" || busy === "answers") && outcome !== null,
  stated: ({ busy }, { outcome }) => busy === "state" && !NO_STATE.has(outcome?.kind),
  ended: ({ busy }, { outcome }) => busy === "handing-in" && !OF_A_VISIT.has(outcome?.kind),
  asked: ({ busy }, { outcome }) => busy === "asking" && !OF_A_VISIT.has(outcome?.kind),
  lapsed: ({ busy }) => busy === "handing-in",
  noted: ({ busy }) => busy === "handing-in",
  sealed: ({ busy }) => busy === "sealing",
  opened: ({ busy }) => busy === "opening",
  away: ({ busy }) => busy !== null,
  failed: ({ busy }) => busy !== null,
  "other-ballot": ({ busy }) => busy === "answers",
  renewed: ({ isRenewing }) => isRenewing,
  "not-renewed": ({ isRenewing }) => isRenewing,
};

/** Return what is broken by a move, or null. @param {State} state @param {any} event */
function broken(state, event) {
  const { state: after, effects } = next(state, event);
  const isOfVotes = ["ended", "asked"].includes(event.type) && event.outcome !== null;
  const forgets = effects.some((one) => one.do === "forget" && FORGETS_BALLOT.has(one.what));
  if (state.mayBeOut && !isOfVotes && forgets) {
    return "a ballot that may be out is forgotten";
  }
  if (state.mayBeOut && !after.mayBeOut && !isOfVotes && !TOLD_BY_GATEWAY.has(event.type)) {
    return "a ballot that may be out is taken for one that isn't";
  }
  if (after.mayBeOut && effects.some((one) => one.do === "seal")) {
    return "another ballot is sealed while one may be out";
  }
  return after.mayBeOut && after.standing !== "not-known"
    ? `the page says ${after.standing} while a ballot may be out`
    : null;
}

/** Events by which the gateway itself says that it knows of no copy. */
const TOLD_BY_GATEWAY = new Set(["noted", "asked"]);
const FORGETS_BALLOT = new Set(["ballot", "all"]);

/** @param {State} state */
function keyOf(state) {
  const { problems, outcome } = state;
  return JSON.stringify({ ...state, turn: 0, problems: problems.length, outcome: outcome?.kind });
}

/** Return what is broken anywhere, with the way that leads there. */
function walked() {
  const seen = new Set();
  const found = /** @type {string[]} */ ([]);
  const waiting = [{ state: arrived(1), way: /** @type {string[]} */ ([]) }];
  for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
    const { state, way } = one;
    for (const event of events(state)) {
      if (FEASIBLE[event.type]?.(state, event) === false) continue;
      const here = [...way, `${event.type} ${event.outcome?.kind ?? ""}`];
      const wrong = broken(state, event);
      if (wrong !== null) found.push(`${wrong}: ${here.join(" > ")}`);
      const { state: after } = next(state, event);
      if (!seen.has(keyOf(after)) && way.length < LONGEST_WAY) {
        seen.add(keyOf(after));
        waiting.push({ state: after, way: here });
      }
    }
  }
  return { found, states: seen.size };
}

it("never forgets, replaces or belies a ballot that may be out, whatever happens", () => {
  const { found, states } = walked();
  assert.deepEqual(found, []);
  assert.ok(states > 100, `only ${states} states were reached`);
});
