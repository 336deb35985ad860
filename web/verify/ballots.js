/**
 * One ballot, all of it: spelling, election, credential's signature, every proof.
 *
 * Promises that a ballot that passes `demandBallot` holds, for each question, numbers that the question
 * allows, and was signed over exactly these bytes by the credential that it names. `readBallot` promises
 * its form only. Doesn't know which credentials may vote, nor what other ballots there are.
 *
 * Source: Belenios 3.3 specification, "Encrypted answers", "Homomorphic answers", "Signatures", "Ballots".
 *
 * @module
 */

import { digestBase64 } from "../protocol/hash.js";
import { IDENTITY } from "../protocol/group.js";
import { demand } from "./faults.js";
import { FixedBase, Ladder, readUnchecked } from "./ladder.js";
import { combine, demandKnowledge, demandOneOf, readCiphertext, readProof } from "./proofs.js";
import { array, decode, readCompactText, record, text } from "./strict-json.js";

/** @typedef {import("../protocol/group.js").Point} Point */
/** @typedef {import("./election.js").Election} Election */
/** @typedef {import("./election.js").Question} Question */
/** @typedef {import("./proofs.js").Ciphertext} Ciphertext */
/** @typedef {import("./strict-json.js").Json} Json */
/** What every proof of a ballot is bound to. @typedef {{key: FixedBase, prefix: string}} Context */
/** The two points of one ciphertext. @typedef {{alpha: Point, beta: Point}} Pair */
/**
 * @typedef {object} Ballot
 * @property {string} credential
 * @property {Record<string, Json>} signature  with its hash, which was compared
 * @property {Json[]} answers  one for each question, unread
 */

const SIGNATURE = ',"signature":';

/**
 * Return a ballot of this election that is spelled as it must be; no proof was looked at.
 *
 * @param {Election} election
 * @param {Uint8Array} raw
 * @returns {Ballot}
 */
export function readBallot(election, raw) {
  const source = decode(raw);
  const names = ["election_uuid", "election_hash", "credential", "answers", "signature"];
  const ballot = record(readCompactText(source), ...names);
  demand(ballot.election_uuid === election.uuid, "wrong-election");
  demand(ballot.election_hash === election.fingerprint, "wrong-election", "another text of it");
  const signature = record(ballot.signature, "hash", "proof");
  // In a compact text whose last field it is, no other field of this name stands behind it.
  const unsigned = `${source.slice(0, source.lastIndexOf(SIGNATURE))}}`;
  demand(signature.hash === digestBase64(unsigned), "signature-refused", "over other content");
  const answers = array(ballot.answers, election.questions.length);
  return { credential: text(ballot.credential), signature, answers };
}

/**
 * Return the ciphertexts of a ballot, by question: all that its sum needs. Throws a Fault unless they
 * and the proofs have the form that the questions ask for; no proof was looked at.
 *
 * @param {Election} election
 * @param {Ballot} ballot
 * @returns {Pair[][]}
 */
export function ciphertextsOf(election, ballot) {
  return election.questions.map((question, at) => {
    const answer = readAnswer(question, ballot.answers[at]);
    return answer.choices.map((choice) => {
      const { alpha, beta } = record(choice, "alpha", "beta");
      return { alpha: readUnchecked(alpha), beta: readUnchecked(beta) };
    });
  });
}

/**
 * Return the ciphertexts of a ballot that is right in itself; throws a Fault otherwise.
 *
 * @param {Election} election
 * @param {FixedBase} key  the election's
 * @param {Ballot} ballot
 * @returns {Pair[][]}
 */
export function demandBallot(election, key, { credential, signature, answers }) {
  const signer = Ladder.read(credential);
  demand(!signer.point.equals(IDENTITY), "invalid-point", "whose private key everybody knows");
  demandKnowledge(signer, readProof(signature.proof), `sig|${text(signature.hash)}|`);
  const context = { key, prefix: `${election.fingerprint}|${credential}` };
  return election.questions.map((question, at) =>
    demandAnswer(context, question, answers[at]).map(({ alpha, beta }) => ({
      alpha: alpha.point,
      beta: beta.point,
    })),
  );
}

/**
 * @param {Question} question
 * @param {Json | undefined} value
 */
function readAnswer(question, value) {
  const blank = question.mayBeBlank ? ["blank_proof"] : [];
  const answer = record(value, "choices", "individual_proofs", "overall_proof", ...blank);
  const choices = array(answer.choices, question.slots);
  const individual = array(answer.individual_proofs, question.slots);
  const allowed = question.most - question.least + 1;
  return {
    choices,
    individual: individual.map((proofs) => readProofs(proofs, 2)),
    blank: question.mayBeBlank ? readProofs(answer.blank_proof, 2) : [],
    overall: readProofs(answer.overall_proof, allowed + Number(question.mayBeBlank)),
  };
}

/**
 * @param {Json | undefined} value
 * @param {number} length
 */
function readProofs(value, length) {
  return array(value, length).map(readProof);
}

/**
 * @param {Context} context
 * @param {Question} question
 * @param {Json | undefined} value
 * @returns {Ciphertext[]}
 */
function demandAnswer({ key, prefix }, question, value) {
  const answer = readAnswer(question, value);
  const choices = answer.choices.map(readCiphertext);
  for (const [at, choice] of choices.entries()) {
    const claims = [0, 1].map((number) => ({ ciphertext: choice, number }));
    demandOneOf(key, claims, answer.individual[at] ?? [], `prove|${prefix}|${choice.spelled}|`);
  }
  const bound = `${prefix}|${choices.map((choice) => choice.spelled).join(",")}`;
  const chosen = combine(question.mayBeBlank ? choices.slice(1) : choices);
  const allowed = range(question.least, question.most).map((number) => ({
    ciphertext: chosen,
    number,
  }));
  const [blank] = choices;
  if (question.mayBeBlank && blank) {
    // Blank and no candidate, or not blank and an allowed number of candidates.
    const notBoth = [blank, chosen].map((ciphertext) => ({ ciphertext, number: 0 }));
    demandOneOf(key, notBoth, answer.blank, `bproof0|${bound}|`);
    const either = [{ ciphertext: blank, number: 1 }, ...allowed];
    demandOneOf(key, either, answer.overall, `bproof1|${bound}|`);
  } else {
    demandOneOf(key, allowed, answer.overall, `prove|${bound}|${chosen.spelled}|`);
  }
  return choices;
}

/**
 * @param {number} first
 * @param {number} last
 */
function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
