/**
 * What the booth needs to know of the election, as the gateway tells it.
 *
 * Promises that its exact text has the fingerprint which the page shows, or throws OtherElection;
 * asks once. Trusts the keys, texts and orders that stand beside the text.
 *
 * @module
 */

import { readElection } from "../protocol/election.js";
import { GatewayAway } from "./api.js";
import { drawn, listings } from "./listing.js";

/**
 * @typedef {object} Page
 * @property {import("../protocol/election.js").Election} election
 * @property {readonly import("./listing.js").Listing[]} paper  one for each question, for this visit
 * @property {string} answersKey
 * @property {string} votesKey
 */

/** The election that the gateway tells isn't the one whose fingerprint the page shows. */
export class OtherElection extends Error {}

export class ElectionPage {
  /**
   * @param {{electionId: string, fingerprint: string, api: import("./api.js").Api}} given
   */
  constructor({ electionId, fingerprint, api }) {
    this.#electionId = electionId;
    this.#fingerprint = fingerprint;
    this.#api = api;
  }

  #electionId;
  #fingerprint;
  #api;
  /** @type {Page | null} */
  #page = null;

  /** The election, once it is known; asks the gateway the first time. */
  async get() {
    if (this.#page === null) {
      const answer = await this.#api.election();
      if (answer.status !== 200) {
        throw new GatewayAway("The election can't be read.");
      }
      const election = readElection(answer.body.election);
      if (election.uuid !== this.#electionId || election.fingerprint !== this.#fingerprint) {
        throw new OtherElection("The election's text isn't the one that the page names.");
      }
      const { answers_key: answersKey, keys } = answer.body;
      const paper = listings(election.questions, answer.body.paper, drawn);
      this.#page = { election, paper, answersKey, votesKey: keys.votes };
    }
    return this.#page;
  }
}
