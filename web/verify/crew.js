/**
 * Work shared between workers, with the answers in the order of the questions.
 *
 * Promises that only a few pieces of work are held at a time, however many there are, and that a worker
 * that breaks ends the work with an error rather than leaving it waiting.
 *
 * @module
 */

import { Hand } from "./work.js";

/** @typedef {import("./work.js").BallotBatch | import("./work.js").CredentialBatch} Batch */
/** @typedef {import("./work.js").Findings} Findings */
/**
 * Someone who does one piece of work after the other.
 *
 * @typedef {object} Helper
 * @property {(batch: Batch) => Promise<Findings>} work
 * @property {() => void} end
 */

const AHEAD = 3;

/** A number of helpers; without any, the work is done here. */
export class Crew {
  /** @param {Helper[]} helpers */
  constructor(helpers) {
    this._helpers = helpers.length > 0 ? helpers : [new HelperHere()];
  }

  /**
   * Yield the findings in the order of the batches.
   *
   * @param {AsyncIterable<Batch>} batches
   * @returns {AsyncGenerator<Findings>}
   */
  async *work(batches) {
    /** @type {Promise<Findings>[]} */
    const ahead = [];
    let next = 0;
    for await (const batch of batches) {
      const helper = /** @type {Helper} */ (this._helpers[next]);
      next = (next + 1) % this._helpers.length;
      const promised = helper.work(batch);
      // One that fails while another is awaited is met when its turn comes.
      promised.catch(() => undefined);
      ahead.push(promised);
      const first = ahead.length > AHEAD * this._helpers.length ? ahead.shift() : undefined;
      if (first) yield await first;
    }
    for (const promised of ahead) yield await promised;
  }

  /** End all helpers, whatever they are doing. */
  end() {
    for (const helper of this._helpers) helper.end();
  }
}

/** Does the work in this thread. */
class HelperHere {
  constructor() {
    this._hand = new Hand();
  }

  /** @param {Batch} batch */
  async work(batch) {
    return this._hand.do(batch);
  }

  end() {}
}

/** Has a worker do the work: one that answers each message with one, in order. */
export class WorkerHelper {
  /** @param {Worker} worker */
  constructor(worker) {
    this._worker = worker;
    /** @type {{resolve: (findings: Findings) => void, reject: (error: Error) => void}[]} */
    this._waiting = [];
    worker.addEventListener("message", (event) => this._waiting.shift()?.resolve(event.data));
    for (const kind of ["error", "messageerror"]) {
      worker.addEventListener(kind, () => this._fail());
    }
  }

  /**
   * @param {Batch} batch  its bytes are handed over, not copied
   * @returns {Promise<Findings>}
   */
  work(batch) {
    return new Promise((resolve, reject) => {
      this._waiting.push({ resolve, reject });
      const handed = batch.kind === "ballots" ? [batch.bytes.buffer] : [];
      this._worker.postMessage(batch, handed);
    });
  }

  end() {
    this._worker.terminate();
  }

  _fail() {
    const waiting = this._waiting.splice(0);
    for (const { reject } of waiting) reject(new Error("a worker broke"));
  }
}
