/**
 * What the tab keeps, what is typed and ticked, and when a visit ends by itself.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { choiceProblem, ruleOf, tickedChoice, vectors } from "../../booth/choices.js";
import { factAnswer } from "../../booth/facts.js";
import { Kept } from "../../booth/kept.js";
import { TimeOut } from "../../booth/time-out.js";

const ELECTION = "11111111111111";
const PERMIT = { election_id: ELECTION, right_id: "r", expires_at_ms: 5, signature: "s" };

class Store extends Map {
  isFull = false;
  getItem = (/** @type {string} */ name) => this.get(name) ?? null;
  removeItem = (/** @type {string} */ name) => void this.delete(name);
  setItem(/** @type {string} */ name, /** @type {string} */ text) {
    if (this.isFull) throw new Error("QuotaExceededError");
    this.set(name, text);
  }
}
const kept = (/** @type {Store | null} */ store) => new Kept(ELECTION, /** @type {any} */ (store));

describe("the kept ballot", () => {
  it("is election, permit and sealed ballot, and nothing else", () => {
    const store = new Store();
    assert.equal(kept(store).keep(PERMIT, "{}", false), true);
    const [[, text]] = [...store];
    assert.deepEqual(JSON.parse(text), { election_id: ELECTION, permit: PERMIT, ballot: "{}" });
  });

  it("is found by a page that is loaded anew, with whether it may be out", () => {
    const store = new Store();
    kept(store).keep(PERMIT, "{}", false);
    assert.deepEqual(kept(store).read(), {
      ...{ electionId: ELECTION, permit: PERMIT, ballot: "{}", mayBeOut: false },
    });
    kept(store).keep(PERMIT, "{}", true);
    assert.equal(kept(store).read()?.mayBeOut, true);
    assert.equal(store.size, 1);
  });

  it("is believed to be out where the page ended between two writings", () => {
    const store = new Store();
    kept(store).keep(PERMIT, '{"n":1}', false);
    store.removeItem = () => undefined;
    kept(store).keep(PERMIT, '{"n":1}', true);
    assert.equal(kept(store).read()?.mayBeOut, true);
  });

  it("leaves nothing when it is forgotten", () => {
    const store = new Store();
    const one = kept(store);
    one.keep(PERMIT, "{}", true);
    one.forget();
    assert.equal(store.size, 0);
    assert.equal(one.read(), null);
  });

  it("is never found as it was before, where there is no room to note that it was sent", () => {
    const store = new Store();
    const one = kept(store);
    one.keep(PERMIT, "{}", false);
    store.isFull = true;
    assert.equal(one.keep(PERMIT, "{}", true), false);
    assert.equal(one.read()?.mayBeOut, true);
    assert.equal(kept(store).read(), null);
  });

  it("takes the room of what it was before, where there is none for both", () => {
    const store = new Store();
    const one = kept(store);
    one.keep(PERMIT, "{}", false);
    store.setItem = (name, text) => {
      if (store.size > 0 && !store.has(name)) throw new Error("QuotaExceededError");
      store.set(name, text);
    };
    assert.equal(one.keep(PERMIT, "{}", true), true);
    assert.equal(kept(store).read()?.mayBeOut, true);
  });

  it("stays in memory where the browser keeps nothing, and says so", () => {
    const full = new Store();
    full.isFull = true;
    for (const one of [kept(full), kept(null)]) {
      assert.equal(one.keep(PERMIT, "{}", true), false);
      assert.equal(one.read()?.mayBeOut, true);
    }
  });

  it("is none where what is stored is of another election, or can't be read", () => {
    for (const text of ["{", "null", '{"election_id":"22222222222222","permit":{},"ballot":"{}"}']) {
      const store = new Store([[`castonce-sent-${ELECTION}`, text]]);
      assert.equal(kept(store).read(), null);
    }
  });
});

describe("answers to security questions", () => {
  const cases = /** @type {const} */ ([
    ["date_of_birth", { day: "3", month: "4", year: "1980" }, "1980-04-03"],
    ["date_of_birth", { day: " 29 ", month: "02", year: "1980" }, "1980-02-29"],
    ["year_joined", { text: " 1998 " }, "1998"],
    ["postcode", { text: " ab1 2cd" }, "ab1 2cd"],
    ["surname", { text: "Ó Séaghdha-Nguyễn" }, "Ó Séaghdha-Nguyễn"],
    ["membership_number", { text: "000-17" }, "000-17"],
  ]);
  for (const [fact, typed, answer] of cases) {
    it(`takes ${fact} as people write it: ${JSON.stringify(typed)}`, () => {
      assert.deepEqual(factAnswer(fact, typed), { answer, problem: null });
    });
  }

  const wrong = /** @type {const} */ ([
    ["date_of_birth", { day: "30", month: "2", year: "1980" }, "not-a-date", "day"],
    ["date_of_birth", { day: "1", month: "x", year: "1980" }, "not-a-date", "month"],
    ["date_of_birth", { day: "1", month: "1", year: "80" }, "not-a-date", "year"],
    ["date_of_birth", { day: "1", month: "1", year: "1889" }, "not-a-date", "day"],
    ["date_of_birth", { day: "1", month: "", year: "1980" }, "missing", "month"],
    ["year_joined", { text: "98" }, "not-a-year", undefined],
    ["year_joined", { text: "" }, "missing", undefined],
    ["surname", { text: " - " }, "missing", undefined],
    ["postcode", { text: "" }, "missing", undefined],
    ["surname", { text: "a".repeat(201) }, "too-long", undefined],
  ]);
  for (const [fact, typed, problem, field] of wrong) {
    it(`refuses what can't be an answer, before it costs an attempt: ${fact} ${problem} ${field}`, () => {
      const found = /** @type {any} */ (factAnswer(fact, typed));
      assert.deepEqual([found.answer, found.problem, found.field], [null, problem, field]);
    });
  }
});

describe("choices", () => {
  const question = { question: "?", answers: ["a", "b", "c"], blank: true, min: 1, max: 2 };

  it("are refused where the question doesn't allow them, never mended", () => {
    assert.equal(choiceProblem(question, []), "too-few");
    assert.equal(choiceProblem(question, [0, 1, 2]), "too-many");
    assert.equal(choiceProblem(question, [0, 0]), "impossible");
    assert.equal(choiceProblem(question, [3]), "impossible");
    assert.equal(choiceProblem({ ...question, blank: false }, null), "impossible");
    assert.equal(choiceProblem(question, null), null);
    assert.equal(choiceProblem(question, [2, 0]), null);
    assert.equal(choiceProblem({ ...question, min: 0 }, []), null);
  });

  it("are read from what is ticked, where a blank vote stands alone", () => {
    assert.deepEqual(tickedChoice(["0", "2"]), { choice: [0, 2], problem: null });
    assert.deepEqual(tickedChoice(["blank"]), { choice: null, problem: null });
    assert.deepEqual(tickedChoice(["none"]), { choice: [], problem: null });
    assert.equal(tickedChoice(["blank", "1"]).problem, "blank-and-more");
  });

  it("are sealed with the blank vote first, as Python does", () => {
    const plain = { ...question, blank: false };
    assert.deepEqual(vectors([question, plain, question], [[2], [0, 1], null]), [
      [0, 0, 0, 1],
      [1, 1, 0],
      [1, 0, 0, 0],
    ]);
  });

  it("have a rule in words", () => {
    assert.equal(ruleOf({ ...question, min: 1, max: 1 }), "one");
    assert.equal(ruleOf({ ...question, min: 2, max: 2 }), "exactly");
    assert.equal(ruleOf({ ...question, min: 0, max: 2 }), "up-to");
    assert.equal(ruleOf(question), "between");
  });
});

describe("the time-out", () => {
  /** @param {number | null} endsAtMs */
  function timeOut(endsAtMs) {
    const said = /** @type {string[]} */ ([]);
    const given = { endsAtMs, said };
    const made = new TimeOut({
      endsAtMs: () => given.endsAtMs,
      warn: () => said.push("warn"),
      end: () => said.push("end"),
    });
    return { made, given };
  }

  it("warns once, two minutes before the end, and then ends", () => {
    const { made, given } = timeOut(1_000_000);
    for (const nowMs of [0, 870_000, 881_000, 890_000]) made.look(nowMs);
    assert.deepEqual(given.said, ["warn"]);
    made.look(996_000);
    assert.deepEqual(given.said, ["warn", "end"]);
  });

  it("warns again after it was put off", () => {
    const { made, given } = timeOut(1_000_000);
    made.look(900_000);
    given.endsAtMs = 1_900_000;
    made.look(900_001);
    made.look(1_800_000);
    assert.deepEqual(given.said, ["warn", "warn"]);
  });

  it("ends at once where the device slept through it, and does nothing without a visit", () => {
    const asleep = timeOut(1_000_000);
    asleep.made.look(5_000_000);
    assert.deepEqual(asleep.given.said, ["end"]);
    const none = timeOut(null);
    none.made.look(5_000_000);
    assert.deepEqual(none.given.said, []);
  });
});
