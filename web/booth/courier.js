/**
 * Takes the kept ballot to the gateway, and asks what became of it.
 *
 * Promises that it is always the kept ballot, that a ballot with an old permit goes out only where the
 * voter can get no other, and that one of which nobody could be asked counts as out. Knows no key, no
 * answer and no choice. Raises GatewayAway where the service doesn't answer.
 *
 * @module
 */

import { trackerOf } from "../protocol/ballot.js";
import { handedIn } from "./handing-in.js";
import { ballotOutcome, codeOf } from "./outcomes.js";

/**
 * @typedef {import("./outcomes.js").Answer} Answer
 * @typedef {import("./outcomes.js").Outcome} Outcome
 *
 * @typedef {object} Means  what the visit can do for it
 * @property {() => Promise<string>} votesKey
 * @property {(expiresAtMs: number) => boolean} isNear
 * @property {() => boolean} isLapsed  whether the permit has ended, and nobody here can renew it
 * @property {() => Promise<boolean>} isRenewed  tries to; whether the kept ballot has a permit again
 */

/** As good as a polite refusal: this request was not made, so nothing was handed in by it. */
const NOT_MADE = { status: 503, body: { code: "unavailable" }, retryAfterSeconds: 0, sentAtMs: null };

export class Courier {
  /**
   * @param {object} given
   * @param {string} given.electionId
   * @param {import("./api.js").Api} given.api
   * @param {import("./kept.js").Kept} given.kept
   * @param {import("./visitor.js").Clock} given.clock
   * @param {Means} given.means
   */
  constructor({ electionId, api, kept, clock, means }) {
    this.#electionId = electionId;
    this.#api = api;
    this.#kept = kept;
    this.#clock = clock;
    this.#means = means;
  }

  #electionId;
  #api;
  #kept;
  #clock;
  #means;
  /** The tracker of a ballot that was found here and of which the gateway couldn't be asked. */
  #unsureOf = "";

  /**
   * Hand in the kept ballot until its outcome is known; null when patience ran out, or when the
   * ballot's permit has lapsed.
   *
   * @param {(mayBeOut: boolean) => void} note  is told what is true of the ballot
   * @param {boolean} isAsIs  with the permit that it has: no other can be got any more
   * @returns {Promise<Outcome | null>}
   */
  async handIn(note, isAsIs) {
    const expected = await this.#expected();
    const mayBeOut = this.#unsureOf === expected.tracker || this.#ballot().mayBeOut;
    return handedIn(expected, mayBeOut, {
      mayHandIn: () => isAsIs || !this.#means.isLapsed(),
      handIn: () => (isAsIs ? this.#asIs() : this.#once()),
      note: (mayBeOutNow) => {
        const { permit, ballot } = this.#ballot();
        this.#kept.keep(permit, ballot, mayBeOutNow);
        note(mayBeOutNow);
      },
      sleep: this.#clock.sleep,
      nowMs: this.#clock.steadyMs,
    });
  }

  /**
   * What became of the kept ballot, asked once; and where nothing did, whether it may be out.
   *
   * @returns {Promise<{outcome: Outcome | null, mayBeOut: boolean}>}
   */
  async ask() {
    this.#unsureOf = trackerOf(this.#ballot().ballot);
    const expected = await this.#expected();
    const answer = await this.#api.known(expected.tracker);
    if (answer?.status === 404 && codeOf(answer) === "ballot_unknown") {
      this.#unsureOf = "";
    }
    const mayBeOut = this.#unsureOf !== "" || this.#ballot().mayBeOut;
    return { outcome: ballotOutcome(answer, expected, true), mayBeOut };
  }

  /**
   * One request, with a permit that still holds where this visit can get one.
   *
   * @returns {Promise<Answer | null>}
   */
  async #once() {
    const { permit } = this.#ballot();
    if (this.#means.isNear(permit.expires_at_ms) && !(await this.#means.isRenewed())) {
      return NOT_MADE; // with the old permit the ballot would be refused for good
    }
    return this.#asIs();
  }

  #asIs() {
    const { permit, ballot } = this.#ballot();
    return this.#api.handIn(permit, ballot);
  }

  async #expected() {
    const votesKey = await this.#means.votesKey();
    return { electionId: this.#electionId, tracker: trackerOf(this.#ballot().ballot), votesKey };
  }

  #ballot() {
    const kept = this.#kept.read();
    if (kept === null) {
      throw new Error("No ballot is kept here.");
    }
    return kept;
  }
}
