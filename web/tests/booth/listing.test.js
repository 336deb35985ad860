/** Whether a listing shows each answer once, under its own number, and whoever may be first. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { vectors } from "../../booth/choices.js";
import { OtherPaper, drawn, listings } from "../../booth/listing.js";

const question = (/** @type {number} */ count) => ({
  question: "Who?",
  answers: Array.from({ length: count }, (_, at) => `Answer ${at}`),
  blank: false,
  min: 1,
  max: 1,
});

describe("a listing", () => {
  it("is the definition's order with its texts, unless it is rotated", () => {
    const paper = [{ texts: ["one", "", "three"], order: "listed" }];
    const [{ numbers, texts }] = listings([question(3)], paper, () => assert.fail("drawn"));
    assert.deepEqual([numbers, texts], [[0, 1, 2], ["one", "", "three"]]);
  });

  it("goes round from the answer that was drawn, each once and under its own number", () => {
    for (let count = 1; count <= 12; count += 1) {
      for (let first = 0; first < count; first += 1) {
        const asked = question(count);
        const paper = [{ texts: [], order: "rotated" }];
        const [{ numbers }] = listings([asked], paper, (below) => (assert.equal(below, count), first));
        assert.equal(numbers[0], first);
        assert.deepEqual([...numbers].sort((a, b) => a - b), asked.answers.map((_, at) => at));
        const next = numbers.map((number, place) => numbers[(place + 1) % count] - number);
        assert.ok(next.every((step) => step === 1 || step === 1 - count));
        for (const number of numbers) {
          const [sealed] = vectors([asked], [[number]]);
          assert.equal(asked.answers[sealed.indexOf(1)], asked.answers[number]);
        }
      }
    }
  });

  it("is refused when it isn't one of these questions", () => {
    const right = { texts: [], order: "listed" };
    for (const paper of [
      undefined,
      null,
      [],
      [right, right],
      [null],
      [{ ...right, order: "shuffled" }],
      [{ order: "listed" }],
      [{ ...right, texts: ["only one"] }],
      [{ ...right, texts: ["a", "b", 3] }],
      [{ ...right, texts: "abc" }],
    ]) {
      assert.throws(() => listings([question(3)], paper, drawn), OtherPaper, JSON.stringify(paper));
    }
  });
});

describe("the draw", () => {
  it("gives every number below, and none as often as would be unfair", () => {
    const counts = [0, 0, 0];
    for (let turn = 0; turn < 3_000; turn += 1) counts[drawn(3)] += 1;
    // Each is 1,000 give or take 26; 8 deviations are met by chance once in 10^15.
    assert.ok(counts.every((count) => count > 790 && count < 1_210), String(counts));
  });

  it("draws again where the last numbers would favour the first", (context) => {
    const told = [2 ** 32 - 1, 5];
    context.mock.method(crypto, "getRandomValues", (/** @type {Uint32Array} */ into) => {
      into[0] = /** @type {number} */ (told.shift());
      return into;
    });
    assert.equal(drawn(3), 2);
    assert.equal(told.length, 0);
  });
});
