/**
 * From ballots to counts: the sum of the ballots, its decryption, the result.
 *
 * Promises that the encrypted tally is exactly the sum of the ballots that count, that every trustee
 * decrypted exactly that, and that the result is what the decryptions leave.
 *
 * Source: Belenios 3.3 specification, "Encrypted tally", "Partial decryptions", "Election result".
 *
 * @module
 */

import { IDENTITY } from "../protocol/group.js";
import { demand } from "./faults.js";
import { Ladder, timesGenerator, writePoints } from "./ladder.js";
import { demandDecryption, readProof } from "./proofs.js";
import { array, decode, natural, readCompact, record } from "./strict-json.js";

/** @typedef {import("../protocol/group.js").Point} Point */
/** @typedef {import("./ballots.js").Pair} Pair */
/** @typedef {import("./election.js").Question} Question */
/** @typedef {import("./trustees.js").Key} Key */
/** Question by question, slot by slot. @typedef {Pair[][]} Totals */

/**
 * Return the totals of no ballot at all.
 *
 * @param {Question[]} questions
 * @returns {Totals}
 */
export function emptyTotals(questions) {
  const nothing = { alpha: IDENTITY, beta: IDENTITY };
  return questions.map(({ slots }) => Array(slots).fill(nothing));
}

/**
 * Return the sum, slot by slot, of totals of the same questions.
 *
 * @param {Totals} left
 * @param {Totals} right
 * @returns {Totals}
 */
export function addTotals(left, right) {
  return left.map((question, at) =>
    question.map(({ alpha, beta }, slot) => {
      const other = right[at]?.[slot] ?? { alpha: IDENTITY, beta: IDENTITY };
      return { alpha: alpha.add(other.alpha), beta: beta.add(other.beta) };
    }),
  );
}

/**
 * The published encrypted tally has these totals, in the one spelling there is.
 *
 * @param {Uint8Array} raw
 * @param {Totals} totals
 */
export function demandTally(raw, totals) {
  const expected = totals.map((question) =>
    question.map((slot) => {
      const [alpha, beta] = writePoints([slot.alpha, slot.beta]);
      return { alpha, beta };
    }),
  );
  demand(decode(raw) === JSON.stringify(expected), "tally-refused");
}

/**
 * Return a trustee's factors, slot after slot, each proved for this tally and this key.
 *
 * @param {Uint8Array} raw
 * @param {Totals} totals
 * @param {Key} key
 * @param {string} fingerprint
 * @returns {Ladder[]}
 */
export function demandPartial(raw, totals, key, fingerprint) {
  const fields = record(readCompact(raw), "decryption_factors", "decryption_proofs");
  const factors = array(fields.decryption_factors, totals.length);
  const proofs = array(fields.decryption_proofs, totals.length);
  return totals.flatMap((question, at) => {
    const ofQuestion = array(factors[at], question.length);
    const proofsOfQuestion = array(proofs[at], question.length);
    return question.map((slot, place) => {
      const factor = Ladder.read(ofQuestion[place]);
      const proof = readProof(proofsOfQuestion[place]);
      demandDecryption(key, Ladder.of(slot.alpha), factor, proof, fingerprint);
      return factor;
    });
  });
}

/**
 * Return the counts, each of which is what remains of its slot; none is above `most`.
 *
 * @param {Uint8Array} raw
 * @param {Totals} totals
 * @param {Point[][]} factors  each committee's, slot after slot
 * @param {number} most
 * @returns {number[][]}
 */
export function demandResult(raw, totals, factors, most) {
  const counts = array(record(readCompact(raw), "result").result, totals.length);
  let place = 0;
  return totals.map((question, at) => {
    const ofQuestion = array(counts[at], question.length);
    return question.map((slot, number) => {
      const count = natural(ofQuestion[number]);
      demand(count <= most, "result-refused", `the count ${count} of ${most} votes`);
      const left = factors.reduce((rest, of) => rest.subtract(of[place] ?? IDENTITY), slot.beta);
      demand(left.equals(timesGenerator(BigInt(count))), "result-refused", `the count ${count}`);
      place += 1;
      return count;
    });
  });
}
