/**
 * What became of each listed credential, as the voting codes' service signed it.
 *
 * Promises that only signed statements about listed credentials count, and that their order doesn't
 * matter: a withdrawn credential stays withdrawn, whatever else is said of it. A credential of which
 * nothing is said is a spare: no vote may be cast with it.
 *
 * @module
 */

import { readHex, utf8 } from "../protocol/hash.js";
import { isSigned } from "../protocol/signature.js";
import { Fault, demand } from "./faults.js";
import { array, readCompact, record, text } from "./strict-json.js";

/** @typedef {"spare" | "active" | "replaced" | "withdrawn"} State */

export const ACTIVE = "active";
/** From the weakest to the strongest: of two statements the stronger one holds. @type {State[]} */
const STATES = ["spare", "active", "replaced", "withdrawn"];
const SIGNATURE_DIGITS = 128;

/** The states of an election's credentials, gathered statement by statement. */
export class States {
  /**
   * @param {string} uuid
   * @param {Uint8Array} key  the one that signs statements
   * @param {{has: (credential: string) => boolean, size: number}} listed
   */
  constructor(uuid, key, listed) {
    this._uuid = uuid;
    this._key = key;
    this._listed = listed;
    /** @type {Map<string, number>} */
    this._said = new Map();
  }

  /**
   * Take a line of the board file; throws a Fault if the statement isn't as it must be.
   *
   * @param {Uint8Array} line
   */
  add(line) {
    const fields = record(readCompact(line), "entry", "state", "credentials", "signature");
    const state = text(fields.state);
    const strength = STATES.findIndex((one) => one === state);
    demand(strength > 0, "wrong-shape", "a state that there isn't");
    const credentials = array(fields.credentials).map(text);
    demand(credentials.length > 0, "wrong-shape", "about no credential");
    const areListed = credentials.every((credential) => this._listed.has(credential));
    demand(areListed, "credential-not-listed");
    demand(isInOrder(credentials), "wrong-order", "credentials out of order");
    const said = `castonce-states-v1|${this._uuid}|${state}|${credentials.join(",")}`;
    const signature = readHexOf(fields.signature, SIGNATURE_DIGITS);
    demand(isSigned(this._key, utf8(said), signature), "signature-refused");
    for (const credential of credentials) {
      this._said.set(credential, Math.max(strength, this._said.get(credential) ?? 0));
    }
  }

  /**
   * Return the final state of a listed credential.
   *
   * @param {string} credential
   * @returns {State}
   */
  of(credential) {
    return STATES[this._said.get(credential) ?? 0] ?? "spare";
  }

  /**
   * Return how many listed credentials are in each state.
   *
   * @returns {Record<State, number>}
   */
  counts() {
    const found = { spare: this._listed.size - this._said.size, active: 0, replaced: 0, withdrawn: 0 };
    for (const strength of this._said.values()) found[STATES[strength] ?? "spare"] += 1;
    return found;
  }
}

/**
 * Whether credentials, as hex digits, are sorted by their little-endian bytes, none of them twice.
 *
 * @param {Iterable<string>} credentials
 */
export function isInOrder(credentials) {
  let before = "";
  for (const credential of credentials) {
    const key = (credential.match(/../g) ?? []).reverse().join("");
    if (key <= before) return false;
    before = key;
  }
  return true;
}

/**
 * Return the bytes of so many lower-case hex digits.
 *
 * @param {import("./strict-json.js").Json | undefined} value
 * @param {number} digits
 */
export function readHexOf(value, digits) {
  const bytes = typeof value === "string" && value.length === digits ? readHex(value) : null;
  if (bytes === null) throw new Fault("wrong-shape", `${digits} lower-case hex digits are missing`);
  return bytes;
}
