/**
 * The voter's way: what each step becomes of, and that what it says of the vote is true.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { arrived, isHalfCast, isOver } from "../../booth/state.js";
import { next } from "../../booth/visit.js";

const AWAY = { kind: "away" };

/** Return a machine that is told events, with what it wants done. */
function machine(questions = 2) {
  const made = {
    state: arrived(questions),
    /** @type {string[]} */
    effects: [],
    /** @param {any} event */
    tell(event) {
      const isAnswer = ANSWERS.has(event.type) && !("turn" in event);
      const told = isAnswer ? { ...event, turn: made.state.turn } : event;
      const moved = next(made.state, told);
      made.state = moved.state;
      made.effects = moved.effects.map((effect) =>
        "what" in effect ? `${effect.do} ${effect.what}` : effect.do,
      );
      return made;
    },
    /** @param {...(string | object)} events */
    through(...events) {
      for (const event of events) made.tell(typeof event === "string" ? { type: event } : event);
      return made;
    },
  };
  return made;
}

const ANSWERS = new Set([
  ...["proved", "opened", "away", "failed", "other-ballot", "permitted", "stated", "refused"],
  ...["ended", "sealed", "noted", "asked", "lapsed"],
]);
const CODE = { type: "code", problems: [] };
const ANSWERED = { type: "answers", problems: [] };
const CHOICE = { type: "choice", problems: [] };
const ACTIVE = { type: "permitted", outcome: null };
const UNUSED = { type: "stated", outcome: null };
const SEALED = { type: "sealed", tracker: "T1", isSafe: true };
const WRONG = [{ word: "too-few", field: "choice" }];

const refused = (/** @type {string} */ kind, more = {}) => ({
  type: "refused",
  outcome: { kind, atMs: 7, ...more },
});
const ended = (/** @type {string | null} */ kind) => ({
  type: "ended",
  outcome: kind === null ? null : { kind, atMs: 7 },
});
const asked = (/** @type {boolean} */ mayBeOut) => ({ type: "asked", outcome: null, mayBeOut });
const noted = (/** @type {boolean} */ mayBeOut) => ({ type: "noted", mayBeOut });
const kept = (/** @type {boolean} */ mayBeOut, isExpired = false) => ({
  type: "kept",
  mayBeOut,
  isExpired,
  tracker: "T0",
});

const atCode = () => machine().through("begin");
const atQuestions = () => atCode().through(CODE, "proved");
const atChoose = () => atQuestions().through(ANSWERED, ACTIVE);
const atCheck = () => atChoose().through(CHOICE, CHOICE, SEALED);
const atSending = () => atCheck().through("cast", UNUSED);

/** @param {any} found @param {object} wanted @param {...string} wantedEffects */
function has({ state, effects }, wanted, ...wantedEffects) {
  const picked = Object.fromEntries(Object.keys(wanted).map((key) => [key, state[key]]));
  assert.deepEqual(picked, wanted);
  assert.deepEqual(effects, wantedEffects);
}

describe("the way to a receipt", () => {
  it("asks for code, answers, each choice, seals, asks for the state, hands in, and ends", () => {
    const way = machine(1);
    has(way.tell({ type: "begin" }), { step: "code", standing: "not-cast" });
    has(way.tell(CODE), { step: "code", busy: "code" }, "enter");
    has(way.tell({ type: "proved" }), { step: "questions", busy: null });
    has(way.tell(ANSWERED), { step: "questions", busy: "answers" }, "answer");
    has(way.tell(ACTIVE), { step: "choose", question: 0, busy: null });
    has(way.tell(CHOICE), { step: "check", busy: "sealing", tracker: "" }, "seal");
    has(way.tell(SEALED), { step: "check", busy: null, tracker: "T1", standing: "not-cast" });
    has(way.tell({ type: "cast" }), { step: "sending", busy: "state" }, "forget choices", "ask-state");
    has(way.tell(UNUSED), { step: "sending", busy: "handing-in" }, "hand-in");
    has(way.tell(noted(true)), { standing: "not-known", mayBeOut: true });
    has(way.tell(ended("accepted")), { step: "receipt", standing: "cast" }, "forget all");
    assert.equal(isOver(way.state), true);
  });

  it("shows one question after the other, and seals after the last", () => {
    const way = atChoose();
    has(way.tell(CHOICE), { step: "choose", question: 1 });
    has(way.tell(CHOICE), { step: "check", busy: "sealing" }, "seal");
  });

  it("goes from a change link to that question and back to the check, with a new ballot", () => {
    const way = atCheck();
    has(
      way.tell({ type: "change", question: 0 }),
      { step: "choose", question: 0, isReturning: true, tracker: "" },
      "forget ballot",
    );
    has(way.tell(CHOICE), { step: "check", isReturning: false, busy: "sealing" }, "seal");
  });

  it("tells where a reload would lose the sealed ballot", () => {
    const way = atChoose().through(CHOICE, CHOICE, { ...SEALED, isSafe: false });
    has(way, { isSafe: false, tracker: "T1" });
  });
});

describe("what is wrong with what was typed", () => {
  it("keeps the voter at the code, and asks nobody", () => {
    const problems = [{ word: "bad_check", field: "code" }];
    has(atCode().tell({ type: "code", problems }), { step: "code", problems, busy: null });
  });

  it("keeps the voter at the questions, and costs no attempt", () => {
    const problems = [{ word: "missing", field: "fact-postcode" }];
    has(atQuestions().tell({ type: "answers", problems }), { step: "questions", problems });
  });

  it("keeps the voter at a choice that isn't allowed", () => {
    has(atChoose().tell({ type: "choice", problems: WRONG }), {
      step: "choose",
      question: 0,
      problems: WRONG,
    });
  });

  it("is forgotten with the next try", () => {
    const problems = [{ word: "bad_check" }];
    has(atCode().through({ type: "code", problems }, CODE), { problems: [] }, "enter");
    const way = atQuestions().through({ type: "answers", problems }, ANSWERED);
    has(way, { problems: [] }, "answer");
    has(atChoose().through({ type: "choice", problems }, CHOICE), { problems: [] });
  });
});

describe("refusals on the way", () => {
  it("tells of a code that isn't accepted at its field", () => {
    const way = atCode().through(CODE, refused("code-refused"));
    has(way, { step: "code", busy: null, problems: [{ word: "code-refused", field: "code" }] });
  });

  for (const kind of ["not-open", "closed", "no-online"]) {
    it(`ends at a booth that is ${kind}`, () => {
      has(atCode().through(CODE, refused(kind)), { step: kind, standing: "none" }, "forget all");
    });
  }

  it("tells how many attempts are left after wrong answers", () => {
    const way = atQuestions().through(ANSWERED, refused("wrong-answers", { remaining: 2 }));
    has(way, { step: "questions", busy: null, problems: [{ word: "wrong-answers", remaining: 2 }] });
  });

  it("ends where the answers lock the online channel", () => {
    has(atQuestions().through(ANSWERED, refused("locked")), { step: "locked" }, "forget all");
  });

  it("asks for the code again where the visit is over", () => {
    const way = atQuestions().through(ANSWERED, refused("visit-over"));
    has(way, { step: "code", problems: [{ word: "visit-over", field: "code" }] }, "forget session");
  });

  for (const kind of ["already-voted", "post-received", "replaced", "withdrawn"]) {
    it(`shows its own page to who proved the code and passed the questions: ${kind}`, () => {
      const told = { type: "permitted", outcome: { kind, atMs: 9 } };
      const way = atQuestions().through(ANSWERED, told);
      has(way, { step: kind, standing: "none" }, "forget all");
      assert.equal(way.state.outcome?.atMs, 9);
    });

    it(`asks for the state before it hands in, so that a second vote isn't sent: ${kind}`, () => {
      const told = { type: "stated", outcome: { kind, atMs: 9 } };
      has(atCheck().through("cast", told), { step: kind }, "forget all");
    });
  }

  it("ends with the code for the helpline where it knows no page", () => {
    const way = atQuestions().through(ANSWERED, refused("nobody-knows", { code: "odd" }));
    has(way, { step: "refused" }, "forget all");
    assert.equal(way.state.outcome?.code, "odd");
  });
});

describe("a service that doesn't answer", () => {
  const steps = { code: atCode().through(CODE), questions: atQuestions().through(ANSWERED) };
  for (const [step, way] of Object.entries(steps)) {
    it(`keeps the voter at ${step}, who may try again`, () => {
      const before = structuredClone(way.state);
      has(way.tell({ type: "away" }), { step, busy: null, problems: [{ word: "away" }] });
      assert.equal(before.step, step);
    });
  }

  it("says that the vote isn't cast yet where the state can't be asked for", () => {
    const way = atCheck().through("cast", { type: "away" });
    has(way, { step: "sending", busy: null, standing: "not-cast" });
    has(way.tell({ type: "again" }), { busy: "state" }, "ask-state");
  });

  it("says what is true of the vote after each request, and offers to try again", () => {
    const way = atSending();
    has(way.tell(noted(true)), { standing: "not-known" });
    has(way.tell(noted(false)), { standing: "not-cast" });
    has(way.tell(noted(true)), { standing: "not-known" });
    has(way.tell(ended(null)), { busy: null, standing: "not-known" }, "forget visit");
    has(way.tell({ type: "again" }), { busy: "handing-in", standing: "not-known" }, "hand-in");
  });

  for (const kind of ["refused", "visit-over", "code-refused", "wrong-answers"]) {
    it(`keeps the sealed ballot where the code's state can't be had, and may try again: ${kind}`, () => {
      const way = atCheck().through("cast", { type: "stated", outcome: { kind, atMs: 0 } });
      has(way, { step: "sending", busy: null, standing: "not-cast", tracker: "T1" });
      has(way.tell({ type: "again" }), { busy: "state" }, "ask-state");
    });
  }

  it("asks for code and answers again where the permit lapsed meanwhile, for the same ballot", () => {
    const way = atSending().through({ type: "lapsed" });
    has(way, { step: "resume", hasKept: true, tracker: "T1" }, "forget visit", "ask-ballot");
    has(way.through(asked(false), "cast"), { step: "code", hasKept: true, standing: "not-cast" });
  });

  it("says nothing of a ballot that may be out but that it stays kept", () => {
    const way = machine().through(kept(true, true), asked(true), "cast", CODE);
    has(way.tell({ type: "away" }), { step: "code", problems: [{ word: "away-kept" }] });
    has(way.through(CODE, { type: "failed" }), { problems: [{ word: "failed-kept" }] });
    has(way.through(CODE, refused("refused")), { step: "code", problems: [{ word: "failed-kept" }] });
  });

  it("forgets who waits for too long with a ballot that couldn't be handed in, and keeps the ballot", () => {
    const way = atCheck().through("cast", { type: "away" }, "timed-out");
    has(way, { step: "sending", tracker: "T1" }, "forget visit");
    has(atSending().tell({ type: "timed-out" }), { step: "sending", busy: "handing-in" });
  });

  it("asks for nothing twice while it is busy", () => {
    has(atSending().tell({ type: "again" }), { busy: "handing-in" });
    has(atChoose().through(CHOICE, CHOICE, "cast"), { step: "check", busy: "sealing" });
    has(atChoose().through(CHOICE, CHOICE, "audit"), { step: "check", busy: "sealing" });
  });

  it("offers to seal again where sealing failed", () => {
    const way = atChoose().through(CHOICE, CHOICE, { type: "failed" });
    has(way, { step: "check", busy: null, problems: [{ word: "failed" }] });
    has(way.tell({ type: "again" }), { busy: "sealing", problems: [] }, "seal");
  });
});

describe("a ballot that was handed in", () => {
  for (const kind of ["already-voted", "post-received", "replaced", "withdrawn", "closed", "expired"]) {
    it(`ends at a final refusal: ${kind}`, () => {
      has(atSending().through(noted(true), ended(kind)), { step: kind }, "forget all");
    });
  }

  it("stays kept where the receipt isn't signed, and the page offers no other ballot", () => {
    const way = atSending().through(noted(true), ended("receipt-doubtful"));
    has(way, { step: "receipt-doubtful", standing: "not-known", mayBeOut: true }, "forget visit");
    has(way.tell({ type: "restart" }), { step: "receipt-doubtful" });
  });

  it("begins again after a refusal, from the start", () => {
    const way = atSending().through(noted(true), ended("expired"), "restart");
    has(way, { step: "start", mayBeOut: false, standing: "none" }, "forget all");
  });

  it("can't be left by the back button, which tells what is known", () => {
    has(atSending().through(noted(true), "back"), { step: "sending", standing: "not-known" }, "stay");
  });

  it("is over with the receipt: nothing leads back", () => {
    const way = atSending().through(noted(true), ended("accepted"));
    for (const type of ["back", "cast", "audit", "again", "begin", "extend", "timed-out"]) {
      has(way.tell({ type }), { step: "receipt", standing: "cast" });
    }
  });
});

describe("a reload", () => {
  it("asks at once what became of a ballot that may be out", () => {
    const way = machine().through(kept(true));
    has(way, { step: "sending", busy: "handing-in", standing: "not-known", tracker: "T0" }, "hand-in");
    has(way.tell(ended("accepted")), { step: "receipt" }, "forget all");
  });

  it("asks first, and then waits for the voter's word where the ballot never went out", () => {
    const way = machine().through(kept(false));
    has(way, { step: "resume", busy: "asking", standing: "not-known", tracker: "T0" }, "ask-ballot");
    has(way.tell({ type: "restart" }), { step: "resume" });
    has(way.tell(asked(false)), { step: "resume", busy: null, standing: "not-cast" });
    has(way.tell({ type: "cast" }), { step: "sending", busy: "handing-in" }, "hand-in");
  });

  it("lets a ballot that never went out be dropped, and begins again", () => {
    const way = machine().through(kept(false), asked(false), "restart");
    has(way, { step: "code", hasKept: false }, "forget all");
  });

  it("takes a ballot for one that may be out where nobody could be asked, and asks again", () => {
    for (const told of [asked(true), { type: "away" }]) {
      const way = machine().through(kept(false), told);
      has(way.tell({ type: "restart" }), { step: "resume", busy: null, standing: "not-known" });
      has(way.tell({ type: "again" }), { busy: "asking", mayBeOut: true }, "ask-ballot");
    }
  });

  it("finds a receipt where an older copy of the tab came back", () => {
    const told = { type: "asked", outcome: { kind: "accepted", atMs: 7 }, mayBeOut: false };
    has(machine().through(kept(false), told), { step: "receipt", standing: "cast" }, "forget all");
  });

  it("does nothing with a ballot that another tab has in hand", () => {
    const way = machine().through({ type: "other-tab", tracker: "T0" });
    has(way, { step: "other-tab", standing: "not-known", tracker: "T0" });
    for (const type of ["restart", "cast", "begin", "again"]) {
      has(way.tell({ type }), { step: "other-tab", standing: "not-known" });
    }
  });

  it("never drops a ballot that may be out", () => {
    const way = machine().through(kept(true, true), asked(true));
    has(way.tell({ type: "restart" }), { step: "resume", standing: "not-known" });
  });

  it("asks what is known before it hands in with an expired permit", () => {
    const way = machine().through(kept(true, true));
    has(way, { step: "resume", busy: "asking", standing: "not-known" }, "ask-ballot");
    has(way.tell({ ...asked(true), outcome: { kind: "accepted" } }), { step: "receipt" }, "forget all");
  });

  it("asks for code and answers anew where the permit has expired, for the same ballot", () => {
    const way = machine().through(kept(true, true), asked(true), "cast");
    has(way, { step: "code", hasKept: true, standing: "not-known" });
    has(way.through(CODE, "proved", ANSWERED, ACTIVE), { step: "sending" }, "hand-in");
  });

  it("hands in the ballot that may be out whatever the code's state is", () => {
    const spent = { type: "permitted", outcome: { kind: "already-voted", atMs: 3 } };
    const way = machine().through(kept(true, true), asked(true), "cast", CODE, "proved", ANSWERED);
    has(way.tell(spent), { step: "sending", busy: "handing-in" }, "hand-in");
  });

  it("doesn't hand in a ballot that never went out where another counts", () => {
    const spent = { type: "permitted", outcome: { kind: "already-voted", atMs: 3 } };
    const way = machine().through(kept(false, true), asked(false), "cast", CODE, "proved", ANSWERED, spent);
    has(way, { step: "already-voted" }, "forget all");
  });

  for (const kind of ["closed", "locked"]) {
    it(`hands in the ballot that may be out where the booth is ${kind}`, () => {
      const way = machine().through(kept(true, true), asked(true), "cast", CODE);
      if (kind === "locked") way.through("proved", ANSWERED);
      has(way.tell(refused(kind)), { step: "sending", standing: "not-known" }, "hand-in-as-is");
    });
  }

  it("keeps somebody else's ballot from going in with this permit", () => {
    const way = machine().through(kept(true, true), asked(true), "cast", CODE, "proved", ANSWERED);
    has(way.tell({ type: "other-ballot" }), { step: "other-ballot" }, "forget visit");
    has(way.tell({ type: "restart" }), { step: "other-ballot" });
  });

  it("leads back from the code to what is known of the ballot", () => {
    const way = machine().through(kept(true, true), asked(true), "cast", "back");
    has(way, { step: "resume", standing: "not-known" }, "forget visit");
  });
});

describe("an audit", () => {
  it("forgets the ballot before it opens it, and then seals another", () => {
    const way = atCheck();
    has(way.tell({ type: "audit" }), { step: "audit", busy: "opening" }, "forget ballot", "open");
    has(way.tell({ type: "opened" }), { step: "audit", busy: null, standing: "not-cast" });
    has(way.tell({ type: "cast" }), { step: "audit" });
    has(way.tell({ type: "audited" }), { step: "check", busy: "sealing", tracker: "" }, "seal");
  });

  it("seals another where the voter goes back, too: an audited ballot is never cast", () => {
    const way = atCheck().through("audit", { type: "opened" }, "back");
    has(way, { step: "check", busy: "sealing", tracker: "" }, "seal");
  });
});

describe("the back button", () => {
  it("goes a step back at every step, and never out of the page by itself", () => {
    has(atCode().tell({ type: "back" }), { step: "start" }, "forget visit");
    has(atQuestions().tell({ type: "back" }), { step: "code" }, "forget session");
    has(atChoose().tell({ type: "back" }), { step: "questions" });
    has(atChoose().through(CHOICE, "back"), { step: "choose", question: 0 });
    has(atCheck().tell({ type: "back" }), { step: "choose", question: 1 }, "forget ballot");
  });

  it("leads from a question that a change link opened back to the check", () => {
    const way = atCheck().through({ type: "change", question: 0 }, "back");
    has(way, { step: "check", busy: "sealing" }, "seal");
  });

  it("makes an answer to what was asked before come too late", () => {
    const way = atCode().through(CODE);
    const turn = way.state.turn;
    has(way.through("back", "begin", { type: "proved", turn }), { step: "code", busy: null });
  });

  it("is warned of while a vote is half cast, and only then", () => {
    for (const way of [atCheck(), atSending(), atCheck().through("audit")]) {
      assert.equal(isHalfCast(way.state), true);
    }
    for (const way of [machine(), atCode(), atQuestions(), atChoose()]) {
      assert.equal(isHalfCast(way.state), false);
    }
  });
});

describe("the time-out", () => {
  const timed = { questions: atQuestions, choose: atChoose, check: atCheck };

  for (const [step, make] of Object.entries(timed)) {
    it(`warns at ${step}, can be put off, and ends the visit with nothing cast`, () => {
      const way = make();
      has(way.tell({ type: "warned" }), { step, warns: true });
      has(way.tell({ type: "extend" }), { step, isRenewing: true }, "renew");
      has(way.tell({ type: "extend" }), { step, isRenewing: true });
      has(way.tell({ type: "renewed" }), { step, warns: false, isRenewing: false });
      has(way.through("warned", "timed-out"), { step: "timed-out" }, "forget all");
    });

    it(`lets the voter try again at ${step} where it can't be put off`, () => {
      const way = make().through("warned", "extend", { type: "not-renewed", outcome: null });
      has(way, { step, warns: true, isRenewing: false, problems: [{ word: "away" }] });
    });
  }

  it("ends the visit where the renewal is refused for good", () => {
    const outcome = { kind: "closed" };
    const way = atChoose().through("warned", "extend", { type: "not-renewed", outcome });
    has(way, { step: "closed" }, "forget all");
  });

  it("asks for the answers again where they aren't right any more", () => {
    const outcome = { kind: "wrong-answers", remaining: 3 };
    const way = atChoose().through("warned", "extend", { type: "not-renewed", outcome });
    has(way, { step: "questions", problems: [{ word: "wrong-answers", remaining: 3 }] });
  });

  it("doesn't end a visit whose ballot may be out: it leads back to the kept ballot", () => {
    has(atSending().through(noted(true), "warned", "timed-out"), { step: "sending", warns: false });
    for (const mayBeOut of [true, false]) {
      const way = machine().through(kept(mayBeOut, true), asked(mayBeOut), "cast", CODE, "proved");
      has(way.tell({ type: "timed-out" }), { step: "resume", mayBeOut }, "forget visit");
    }
  });

  it("ends at a code that was typed and left, which is put off without asking anybody", () => {
    const way = atCode().through("warned", "extend");
    has(way, { step: "code", warns: false }, "linger");
    has(way.tell({ type: "timed-out" }), { step: "timed-out" }, "forget all");
  });

  it("forgets a code that was scanned and left on the first page", () => {
    has(machine().tell({ type: "timed-out" }), { step: "start" }, "forget visit");
  });

  it("keeps the sealed ballot where the renewal is refused for a reason of the moment", () => {
    const told = { type: "not-renewed", outcome: { kind: "refused" } };
    has(atCheck().through("warned", "extend", told), { step: "check", tracker: "T1" });
  });

  it("is over with a new permit", () => {
    const way = atQuestions().through("warned", ANSWERED, ACTIVE);
    has(way, { step: "choose", warns: false });
  });
});

it("ignores what means nothing at a step", () => {
  for (const way of [machine(), atCode(), atQuestions(), atChoose(), atCheck()]) {
    const before = way.state;
    for (const type of ["ended", "stated", "opened", "audited", "nonsense"]) {
      assert.equal(way.tell({ type, outcome: AWAY }).state, before);
    }
  }
});
