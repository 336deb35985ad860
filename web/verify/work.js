/**
 * What is shared between workers: batches of ballots and of credentials, each checked by itself.
 *
 * Promises findings that depend on the batch alone, so that it doesn't matter who checks it. Decides
 * nothing about an election: that is for `recount.js`, in the archive's order.
 *
 * @module
 */

import { Ed25519, multiplyPublic, readPoint } from "../protocol/group.js";
import { ProtocolError } from "../protocol/errors.js";
import { ciphertextsOf, demandBallot, readBallot } from "./ballots.js";
import { Fault, demand } from "./faults.js";
import { FixedBase, Ladder } from "./ladder.js";
import { addTotals, emptyTotals } from "./tally.js";

/** @typedef {import("./ballots.js").Pair} Pair */
/** @typedef {import("./election.js").Election} Election */
/** @typedef {import("./tally.js").Totals} Totals */
/** @typedef {import("../protocol/group.js").Point} Point */
/** Where a ballot lies in the batch's bytes. @typedef {{start: number, size: number, isProved: boolean}} Piece */
/**
 * Ballots whose form is checked, and of some the proofs. With `weights`, what each is worth, they were
 * checked before and are only summed up.
 *
 * @typedef {object} BallotBatch
 * @property {"ballots"} kind
 * @property {Election} election
 * @property {Uint8Array<ArrayBuffer>} bytes
 * @property {Piece[]} pieces
 * @property {bigint[] | null} weights
 */
/** @typedef {{kind: "credentials", credentials: string[]}} CredentialBatch */
/** @typedef {{code: string, detail: string}} Found */
/** A point as workers send it: its coordinates X, Y, Z, T. @typedef {[bigint, bigint, bigint, bigint]} Sent */
/**
 * The credentials of the ballots that held and their sum, and what is wrong with the next one, if it is.
 *
 * @typedef {object} Findings
 * @property {string[]} credentials
 * @property {{alpha: Sent, beta: Sent}[][]} sum
 * @property {Found | null} fault
 */

/** Checks batches one after the other; what it makes for an election is kept for the next batch. */
export class Hand {
  constructor() {
    this._text = "";
    /** @type {FixedBase | null} */
    this._key = null;
  }

  /**
   * @param {BallotBatch | CredentialBatch} batch
   * @returns {Findings}
   */
  do(batch) {
    return batch.kind === "ballots" ? this._ballots(batch) : checkCredentials(batch);
  }

  /** @param {BallotBatch} batch @returns {Findings} */
  _ballots({ election, bytes, pieces, weights }) {
    const key = this._keyOf(election);
    /** @type {string[]} */
    const credentials = [];
    let totals = emptyTotals(election.questions);
    const fault = found(() => {
      for (const [at, { start, size, isProved }] of pieces.entries()) {
        const ballot = readBallot(election, bytes.subarray(start, start + size));
        const pairs = isProved
          ? demandBallot(election, key, ballot)
          : ciphertextsOf(election, ballot);
        totals = addTotals(totals, weights ? weighed(pairs, weights[at] ?? 0n) : pairs);
        credentials.push(ballot.credential);
      }
    });
    return { credentials, sum: totals.map((slots) => slots.map(sendPair)), fault };
  }

  /** @param {Election} election */
  _keyOf(election) {
    if (this._key === null || this._text !== election.key) {
      this._key = new FixedBase(readPoint(election.key));
      this._text = election.key;
    }
    return this._key;
  }
}

/**
 * Return totals from the form in which workers send them.
 *
 * @param {Findings["sum"]} sum
 * @returns {Totals}
 */
export function totalsOf(sum) {
  return sum.map((slots) =>
    slots.map(({ alpha, beta }) => ({ alpha: new Ed25519(...alpha), beta: new Ed25519(...beta) })),
  );
}

/** @param {CredentialBatch} batch @returns {Findings} */
function checkCredentials(batch) {
  /** @type {string[]} */
  const credentials = [];
  const fault = found(() => {
    for (const credential of batch.credentials) {
      const isIdentity = Ladder.read(credential).point.is0();
      demand(!isIdentity, "invalid-point", "the identity");
      credentials.push(credential);
    }
  });
  return { credentials, sum: [], fault };
}

/** @param {() => void} check @returns {Found | null} */
function found(check) {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof Fault) return { code: error.code, detail: error.detail };
    if (error instanceof ProtocolError) return { code: error.code, detail: error.message };
    throw error;
  }
}

/** @param {Pair[][]} pairs @param {bigint} weight @returns {Totals} */
function weighed(pairs, weight) {
  return pairs.map((slots) =>
    slots.map(({ alpha, beta }) => ({
      alpha: multiplyPublic(alpha, weight),
      beta: multiplyPublic(beta, weight),
    })),
  );
}

/** @param {Pair} pair */
function sendPair({ alpha, beta }) {
  return { alpha: send(alpha), beta: send(beta) };
}

/** @param {Point} point @returns {Sent} */
function send({ X, Y, Z, T }) {
  return [X, Y, Z, T];
}
