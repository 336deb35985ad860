/**
 * The booth's cryptography for a test in another language: jobs in from standard input, results out.
 *
 * No test of itself: `tests/interop/browser.py` runs it once for many ballots.
 *
 * @module
 */

import { text } from "node:stream/consumers";
import { sealAnswers } from "../protocol/answers.js";
import { sealBallot } from "../protocol/ballot.js";
import { derive } from "../protocol/credential.js";
import { readElection } from "../protocol/election.js";
import { prove } from "../protocol/proof-of-code.js";

/**
 * @typedef {object} Job  one voter's way through the booth
 * @property {string} election
 * @property {string} code
 * @property {number[][]} choices
 * @property {{session_id: string, nonce: string, attempt_id: string}} bound
 * @property {Record<string, string>} answers
 * @property {string} answers_key
 */

/** @param {Job} job */
async function vote({ election: raw, code, choices, bound, answers, answers_key }) {
  const election = readElection(raw);
  const credential = await derive(code, election.uuid);
  const { session_id, nonce, attempt_id: attemptId } = bound;
  return {
    credential: credential.publicCredential,
    fingerprint: election.fingerprint,
    proof: prove(credential, election.uuid, session_id, nonce),
    sealed_answers: sealAnswers({ nonce, attemptId, answers }, answers_key),
    ...(await sealBallot(election, credential, choices)),
  };
}

/** @type {Job[]} */
const jobs = JSON.parse(await text(process.stdin));
const results = [];
for (const job of jobs) results.push(await vote(job));
process.stdout.write(JSON.stringify(results));
