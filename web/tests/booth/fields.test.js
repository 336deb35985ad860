/**
 * What is taken for a code, typed or in an address.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { codeOf, codeProblems, tooLongTogether } from "../../booth/fields.js";
import { sealAnswers } from "../../protocol/answers.js";
import { vector } from "../vectors.js";

const { code: CODE, printed: PRINTED } = vector.voters[0];
const MISTYPED = (CODE[0] === "7" ? "8" : "7") + CODE.slice(1);

describe("what stands in an address", () => {
  it("is taken where it can be a code, with hyphens or without, or with one sign mistyped", () => {
    for (const text of [CODE, PRINTED, PRINTED.toLowerCase(), MISTYPED]) {
      assert.equal(codeOf(text), text);
    }
  });

  it("is no code where a link leads to a part of the page, or anything else stands there", () => {
    for (const text of ["", "main-content", "problems", "X".repeat(19), "U".repeat(20), "<b>"]) {
      assert.equal(codeOf(text), "");
    }
  });
});

it("tells what is wrong with a typed code without repeating it", () => {
  assert.deepEqual(codeProblems(" "), [{ word: "code-missing", field: "code" }]);
  assert.deepEqual(codeProblems("7KQ2"), [{ word: "too_short", field: "code" }]);
  assert.deepEqual(codeProblems(CODE), []);
});

it("names the longest of answers that can't be sealed together", () => {
  const long = "\u1ec5".repeat(190);
  const answers = { postcode: "AB1 2CD", surname: long, membership_number: "1" };
  assert.deepEqual(tooLongTogether(answers), []);
  sealed(answers);
  const more = { surname: long, previous_name: `${long}e` };
  assert.deepEqual(tooLongTogether(more), [
    { word: "too-long-together", field: "fact-previous_name", group: "fact-previous_name" },
  ]);
  assert.throws(() => sealed(more));
});

/** @param {Record<string, string>} answers */
function sealed(answers) {
  const key = `09${"00".repeat(31)}`;
  return sealAnswers({ nonce: "6".repeat(64), attemptId: "5".repeat(32), answers }, key);
}
