/**
 * The whole verification, in order, and what it shows: as data, for a page chooses the words.
 *
 * Promises that "holds" is said only if every check held, of everything; "holds-in-part" names what
 * stays open, a sample among it. Refuses for the first entry that fails, in the order file, chain, setup,
 * board file, checkpoints, declaration (its signature), ballots, tally, decryptions, result, declaration
 * (its figures). Workers' findings are judged here, in the archive's order.
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { readPoint } from "../protocol/group.js";
import { writeHex } from "../protocol/hash.js";
import { merkleRoot } from "../protocol/merkle.js";
import { placeOf } from "./archive.js";
import { trackerOf } from "./board-file.js";
import { readContents } from "./chain.js";
import { demandDeclared } from "./declared.js";
import { readCredentials, readElection } from "./election.js";
import { demandCompanions, demandEvidence } from "./evidence.js";
import { Refused, Unreadable, blaming, demand } from "./faults.js";
import { openEnds, reportOf } from "./report.js";
import { chooseSample } from "./sample.js";
import { Source } from "./source.js";
import { ACTIVE } from "./states.js";
import { addTotals, demandPartial, demandResult, demandTally, emptyTotals } from "./tally.js";
import { combineFactors, readTrustees } from "./trustees.js";
import { totalsOf } from "./work.js";

/** @typedef {import("./archive.js").Entry} Entry */
/** @typedef {import("./chain.js").Contents} Contents */
/** @typedef {import("./crew.js").Crew} Crew */
/** @typedef {import("./election.js").Election} Election */
/** @typedef {import("./evidence.js").Files} Files */
/** @typedef {import("./evidence.js").Held} Held */
/** @typedef {import("./ladder.js").Ladder} Ladder */
/** @typedef {import("./report.js").Report} Report */
/** @typedef {import("./tally.js").Totals} Totals */
/** @typedef {import("./trustees.js").Committee} Committee */
/** @typedef {import("./work.js").BallotBatch} BallotBatch */
/** @typedef {import("./work.js").CredentialBatch} CredentialBatch */
/** How far it is: of bytes, credentials or ballots. @typedef {{stage: "file" | "credentials" | "ballots" | "sum", done: number, of: number}} Progress */
/**
 * @typedef {Files & {archive: Blob, fingerprint: string | null, sample: number | null}} Request
 * `sample`: of how many ballots, chosen at random, all proofs are checked; null for all
 */
/** @typedef {import("./faults.js").Place} Place */
/** @typedef {Report | {verdict: "refused" | "unreadable", place: Place, code: string, detail: string}} Outcome */
/**
 * @typedef {object} Setup
 * @property {Election} election
 * @property {Committee[]} committees
 * @property {Map<string, bigint>} weights
 */
/** What the steps share. @typedef {{source: Source, contents: Contents, setup: Setup, crew: Crew, tell: (progress: Progress) => void}} Work */

const BATCH = 16;
const BATCH_BYTES = 1_000_000;
const CREDENTIALS_BATCH = 200;

/**
 * Return the outcome of a verification; never throws for what a file says.
 *
 * @param {Request} request
 * @param {Crew} crew
 * @param {(progress: Progress) => void} tell
 * @returns {Promise<Outcome>}
 */
export async function verify(request, crew, tell) {
  try {
    return await recount(request, crew, tell);
  } catch (error) {
    const isRefused = error instanceof Refused;
    if (!isRefused && !(error instanceof Unreadable)) throw error;
    const detail = isRefused ? error.detail : "";
    const verdict = isRefused ? "refused" : "unreadable";
    return { verdict, place: error.place, code: error.code, detail };
  }
}

/**
 * @param {Request} request
 * @param {Crew} crew
 * @param {(progress: Progress) => void} tell
 * @returns {Promise<Report>}
 */
async function recount(request, crew, tell) {
  demandCompanions(request);
  const source = new Source(request.archive);
  const contents = await readContents(source, (done) =>
    tell({ stage: "file", done, of: source.size }),
  );
  const setup = await readSetup(source, contents, request.fingerprint);
  const work = { source, contents, setup, crew, tell };
  const sample = chooseSample(request.sample, contents.ballots.length);
  const credentials = await checkCredentials(work, request.sample);
  const held = await demandEvidence(request, contents, setup.election.uuid, setup.weights);
  const counted = await checkBallots(work, sample, held);
  const totals = isWeighted(setup) ? await sumWeighted(work, counted.voters) : counted.totals;
  await checkTally(work, counted.voters, totals);
  const result = await checkResult(work, totals);
  if (held?.declaration) await checkFigures(work, held, result);
  const checked = { ballots: sample?.size ?? contents.ballots.length, credentials };
  const open = openEnds(request, held, checked, { contents, credentials: setup.weights.size });
  return reportOf({ contents, ...setup, held, result, checked, open });
}

/** @param {Source} source @param {Contents} contents @param {string | null} fingerprint @returns {Promise<Setup>} */
async function readSetup(source, contents, fingerprint) {
  const raw = await contentOf(source, contents.election);
  const election = blaming(placeOfEntry(contents.election), () => {
    const read = readElection(raw);
    const isExpected = fingerprint === null || fingerprint === read.fingerprint;
    demand(isExpected, "other-fingerprint", read.fingerprint);
    return read;
  });
  const keys = await contentOf(source, contents.trustees);
  const committees = blaming(placeOfEntry(contents.trustees), () =>
    readTrustees(keys, readPoint(election.key)),
  );
  const list = await contentOf(source, contents.credentials);
  const weights = blaming(placeOfEntry(contents.credentials), () => readCredentials(list));
  return { election, committees, weights };
}

/**
 * Check that credentials are elements of the group, of a sample or of all; return of how many.
 *
 * @param {Work} work
 * @param {number | null} sampleSize
 */
async function checkCredentials({ contents, setup, crew, tell }, sampleSize) {
  const sample = chooseSample(sampleSize, setup.weights.size);
  const chosen = [...setup.weights.keys()].filter((_, at) => sample?.has(at) ?? true);
  let done = 0;
  for await (const { credentials, fault } of crew.work(credentialBatches(chosen))) {
    if (fault) throw new Refused(placeOfEntry(contents.credentials), fault.code, fault.detail);
    done += credentials.length;
    tell({ stage: "credentials", done, of: chosen.length });
  }
  return done;
}

/** @param {string[]} credentials @returns {AsyncGenerator<CredentialBatch>} */
async function* credentialBatches(credentials) {
  for (let at = 0; at < credentials.length; at += CREDENTIALS_BATCH) {
    yield { kind: "credentials", credentials: credentials.slice(at, at + CREDENTIALS_BATCH) };
  }
}

/**
 * Return who voted, in the archive's order, and the sum of the ballots.
 *
 * @param {Work} work
 * @param {Set<number> | null} sample
 * @param {Held | null} held
 */
async function checkBallots({ source, contents, setup, crew, tell }, sample, held) {
  const { ballots } = contents;
  /** @type {Set<string>} */
  const voters = new Set();
  let totals = emptyTotals(setup.election.questions);
  let done = 0;
  const isProved = (/** @type {number} */ at) => sample?.has(at) ?? true;
  tell({ stage: "ballots", done, of: ballots.length });
  for await (const findings of crew.work(ballotBatches(source, setup.election, ballots, isProved))) {
    for (const credential of findings.credentials) {
      blaming(placeOfBallot(ballots[done]), () => demandVoter(credential, setup, voters, held));
      voters.add(credential);
      done += 1;
    }
    const { fault } = findings;
    if (fault) throw new Refused(placeOfBallot(ballots[done]), fault.code, fault.detail);
    totals = addTotals(totals, totalsOf(findings.sum));
    tell({ stage: "ballots", done, of: ballots.length });
  }
  return { voters, totals };
}

/** @param {string} credential @param {Setup} setup @param {Set<string>} voters @param {Held | null} held */
function demandVoter(credential, { weights }, voters, held) {
  demand(weights.has(credential), "credential-not-listed", credential);
  demand(!voters.has(credential), "second-ballot", credential);
  const state = held ? held.posted.states.of(credential) : ACTIVE;
  demand(state === ACTIVE, "credential-not-active", state);
}

/**
 * Yield all ballots in order, a few at a time, each as its worker needs it.
 *
 * @param {Source} source
 * @param {Election} election
 * @param {Entry[]} ballots
 * @param {(at: number) => boolean} isProved
 * @param {bigint[] | null} [weights]
 * @returns {AsyncGenerator<BallotBatch>}
 */
async function* ballotBatches(source, election, ballots, isProved, weights = null) {
  for (let at = 0; at < ballots.length; ) {
    const first = /** @type {Entry} */ (ballots[at]);
    const isNear = (/** @type {Entry} */ one) => one.start + one.size <= first.start + BATCH_BYTES;
    const batch = ballots.slice(at, at + BATCH).filter((one) => one === first || isNear(one));
    const last = /** @type {Entry} */ (batch.at(-1));
    const bytes = await source.copy(first.start, last.start + last.size - first.start);
    const pieces = batch.map(({ start, size }, place) => {
      return { start: start - first.start, size, isProved: isProved(at + place) };
    });
    const worth = weights && weights.slice(at, at + batch.length);
    yield { kind: "ballots", election, bytes, pieces, weights: worth };
    at += batch.length;
  }
}

/** @param {Setup} setup */
function isWeighted({ weights }) {
  return [...weights.values()].some((weight) => weight !== 1n);
}

/** @param {Work} work @param {Set<string>} voters @returns {Promise<Totals>} */
async function sumWeighted({ source, contents: { ballots }, setup, crew, tell }, voters) {
  const weights = [...voters].map((voter) => setup.weights.get(voter) ?? 0n);
  let totals = emptyTotals(setup.election.questions);
  let done = 0;
  const batches = ballotBatches(source, setup.election, ballots, () => false, weights);
  for await (const { sum, credentials } of crew.work(batches)) {
    totals = addTotals(totals, totalsOf(sum));
    done += credentials.length;
    tell({ stage: "sum", done, of: ballots.length });
  }
  return totals;
}

/** @param {Work} work @param {Set<string>} voters @param {Totals} totals */
async function checkTally({ source, contents, setup }, voters, totals) {
  const raw = await contentOf(source, contents.tally);
  blaming(placeOfEntry(contents.tally), () => demandTally(raw, totals));
  const weight = [...voters].reduce((sum, one) => sum + (setup.weights.get(one) ?? 0n), 0n);
  blaming(placeOfEntry(contents.tallySize), () => {
    demand(contents.numberTallied === voters.size, "tally-refused", `of ${voters.size} ballots`);
    demand(BigInt(contents.totalWeight) === weight, "tally-refused", `of ${weight} votes`);
  });
}

/** @param {Work} work @param {Totals} totals */
async function checkResult({ source, contents, setup }, totals) {
  const keys = setup.committees.flatMap((committee) => committee.keys);
  /** @type {Map<number, Ladder[]>} */
  const byOwner = new Map();
  for (const { ownerEntry, owner, decryption } of contents.decryptions) {
    const raw = await contentOf(source, decryption);
    const key = keys[owner - 1];
    blaming(placeOfEntry(ownerEntry), () => {
      demand(key !== undefined, "no-such-trustee", `${owner}`);
      demand(!byOwner.has(owner), "second-decryption", `${owner}`);
    });
    if (key === undefined) continue;
    const { fingerprint } = setup.election;
    const factors = blaming(placeOfEntry(decryption), () =>
      demandPartial(raw, totals, key, fingerprint),
    );
    byOwner.set(owner, factors);
  }
  const raw = await contentOf(source, contents.result);
  return blaming(placeOfEntry(contents.result), () => {
    const factors = combineFactors(setup.committees, byOwner);
    return demandResult(raw, totals, factors, contents.totalWeight);
  });
}

/** @param {Work} work @param {Held} held @param {number[][]} result */
async function checkFigures({ source, contents, setup }, { posted, declaration }, result) {
  const hash = sha256.create();
  const step = BATCH_BYTES;
  for (let at = 0; at < source.size; at += step) hash.update(await source.read(at, step));
  const { spare, active, replaced, withdrawn } = posted.states.counts();
  const size = setup.weights.size;
  const { credentialsRoot: root, lines, linesToResult: entries } = posted;
  blaming({ file: "declaration" }, () =>
    demandDeclared(declaration ?? {}, {
      election: setup.election,
      ballots: contents.ballots.length,
      result,
      credentials: { size, root, active, replaced, withdrawn, spare },
      archive: {
        sha256: writeHex(hash.digest()),
        bytes: source.size,
        entries,
        root: writeHex(merkleRoot(lines.slice(0, entries))),
      },
    }),
  );
}

/** @param {Source} source @param {Entry} entry */
function contentOf(source, entry) {
  return source.copy(entry.start, entry.size);
}

/** @param {Entry} entry */
function placeOfEntry({ number, digest, kind }) {
  return placeOf(number, `${digest}.${kind}.json`);
}

/** @param {Entry | undefined} entry @returns {Place} */
function placeOfBallot(entry) {
  return { file: "archive", entry: entry?.number ?? 0, name: trackerOf(entry?.digest ?? "") };
}
