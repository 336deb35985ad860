/**
 * One voter at the booth: the only place that holds the private credential, the answers, the choices
 * and the permits, in private fields.
 *
 * Promises that they go to the cryptography and to nobody else, that what `forget` dropped stays
 * dropped whatever answer comes later, and that each step says what came of it as an outcome (null:
 * it may go on). An attempt at the questions is counted once. Raises GatewayAway where the service
 * doesn't answer, Forgotten where nobody waits any more. Trusts ElectionPage and Courier.
 *
 * @module
 */

import { sealAnswers } from "../protocol/answers.js";
import { sealBallot } from "../protocol/ballot.js";
import { derive } from "../protocol/credential.js";
import { writeHex } from "../protocol/hash.js";
import { prove } from "../protocol/proof-of-code.js";
import { GatewayAway } from "./api.js";
import { vectors } from "./choices.js";
import { Courier } from "./courier.js";
import { ElectionPage } from "./election-page.js";
import { isPermitOver, refusal, stateOutcome } from "./outcomes.js";

/**
 * @typedef {import("./api.js").Api} Api
 * @typedef {import("./choices.js").Choice} Choice
 * @typedef {import("./kept.js").Kept} Kept
 * @typedef {import("./kept.js").Permit} Permit
 * @typedef {import("./outcomes.js").Outcome} Outcome
 *
 * @typedef {object} Clock
 * @property {() => number} nowMs  this device's clock (Unix ms)
 * @property {() => number} steadyMs  a clock that never goes back
 * @property {(milliseconds: number) => Promise<void>} sleep
 */

/** A permit that ends within this time is renewed before it is used (ms). */
const SPARE_MS = 30_000;

/** A ballot of another right is kept in this tab. */
export class OtherBallot extends Error {}

/** What was asked for was forgotten meanwhile: nothing of it is kept. */
export class Forgotten extends Error {}

export { OtherElection } from "./election-page.js";

export class Visitor {
  /**
   * @param {{electionId: string, fingerprint: string, api: Api, kept: Kept, clock: Clock}} given
   */
  constructor({ electionId, fingerprint, api, kept, clock }) {
    this.#electionId = electionId;
    this.#page = new ElectionPage({ electionId, fingerprint, api });
    this.#api = api;
    this.#kept = kept;
    this.#clock = clock;
    this.#courier = new Courier({
      ...{ electionId, api, kept, clock },
      means: {
        votesKey: async () => (await this.page()).votesKey,
        isNear: (expiresAtMs) => this.#isNear(expiresAtMs),
        isLapsed: () => this.isLapsed,
        isRenewed: () => this.#isRenewed(),
      },
    });
  }

  #electionId;
  #page;
  #api;
  #kept;
  #clock;
  #courier;
  /** @type {import("../protocol/credential.js").Credential | null} */
  #credential = null;
  /** @type {{id: string, codePermit: any, nonce: string} | null} */
  #session = null;
  /** @type {Permit | null} */
  #permit = null;
  /** Counts what was forgotten: what an earlier visit asked for comes too late. */
  #epoch = 0;
  /** @type {Record<string, string> | null} */
  #answers = null;
  /** @type {Choice[]} */
  #choices = [];
  /** @type {import("../protocol/ballot.js").BallotOpening | null} */
  #opening = null;
  /** @type {{sessionId: string, permits: {code_permit: object, permit: Permit}} | null} */
  #witness = null;

  /** The election, once it is known; asks the gateway the first time. */
  page() {
    return this.#page.get();
  }

  /**
   * When the first of what this visit holds ends, by this device's clock (Unix ms); null without a
   * visit. The code's state is told to the holder of both permits only.
   */
  get endsAtMs() {
    const ends = [this.#permit?.expires_at_ms, this.#session?.codePermit.expires_at_ms];
    const known = ends.filter((endsAtMs) => endsAtMs !== undefined);
    return known.length === 0 ? null : Math.min(...known) - this.#api.aheadMs;
  }

  /** What was chosen so far: by question, numbers of answers from 0, or null for a blank vote. */
  get choices() {
    return this.#choices;
  }

  /** Whether a permit that ends then has ended already. @param {Permit} permit */
  isExpired(permit) {
    return this.#isNear(permit.expires_at_ms);
  }

  /**
   * Derive the key of a code, and prove it.
   *
   * @param {string} code  canonical
   * @returns {Promise<Outcome | null>}
   */
  async enter(code) {
    this.forget();
    const still = this.#waiting();
    await this.page();
    const credential = await derive(code, this.#electionId);
    still();
    this.#credential = credential;
    return this.#begin();
  }

  /**
   * Offer answers to the security questions, and ask for the code's state where they are right.
   *
   * @param {Record<string, string>} answers  by fact
   * @returns {Promise<{refused: Outcome | null, state: Outcome | null}>}
   */
  async offer(answers) {
    const refused = await this.#offer(answers);
    if (refused !== null) {
      return { refused, state: null };
    }
    this.#answers = answers;
    this.#keepPermit();
    return { refused: null, state: await this.state() };
  }

  /** What keeps the code from being used now; null if nothing does, or nobody can ask any more. */
  async state() {
    if (this.#session === null || this.#permit === null) {
      return null; // forgotten meanwhile: `votes` looks at it in any case
    }
    const still = this.#waiting();
    let answer = await this.#askState();
    still();
    if (isPermitOver(answer)) {
      const refused = await this.renew();
      if (refused !== null) {
        return refused;
      }
      answer = await this.#askState();
      still();
    }
    const outcome = answer.status === 200 ? stateOutcome(answer) : refusal(answer);
    this.#witness = outcome?.kind === "post-received" ? this.#asWitness() : null;
    return outcome;
  }

  /** Whether this voter may tell officials that they posted nothing. */
  get canSayNothingPosted() {
    return this.#witness !== null;
  }

  /** Tell officials so; whether it is noted. @returns {Promise<boolean>} */
  async sayNothingPosted() {
    const { sessionId, permits } = required(this.#witness);
    const answer = await this.#api.nothingPosted(sessionId, permits);
    return answer.status === 200;
  }

  /**
   * Get permits anew, with what is known already; null where that worked. A kept ballot gets the new
   * one too. Answers that were refused aren't offered again by themselves: it would cost attempts.
   *
   * @returns {Promise<Outcome | null>}
   */
  async renew() {
    const answers = this.#answers;
    const refused = (await this.#begin()) ?? (answers === null ? null : await this.#offer(answers));
    if (refused === null) {
      this.#keepPermit();
    } else {
      this.#answers = null;
    }
    return refused;
  }

  /** Keep a choice. @param {number} question @param {Choice} choice */
  choose(question, choice) {
    this.#choices[question] = choice;
  }

  /**
   * Seal the choices into a new ballot, and keep it, unless it isn't wanted any more.
   *
   * @param {() => boolean} [isWanted]
   */
  async seal(isWanted = () => true) {
    const still = this.#waiting();
    const { election } = await this.page();
    still();
    const marks = vectors(election.questions, this.#choices);
    const { text, tracker, opening } = await sealBallot(election, required(this.#credential), marks);
    still();
    if (!isWanted()) {
      throw new Forgotten("Another choice is being made.");
    }
    this.#opening = opening;
    return { tracker, isSafe: this.#kept.keep(required(this.#permit), text, false) };
  }

  /** What opens the ballot that was sealed last; it is given out once. */
  open() {
    const opening = required(this.#opening);
    this.#opening = null;
    return opening;
  }

  /** Whether the kept ballot's permit has ended, and only the code and the answers can renew it. */
  get isLapsed() {
    const kept = this.#kept.read();
    const isOver = kept !== null && this.#isNear(kept.permit.expires_at_ms);
    return isOver && !this.#hasPermit && this.#answers === null;
  }

  /**
   * Hand in the kept ballot until its outcome is known: see Courier.
   *
   * @param {(mayBeOut: boolean) => void} note
   * @param {boolean} [isAsIs]
   */
  handIn(note, isAsIs = false) {
    this.forgetChoices();
    return this.#courier.handIn(note, isAsIs);
  }

  /** What became of the kept ballot: see Courier. */
  askBallot() {
    return this.#courier.ask();
  }

  /** Drop what was chosen, and what opens the ballot that it is sealed in. */
  forgetChoices() {
    this.#choices = [];
    this.#opening = null;
  }

  /** Drop the key, the answers and the choices; what is left at most is the right to a last word. */
  forget() {
    this.#epoch += 1;
    this.#credential = null;
    this.#session = null;
    this.#permit = null;
    this.#answers = null;
    this.forgetChoices();
  }

  /** Return what throws once the visit of now has been forgotten. */
  #waiting() {
    const epoch = this.#epoch;
    return () => {
      if (epoch !== this.#epoch) throw new Forgotten("The visit was forgotten meanwhile.");
    };
  }

  /** Let the kept ballot have the permit of this visit. */
  #keepPermit() {
    const kept = this.#kept.read();
    if (kept === null || this.#permit === null) {
      return;
    }
    if (kept.permit.right_id !== this.#permit.right_id) {
      throw new OtherBallot("A ballot of another right is kept in this tab.");
    }
    this.#kept.keep(this.#permit, kept.ballot, kept.mayBeOut);
  }

  /** @returns {Promise<Outcome | null>} */
  async #begin() {
    const still = this.#waiting();
    const credential = required(this.#credential);
    const begun = await this.#api.begin(credential.publicCredential);
    still();
    if (begun.status !== 201) {
      return refusal(begun);
    }
    const { session_id: id, nonce } = begun.body;
    const proof = prove(credential, this.#electionId, id, nonce);
    const proved = await this.#api.prove(id, proof);
    still();
    if (proved.status !== 200) {
      return refusal(proved);
    }
    this.#session = { id, nonce, codePermit: proved.body.code_permit };
    return null;
  }

  /**
   * @param {Record<string, string>} answers
   * @returns {Promise<Outcome | null>}
   */
  async #offer(answers) {
    const still = this.#waiting();
    const isOver = this.#isNear(required(this.#session).codePermit.expires_at_ms);
    const refused = isOver ? await this.#begin() : null;
    if (refused !== null) {
      return refused;
    }
    let answer = await this.#offerOnce(answers);
    still();
    if (answer.status !== 200 && refusal(answer).kind === "visit-over") {
      const again = await this.#begin();
      if (again !== null) {
        return again;
      }
      answer = await this.#offerOnce(answers);
      still();
    }
    if (answer.status !== 200) {
      return refusal(answer);
    }
    this.#permit = answer.body.permit;
    return null;
  }

  /** @param {Record<string, string>} answers */
  async #offerOnce(answers) {
    const still = this.#waiting();
    const { answersKey } = await this.page();
    still();
    const { id, nonce, codePermit } = required(this.#session);
    const attemptId = writeHex(crypto.getRandomValues(new Uint8Array(16)));
    const sealed = sealAnswers({ nonce: codePermit.nonce ?? nonce, attemptId, answers }, answersKey);
    const body = { attempt_id: attemptId, code_permit: codePermit, sealed_answers: sealed };
    return this.#api.answer(id, body);
  }

  #askState() {
    const { sessionId, permits } = this.#asWitness();
    return this.#api.state(sessionId, permits);
  }

  /** The permits, without key and answers: enough for the code's state and for a word about it. */
  #asWitness() {
    const { id, codePermit } = required(this.#session);
    return { sessionId: id, permits: { code_permit: codePermit, permit: required(this.#permit) } };
  }

  /** Whether the kept ballot has a permit again that holds for a while. */
  async #isRenewed() {
    try {
      if (this.#hasPermit) {
        this.#keepPermit();
        return true;
      }
      return this.#answers !== null && (await this.renew()) === null;
    } catch (error) {
      if (!(error instanceof GatewayAway)) {
        throw error;
      }
      return false;
    }
  }

  /** Whether this visit holds a permit that doesn't end soon. */
  get #hasPermit() {
    return this.#permit !== null && !this.#isNear(this.#permit.expires_at_ms);
  }

  /** @param {number} momentMs  by the server's clock */
  #isNear(momentMs) {
    return momentMs - (this.#clock.nowMs() + this.#api.aheadMs) < SPARE_MS;
  }
}

/**
 * @template T
 * @param {T | null} value
 * @returns {T}
 */
function required(value) {
  if (value === null) {
    throw new Error("This step of the visit isn't reached.");
  }
  return value;
}
