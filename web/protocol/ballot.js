/**
 * A ballot: the sealed answers of one credential, signed by it.
 *
 * Promises text that is canonical as the specification spells it and that verifies everywhere, and a
 * length that doesn't tell the choice: each choice makes the same fields, whose numbers alone vary.
 * Must never put a choice into an error, nor keep an opening: whoever calls this drops it, or shows it
 * for an audited ballot that is never cast. Trusts `crypto.getRandomValues`.
 *
 * Source: Belenios 3.3 specification, "Homomorphic answers", "Proofs of possibly-blank votes",
 * "Ballots", "Signatures".
 *
 * @module
 */

import { slotsOf } from "./election.js";
import { ProtocolError } from "./errors.js";
import {
  multiply,
  multiplyBase,
  multiplyBaseEvenly,
  randomScalar,
  reduce,
  writePoint,
  writeScalar,
} from "./group.js";
import { digestBase64 } from "./hash.js";
import { proveKnowledge, proveOneIsZero } from "./proofs.js";

/** @typedef {import("./election.js").Election} Election */
/** @typedef {import("./election.js").Question} Question */
/** @typedef {import("./proofs.js").Opening} Opening */
/** @typedef {import("./proofs.js").Proof} Proof */
/** @typedef {{alpha: string, beta: string}} Ciphertext */
/** @typedef {{key: import("./group.js").Point, prefix: string}} Context  what proofs are bound to */

/**
 * @typedef {object} Answer  the order of the fields is that of the specification
 * @property {Ciphertext[]} choices
 * @property {Proof[][]} individual_proofs
 * @property {Proof[]} overall_proof
 * @property {Proof[]} [blank_proof]
 */

/**
 * @typedef {object} BallotOpening  what `castonce ballot open` checks; JSON as it stands
 * @property {string} election_id
 * @property {string} ballot
 * @property {number[][]} choices
 * @property {string[][]} randomness  one decimal number per ciphertext
 */

/**
 * Return a sealed ballot, its tracker, and what opens it.
 *
 * @param {Election} election
 * @param {import("./credential.js").Credential} credential
 * @param {number[][]} vectors  per question a 0 or 1 per candidate, after the blank slot if any
 * @returns {Promise<{text: string, tracker: string, opening: BallotOpening}>}
 * @throws {ProtocolError} invalid-choices
 */
export async function sealBallot(election, credential, vectors) {
  requireAllowed(election, vectors);
  const context = {
    key: election.key,
    prefix: `${election.fingerprint}|${credential.publicCredential}`,
  };
  const openings = vectors.map((marks) =>
    marks.map((mark) => ({ randomness: randomScalar(), plaintext: BigInt(mark) })),
  );
  const unsigned = {
    election_uuid: election.uuid,
    election_hash: election.fingerprint,
    credential: credential.publicCredential,
    answers: election.questions.map((question, at) => seal(context, question, openings[at])),
  };
  const text = JSON.stringify({ ...unsigned, signature: sign(unsigned, credential.secret) });
  return {
    text,
    tracker: trackerOf(text),
    opening: {
      election_id: election.uuid,
      ballot: text,
      choices: vectors.map((marks) => [...marks]),
      randomness: openings.map((some) => some.map((one) => writeScalar(one.randomness))),
    },
  };
}

/**
 * Return the tracker of a ballot: SHA-256 of its text in Base64 without padding.
 *
 * @param {string} text
 */
export function trackerOf(text) {
  return digestBase64(text);
}

/**
 * @param {object} unsigned
 * @param {bigint} secret
 */
function sign(unsigned, secret) {
  const hash = digestBase64(JSON.stringify(unsigned));
  return { hash, proof: proveKnowledge(secret, `sig|${hash}|`) };
}

/**
 * @param {Context} context
 * @param {Question} question
 * @param {Opening[]} openings
 * @returns {Answer}
 */
function seal(context, question, openings) {
  const choices = openings.map((opening) => encrypt(context.key, opening));
  const individual = openings.map((opening, at) =>
    proveBetween(context, choices[at], opening, [0, 1]),
  );
  const points = choices.map(({ alpha, beta }) => `${alpha},${beta}`).join(",");
  const bound = { key: context.key, prefix: `${context.prefix}|${points}` };
  const start = { choices, individual_proofs: individual };
  if (question.blank) return { ...start, ...proveBlankOrAllowed(bound, question, openings) };
  const total = sum(openings);
  const limits = [question.min, question.max];
  return { ...start, overall_proof: proveBetween(bound, encrypt(bound.key, total), total, limits) };
}

/**
 * @param {import("./group.js").Point} key
 * @param {Opening} opening
 * @returns {Ciphertext}
 */
function encrypt(key, { randomness, plaintext }) {
  const beta = multiply(key, randomness).add(multiplyBaseEvenly(plaintext));
  return { alpha: writePoint(multiplyBase(randomness)), beta: writePoint(beta) };
}

/**
 * @param {Context} context
 * @param {Ciphertext} ciphertext
 * @param {Opening} opening
 * @param {number[]} limits  the least and the most that it may hold
 */
function proveBetween(context, { alpha, beta }, opening, limits) {
  const prefix = `prove|${context.prefix}|${alpha},${beta}|`;
  return proveOneIsZero(context.key, prefix, shifted(opening, limits));
}

/**
 * @param {Context} bound
 * @param {Question} question
 * @param {Opening[]} openings
 */
function proveBlankOrAllowed(bound, question, [blank, ...others]) {
  const total = sum(others);
  const either = [...shifted(blank, [1, 1]), ...shifted(total, [question.min, question.max])];
  return {
    overall_proof: proveOneIsZero(bound.key, `bproof1|${bound.prefix}|`, either),
    blank_proof: proveOneIsZero(bound.key, `bproof0|${bound.prefix}|`, [blank, total]),
  };
}

/**
 * @param {Opening} opening
 * @param {number[]} limits
 * @returns {Opening[]}
 */
function shifted(opening, [least, most]) {
  return Array.from({ length: most - least + 1 }, (_, at) => ({
    ...opening,
    plaintext: opening.plaintext - BigInt(least + at),
  }));
}

/**
 * @param {Opening[]} openings
 * @returns {Opening}
 */
function sum(openings) {
  return {
    randomness: reduce(openings.reduce((total, one) => total + one.randomness, 0n)),
    plaintext: openings.reduce((total, one) => total + one.plaintext, 0n),
  };
}

/**
 * @param {Election} election
 * @param {number[][]} vectors
 */
function requireAllowed(election, vectors) {
  const isAllowed =
    vectors.length === election.questions.length &&
    election.questions.every((question, at) => allows(question, vectors[at]));
  if (!isAllowed) throw new ProtocolError("invalid-choices", "the questions don't allow these choices");
}

/**
 * Whether a question allows an answer: a 0 or 1 per candidate, after the blank slot if any.
 *
 * @param {Question} question
 * @param {number[]} marks
 */
export function allows(question, marks) {
  if (marks.length !== slotsOf(question) || marks.some((mark) => mark !== 0 && mark !== 1)) {
    return false;
  }
  const chosen = (question.blank ? marks.slice(1) : marks).reduce((total, mark) => total + mark, 0);
  if (question.blank && marks[0] === 1) return chosen === 0;
  return question.min <= chosen && chosen <= question.max;
}
