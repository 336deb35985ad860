/**
 * The sealed ballot on its way, kept in this tab until its outcome is known.
 *
 * Promises that all that is ever kept is what the gateway gets too: the election's id, the permit
 * and the sealed ballot, under a name that says whether a copy may have gone out; that it is there
 * before a copy goes out; and that nothing stays after `forget`. Where the browser keeps nothing,
 * says so and keeps it in memory. Must never hold a code, an answer or a choice.
 *
 * @module
 */

/**
 * @typedef {object} Permit  see shared/contracts/permits.py
 * @property {string} election_id
 * @property {string} right_id
 * @property {number} expires_at_ms
 * @property {string} signature
 *
 * @typedef {object} KeptBallot
 * @property {string} electionId
 * @property {Permit} permit
 * @property {string} ballot  the exact text that was sealed
 * @property {boolean} mayBeOut  whether a copy may have gone out
 */

export class Kept {
  /**
   * @param {string} electionId
   * @param {Storage | null} storage  null where the browser has none
   */
  constructor(electionId, storage) {
    this.#electionId = electionId;
    this.#storage = storage;
  }

  #electionId;
  #storage;
  /** @type {KeptBallot | null} */
  #inMemory = null;

  /** Return what is kept, or null; what can't be read is no ballot. */
  read() {
    return this.#inMemory ?? this.#stored("sent") ?? this.#stored("sealed");
  }

  /**
   * Keep a ballot in place of any other.
   *
   * @param {Permit} permit
   * @param {string} ballot
   * @param {boolean} mayBeOut
   * @returns {boolean}  whether a reload will find it
   */
  keep(permit, ballot, mayBeOut) {
    this.#inMemory = { electionId: this.#electionId, permit, ballot, mayBeOut };
    const text = JSON.stringify({ election_id: this.#electionId, permit, ballot });
    // Written before the other is removed: whatever ends the page, one of them is there, and the
    // one that was sent is believed first. Where there is no room for both, the other goes first.
    if (this.#isWritten(mayBeOut ? "sent" : "sealed", text)) {
      this.#remove(mayBeOut ? "sealed" : "sent");
      return true;
    }
    this.#remove("sealed");
    this.#remove("sent"); // what it says is true no longer
    return this.#isWritten(mayBeOut ? "sent" : "sealed", text);
  }

  /** Remove every trace. */
  forget() {
    this.#inMemory = null;
    this.#remove("sent");
    this.#remove("sealed");
  }

  /**
   * @param {"sent" | "sealed"} how
   * @param {string} text
   */
  #isWritten(how, text) {
    try {
      this.#storage?.setItem(this.#name(how), text);
      return this.#storage !== null;
    } catch {
      return false; // full or forbidden: the page says that a reload would lose it
    }
  }

  /** @param {"sent" | "sealed"} how */
  #remove(how) {
    this.#storage?.removeItem(this.#name(how));
  }

  /** @param {"sent" | "sealed"} how */
  #name(how) {
    return `castonce-${how}-${this.#electionId}`;
  }

  /**
   * @param {"sent" | "sealed"} how
   * @returns {KeptBallot | null}
   */
  #stored(how) {
    try {
      const found = JSON.parse(this.#storage?.getItem(this.#name(how)) ?? "null");
      const isOurs =
        found?.election_id === this.#electionId &&
        typeof found.ballot === "string" &&
        found.permit?.election_id === this.#electionId &&
        Number.isSafeInteger(found.permit.expires_at_ms);
      return isOurs
        ? {
            electionId: this.#electionId,
            permit: found.permit,
            ballot: found.ballot,
            mayBeOut: how === "sent",
          }
        : null;
    } catch {
      return null;
    }
  }
}

/** Return this tab's storage, or null where the browser forbids it. */
export function tabStorage() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}
