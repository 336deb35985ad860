/**
 * The order of an archive's entries and the chain of events that holds them together.
 *
 * Promises that entries stand in the format's order, that every event names the hash of the event
 * before it and of the payload in front of it, and that no entry is left over. Reads no payload but
 * the setup's and the small ones that point at other entries.
 *
 * Source: Belenios 3.3 specification, "Public data".
 *
 * @module
 */

import { MAX_POINTER_BYTES, entriesOf, placeOf } from "./archive.js";
import { Fault, Refused, blaming, demand } from "./faults.js";
import { digest, natural, readCompact, record } from "./strict-json.js";

/** @typedef {import("./archive.js").Entry} Entry */
/** @typedef {import("./source.js").Source} Source */
/** @typedef {import("./strict-json.js").Json} Json */
/** @typedef {{entry: Entry, content: Uint8Array | null}} Found */
/** One trustee's partial decryption; trustees are counted from 1. @typedef {{ownerEntry: Entry, owner: number, decryption: Entry}} Owned */
/**
 * The archive's entries by what they are; of events only their hashes, in order.
 *
 * @typedef {object} Contents
 * @property {Entry} election
 * @property {Entry} trustees
 * @property {Entry} credentials
 * @property {Entry[]} ballots
 * @property {Entry} tally
 * @property {Entry} tallySize
 * @property {number} numberTallied
 * @property {number} totalWeight
 * @property {Owned[]} decryptions
 * @property {Entry} result
 * @property {string} setupEvent
 * @property {string[]} laterEvents  those behind the ballots
 * @property {string} lastEvent
 */

// Far above any that can be right; what is read takes many times its length.
const MAX_RESULT_BYTES = 100_000;
const MAX_ELECTION_BYTES = 1_000_000;
const MAX_BALLOT_BYTES = 1_000_000;
const MAX_TALLY_BYTES = 2_000_000;
const MAX_TRUSTEES_BYTES = 5_000_000;
const MAX_CREDENTIALS_BYTES = 100_000_000;

/**
 * Return the entries of a finished election; throws at the first that is out of place.
 *
 * @param {Source} source
 * @param {(done: number) => void} tell  how many bytes are behind
 * @returns {Promise<Contents>}
 */
export async function readContents(source, tell) {
  const reader = new ChainReader(entriesOf(source), tell);
  try {
    return await readAll(reader);
  } catch (error) {
    // A file that can't be read is no archive, whatever else is wrong in front of that.
    if (error instanceof Refused) await reader.readToEnd();
    throw error;
  }
}

/** @param {ChainReader} reader @returns {Promise<Contents>} */
async function readAll(reader) {
  const setup = await readSetup(reader);
  const ballots = [];
  while (await reader.standsBefore("data")) {
    const ballot = await reader.data(MAX_BALLOT_BYTES);
    ballots.push(ballot.entry);
    await reader.event("Ballot", ballot);
  }
  const laterEvents = [await reader.event("EndBallots", null)];
  const tally = await readTally(reader);
  laterEvents.push(tally.event);
  const decryptions = [];
  while (!(await reader.standsBefore("data", "event"))) {
    const { event, ...owned } = await readDecryption(reader);
    decryptions.push(owned);
    laterEvents.push(event);
  }
  const result = await reader.data(MAX_RESULT_BYTES);
  const lastEvent = await reader.event("Result", result);
  await reader.finish();
  const { event: _, ...counted } = tally;
  laterEvents.push(lastEvent);
  return { ...setup, ballots, ...counted, decryptions, result: result.entry, laterEvents, lastEvent };
}

/** @param {ChainReader} reader */
async function readSetup(reader) {
  const election = await reader.data(MAX_ELECTION_BYTES);
  const trustees = await reader.data(MAX_TRUSTEES_BYTES);
  const credentials = await reader.data(MAX_CREDENTIALS_BYTES);
  const setup = await reader.data(MAX_POINTER_BYTES);
  if (await reader.standsBefore("data")) {
    throw new Refused(ofEntry(setup.entry), "unsupported", "a certificate of the credentials");
  }
  const parts = { election, trustees, credentials };
  readPointer(setup, Object.keys(parts), (fields) => {
    for (const [name, part] of Object.entries(parts)) {
      demand(digest(fields[name]) === part.entry.digest, "wrong-order", `another entry as ${name}`);
    }
  });
  const setupEvent = await reader.event("Setup", setup);
  return {
    election: election.entry,
    trustees: trustees.entry,
    credentials: credentials.entry,
    setupEvent,
  };
}

/** @param {ChainReader} reader */
async function readTally(reader) {
  const tally = await reader.data(MAX_TALLY_BYTES);
  const size = await reader.data(MAX_POINTER_BYTES);
  const names = ["num_tallied", "total_weight", "encrypted_tally"];
  const numbers = readPointer(size, names, (fields) => {
    const isOfTally = digest(fields.encrypted_tally) === tally.entry.digest;
    demand(isOfTally, "wrong-order", "another entry as tally");
    const [numberTallied, totalWeight] = [natural(fields.num_tallied), natural(fields.total_weight)];
    return { numberTallied, totalWeight };
  });
  const event = await reader.event("EncryptedTally", size);
  return { tally: tally.entry, tallySize: size.entry, ...numbers, event };
}

/** @param {ChainReader} reader */
async function readDecryption(reader) {
  const decryption = await reader.data(MAX_TALLY_BYTES);
  const owned = await reader.data(MAX_POINTER_BYTES);
  const owner = readPointer(owned, ["owner", "payload"], (fields) => {
    const isOfIt = digest(fields.payload) === decryption.entry.digest;
    demand(isOfIt, "wrong-order", "another entry as payload");
    return natural(fields.owner);
  });
  const event = await reader.event("PartialDecryption", owned);
  return { ownerEntry: owned.entry, owner, decryption: decryption.entry, event };
}

/** Goes through the entries once, checking each event against what came before. */
class ChainReader {
  /**
   * @param {AsyncGenerator<Found>} entries
   * @param {(done: number) => void} tell
   */
  constructor(entries, tell) {
    this._entries = entries;
    this._tell = tell;
    /** @type {Found[]} */
    this._ahead = [];
    this._height = 0;
    /** @type {string | undefined} */
    this._parent = undefined;
    this._last = placeOf(0, "BELENIOS");
  }

  /**
   * Whether the next entries are of these kinds.
   *
   * @param {...("data" | "event")} kinds
   */
  async standsBefore(...kinds) {
    while (this._ahead.length < kinds.length) {
      const next = await this._entries.next();
      if (next.done) return false;
      this._ahead.push(next.value);
    }
    return kinds.every((kind, at) => this._ahead[at]?.entry.kind === kind);
  }

  /**
   * Take the next entry, which must be data of a limited size.
   *
   * @param {number} mostBytes
   */
  async data(mostBytes) {
    const found = await this._next("data");
    blaming(ofEntry(found.entry), () => demand(found.entry.size <= mostBytes, "too-large"));
    return found;
  }

  /**
   * Take the next entry, which must be this event, next in the chain, with this payload; return its hash.
   *
   * @param {string} kind
   * @param {Found | null} payload
   */
  async event(kind, payload) {
    const { entry, content } = await this._next("event");
    blaming(ofEntry(entry), () => {
      if (content === null) throw new Fault("too-large");
      this._demandEvent(readCompact(content), kind, payload?.entry.digest);
    });
    this._parent = entry.digest;
    this._height += 1;
    return entry.digest;
  }

  /** Nothing may follow the result. */
  async finish() {
    const isMore = (await this.standsBefore("data")) || (await this.standsBefore("event"));
    const [more] = this._ahead;
    if (isMore && more) throw new Refused(ofEntry(more.entry), "wrong-order", "follows the result");
  }

  /** Go through the rest of the file. */
  async readToEnd() {
    while (!(await this._entries.next()).done);
  }

  /**
   * @param {Json} value
   * @param {string} kind
   * @param {string | undefined} payload
   */
  _demandEvent(value, kind, payload) {
    const type = value instanceof Map ? value.get("type") : null;
    const isShuffle = type === "Shuffle" || type === "EndShuffles";
    demand(!isShuffle, "unsupported", "shuffles belong to questions whose votes are mixed");
    const parent = this._parent === undefined ? [] : ["parent"];
    const last = payload === undefined ? [] : ["payload"];
    const fields = record(value, ...parent, "height", "type", ...last);
    demand(fields.type === kind, "wrong-order", `the event ${fields.type} instead of ${kind}`);
    demand(natural(fields.height) === this._height, "wrong-chain", "another height");
    demand(fields.parent === this._parent, "wrong-chain", "doesn't follow the event before it");
    demand(fields.payload === payload, "wrong-chain", "isn't about the entry before it");
  }

  /** @param {"data" | "event"} kind @returns {Promise<Found>} */
  async _next(kind) {
    const isRight = await this.standsBefore(kind);
    const found = this._ahead[0];
    if (found === undefined) throw new Refused(this._last, "not-complete");
    if (!isRight) throw new Refused(ofEntry(found.entry), "wrong-order");
    this._ahead.shift();
    this._last = ofEntry(found.entry);
    this._tell(found.entry.start + found.entry.size);
    return found;
  }
}

/**
 * Return what `take` makes of the fields of a payload that points at other entries.
 *
 * @template T
 * @param {Found} found
 * @param {string[]} names
 * @param {(fields: Record<string, Json>) => T} take
 */
function readPointer({ entry, content }, names, take) {
  return blaming(ofEntry(entry), () => {
    if (content === null) throw new Fault("too-large");
    return take(record(readCompact(content), ...names));
  });
}

/** @param {Entry} entry */
function ofEntry(entry) {
  return placeOf(entry.number, `${entry.digest}.${entry.kind}.json`);
}
