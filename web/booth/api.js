/**
 * The voters' HTTP API, asked from the booth's own page.
 *
 * Promises the retry rules of `cli/booth.py`: steps before the ballot are asked for again after lost
 * answers and polite refusals; a ballot is never asked for again in here. Sends no cookie, follows no
 * redirect, and asks its own origin only. Must never put a code, an answer or a choice in an
 * address.
 *
 * @module
 */

/** @typedef {import("./outcomes.js").Answer} Answer */
/** @typedef {import("./kept.js").Permit} Permit */

/**
 * @typedef {object} Surroundings  what the browser gives, so that a test can give something else
 * @property {typeof fetch} fetch
 * @property {(milliseconds: number) => Promise<void>} sleep
 * @property {() => boolean} isOffline  a hint: it can be wrong
 */

export const TRIES = 8;
const TIMEOUT_MS = 20_000;
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5_000;
const LONGEST_WAIT_MS = 10_000;
const TRY_AGAIN = new Set([429, 502, 503, 504]);

/** The voting service didn't answer in time; nothing was handed in by this request. */
export class GatewayAway extends Error {}

export class Api {
  /**
   * @param {string} electionId
   * @param {Surroundings} surroundings
   */
  constructor(electionId, surroundings) {
    this.#electionId = electionId;
    this.#around = surroundings;
  }

  #electionId;
  #around;
  #aheadMs = 0;

  /** By how much the server's clock is ahead of this device's, as far as is known (ms). */
  get aheadMs() {
    return this.#aheadMs;
  }

  /** The election's page: its exact text, its keys, its hours. */
  election() {
    return this.#asked("GET", `/api/elections/${this.#electionId}`);
  }

  /** @param {string} credential  the public one */
  begin(credential) {
    return this.#asked("POST", `/api/elections/${this.#electionId}/sessions`, { credential });
  }

  /**
   * @param {string} sessionId
   * @param {{challenge: string, response: string}} proof
   */
  prove(sessionId, proof) {
    return this.#asked("POST", `/api/sessions/${sessionId}/proof`, proof);
  }

  /**
   * Offer sealed answers; a lost reply is asked for again under the same attempt, so it counts once.
   *
   * @param {string} sessionId
   * @param {{attempt_id: string, code_permit: object, sealed_answers: string}} body
   */
  answer(sessionId, body) {
    return this.#asked("POST", `/api/sessions/${sessionId}/answers`, body);
  }

  /**
   * @param {string} sessionId
   * @param {{code_permit: object, permit: Permit}} permits
   */
  state(sessionId, permits) {
    return this.#asked("POST", `/api/sessions/${sessionId}/state`, permits);
  }

  /**
   * Tell officials that the holder of both permits posted nothing; once is enough.
   *
   * @param {string} sessionId
   * @param {{code_permit: object, permit: Permit}} permits
   */
  nothingPosted(sessionId, permits) {
    return this.#asked("POST", `/api/sessions/${sessionId}/nothing-posted`, permits);
  }

  /**
   * Hand in a sealed ballot once; null when the answer was lost.
   *
   * @param {Permit} permit
   * @param {string} ballot  the exact text that was sealed: a reading of it would change bytes
   */
  handIn(permit, ballot) {
    const body = `{"permit":${permitText(permit)},"ballot":${ballot}}`;
    return this.#once("POST", `/api/elections/${this.#electionId}/ballots`, body);
  }

  /**
   * Ask once what is known of a ballot; null when the answer was lost.
   *
   * @param {string} tracker
   */
  known(tracker) {
    const path = `/api/elections/${this.#electionId}/ballots/${encodeURIComponent(tracker)}`;
    return this.#once("GET", path);
  }

  /**
   * An answer, asked for again after lost replies and polite refusals; else GatewayAway.
   *
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<Answer>}
   */
  async #asked(method, path, body) {
    const text = body === undefined ? undefined : JSON.stringify(body);
    let pauseMs = FIRST_PAUSE_MS;
    for (let tried = 0; tried < TRIES; tried += 1) {
      const answer = await this.#once(method, path, text);
      if (answer !== null && !TRY_AGAIN.has(answer.status)) {
        return answer;
      }
      if (answer === null && this.#around.isOffline()) {
        break; // the device itself says that it has no connection: better to tell at once
      }
      await this.#around.sleep(waitMs(answer, pauseMs));
      pauseMs = nextPauseMs(pauseMs);
    }
    throw new GatewayAway("The voting service doesn't answer.");
  }

  /**
   * One request; null when its answer was lost, status NOBODY when it wasn't sent.
   *
   * @param {string} method
   * @param {string} path
   * @param {string} [text]
   * @returns {Promise<Answer | null>}
   */
  async #once(method, path, text) {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), TIMEOUT_MS);
    try {
      const response = await this.#around.fetch(path, {
        method,
        body: text,
        headers: text === undefined ? {} : { "Content-Type": "application/json" },
        cache: "no-store",
        credentials: "omit",
        redirect: "manual",
        referrerPolicy: "no-referrer",
        signal: limit.signal,
      });
      const answer = {
        status: response.status || 502, // a redirect has none here, and is nobody of ours
        body: decoded(await response.text()),
        retryAfterSeconds: secondsOf(response.headers.get("Retry-After")),
        sentAtMs: momentOf(response.headers.get("Date")),
      };
      this.#aheadMs = answer.sentAtMs === null ? this.#aheadMs : answer.sentAtMs - Date.now();
      return answer;
    } catch {
      // Whether it was sent, fetch doesn't tell, nor does navigator.onLine (a server on this very
      // machine can be reached without a network): all that is known is that the answer is lost.
      return null;
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Return how long to wait after an answer that asks to come again (ms).
 *
 * @param {Answer | null} answer
 * @param {number} pauseMs
 */
export function waitMs(answer, pauseMs) {
  const asked = (answer?.retryAfterSeconds ?? 0) * 1_000;
  return Math.min(Math.max(pauseMs, asked), LONGEST_WAIT_MS);
}

/**
 * Return the pause after this one (ms).
 *
 * @param {number} pauseMs
 */
export function nextPauseMs(pauseMs) {
  return Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
}

/**
 * The permit as the contract spells it: the gateway reads this order fastest.
 *
 * @param {Permit} permit
 */
function permitText({ election_id, right_id, expires_at_ms, signature }) {
  return JSON.stringify({ election_id, right_id, expires_at_ms, signature });
}

/** @param {string} text */
function decoded(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** @param {string | null} text */
function secondsOf(text) {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : 0;
}

/** @param {string | null} text */
function momentOf(text) {
  const moment = Date.parse(text ?? "");
  return Number.isNaN(moment) ? null : moment;
}
