/**
 * Sealed ballots: canonical, opened by their opening, of one length whatever was chosen. That they
 * verify elsewhere is shown by tests/interop, which runs three verifiers.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { allows, sealBallot, trackerOf } from "../protocol/ballot.js";
import { fromSecret } from "../protocol/credential.js";
import { readElection } from "../protocol/election.js";
import { multiplyBase, multiplyPublic, readPoint, readPointOrIdentity, readScalar } from "../protocol/group.js";
import { proveOneIsZero } from "../protocol/proofs.js";
import { refuses, vector } from "./vectors.js";

const election = readElection(vector.election);
const credential = fromSecret(BigInt(vector.voters[0].private));
const PLAIN = [
  [0, 1, 0, 1],
  [1, 0],
];
const BLANK = [
  [1, 0, 0, 0],
  [0, 1],
];

test("a tracker is Python's", () => {
  for (const { ballot, tracker } of vector.voters) assert.equal(trackerOf(ballot), tracker);
});

test("a ballot has the fields of Python's in their order, and nothing else", async () => {
  const { text, tracker } = await sealBallot(election, credential, PLAIN);
  const ours = JSON.parse(text);
  assert.equal(JSON.stringify(ours), text);
  assert.equal(tracker, trackerOf(text));
  assert.deepEqual(shapeOf(ours), shapeOf(JSON.parse(vector.voters[0].ballot)));
});

test("an opening opens every ciphertext of its ballot", async () => {
  for (const choices of [PLAIN, BLANK]) {
    const { text, opening } = await sealBallot(election, credential, choices);
    assert.equal(opening.ballot, text);
    assert.equal(opening.election_id, election.uuid);
    assert.deepEqual(opening.choices, choices);
    JSON.parse(text).answers.forEach((/** @type {any} */ answer, /** @type {number} */ question) =>
      answer.choices.forEach((/** @type {any} */ ciphertext, /** @type {number} */ at) => {
        const randomness = readScalar(opening.randomness[question][at]);
        const beta = multiplyPublic(election.key, randomness);
        assert.ok(readPoint(ciphertext.alpha).equals(multiplyBase(randomness)));
        const plain = multiplyBase(BigInt(choices[question][at]));
        assert.ok(readPointOrIdentity(ciphertext.beta).equals(beta.add(plain)));
      }),
    );
  }
});

test("two sealings of one choice share nothing but what is public", async () => {
  const [first, second] = await Promise.all([
    sealBallot(election, credential, PLAIN),
    sealBallot(election, credential, PLAIN),
  ]);
  assert.notEqual(first.tracker, second.tracker);
  const numbers = [...first.text.matchAll(/\d{70,}/g), ...second.text.matchAll(/\d{70,}/g)];
  assert.equal(new Set(numbers.map(String)).size, numbers.length);
});

test("the length tells nothing: only the digits of random numbers change it", async () => {
  const texts = [];
  for (const choices of [PLAIN, BLANK]) {
    texts.push((await sealBallot(election, credential, choices)).text);
  }
  const [plain, blank] = texts.map((text) => text.replace(/"\d{60,76}"/g, '"N"').length);
  assert.equal(plain, blank);
});

test("choices that a question doesn't allow are refused, and not repeated in the words", async () => {
  const wrong = [
    [],
    [PLAIN[0]],
    [...PLAIN, [1]],
    [[1, 1, 0, 0], [1, 0]],
    [[0, 0, 0, 0], [1, 0]],
    [[0, 1, 1, 1], [1, 0]],
    [[0, 1, 0], [1, 0]],
    [[0, 2, 0, 0], [1, 0]],
    [[0, -1, 1, 1], [1, 0]],
    [[0, 0.5, 0.5, 0], [1, 0]],
    [PLAIN[0], [1, 1]],
    [PLAIN[0], [0, 0]],
  ];
  for (const choices of wrong) {
    await assert.rejects(sealBallot(election, credential, choices), {
      code: "invalid-choices",
      message: "the questions don't allow these choices",
    });
  }
});

test("true instead of 1 is no choice", () => {
  const marks = /** @type {number[]} */ (/** @type {unknown} */ ([true, false]));
  assert.ok(!allows(election.questions[1], marks));
});

test("nothing false is proven", () => {
  const openings = [1n, -1n].map((plaintext) => ({ randomness: 5n, plaintext }));
  refuses(() => proveOneIsZero(election.key, "prove|", openings), "proof-refused");
});

/**
 * @param {unknown} value
 * @returns {unknown}  the same structure, with the kind of each leaf
 */
function shapeOf(value) {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]);
}
