/**
 * What a declaration says, against itself and against the recount.
 *
 * Promises that every number that follows from the archive or the board file is the recounted one, and
 * that every sum in the document holds. What neither shows (papers, envelopes, electors, cases) is
 * only held against the other numbers of the document.
 *
 * @module
 */

import { demand } from "./faults.js";

/** @typedef {import("./election.js").Election} Election */
/** @typedef {import("./election.js").Question} Question */
/** @typedef {import("./strict-json.js").Json} Json */
/** @typedef {{online: number, post: number, total: number}} Channels */
/** @typedef {{question: string, answers: (Channels & {answer: string})[], blank: Channels | null}} Declared */
/** @typedef {{kind: string, partition: number, offset: number}} Barrier */
/** @typedef {Record<string, number>} Counts */
/**
 * @typedef {object} Fields
 * @property {string} election_id
 * @property {string} title
 * @property {string} organisation
 * @property {string} fingerprint
 * @property {Declared[]} questions
 * @property {Channels & {electors: number}} turnout
 * @property {{valid: number, rejected: Counts, missing: number}} papers
 * @property {Counts} packs
 * @property {Counts & {root: string}} credentials
 * @property {{received: number, admitted: number, voided: number, set_aside: Counts}} envelopes
 * @property {{electors: number, withdrawn: number}} roll
 * @property {Barrier[]} barriers
 * @property {Record<string, unknown>} archive
 */
/**
 * What archive and board file show of an election.
 *
 * @typedef {object} Recounted
 * @property {Election} election
 * @property {number} ballots
 * @property {number[][]} result
 * @property {Record<string, unknown>} credentials
 * @property {Record<string, unknown>} archive
 */

const PARTITIONS = 6;
/** Each stands once in each partition, in this order; others may stand between them. */
const CALENDAR = ["ElectionOpened", "OnlineClosed", "PostClosed"];

/**
 * The declaration says what was recounted, and adds up; throws a Fault otherwise.
 *
 * @param {Record<string, Json>} read  as `readDeclaration` returns it
 * @param {Recounted} recounted
 */
export function demandDeclared(read, { election, ballots, result, credentials, archive }) {
  const fields = /** @type {Fields} */ (plain(new Map(Object.entries(read))));
  same("election", fields.election_id, election.uuid);
  same("title", fields.title, election.name);
  same("organisation", fields.organisation, election.administrator);
  same("fingerprint", fields.fingerprint, election.fingerprint);
  sameFields("archive", fields.archive, archive);
  sameFields("credentials", fields.credentials, credentials);
  same("ballots", fields.turnout.online, ballots);
  same("questions", fields.questions.length, election.questions.length);
  for (const [at, question] of election.questions.entries()) {
    const declared = /** @type {Declared} */ (fields.questions[at]);
    demandQuestion(question, declared, result[at] ?? []);
    demandPossible(question, declared, fields.papers.valid);
  }
  demandTurnout(fields);
  demandPacks(fields);
  demandPapers(fields);
  demandBarriers(fields.barriers);
}

/** @param {Question} question @param {Declared} declared @param {number[]} counts */
function demandQuestion(question, { question: asked, answers, blank }, counts) {
  same("question's text", asked, question.text);
  const texts = answers.map(({ answer }) => answer);
  same("question's answers", JSON.stringify(texts), JSON.stringify(question.answers));
  same("blank votes", blank !== null, question.mayBeBlank);
  const slots = blank ? [blank, ...answers] : answers;
  same("votes online", `${slots.map(({ online }) => online)}`, `${counts}`);
  for (const { online, post, total } of slots) same("a total", total, online + post);
}

/**
 * As many votes by post as so many valid papers can hold; a blank one is for no answer.
 *
 * @param {Question} question
 * @param {Declared} declared
 * @param {number} papers
 */
function demandPossible({ most, least }, { answers, blank }, papers) {
  const choosing = papers - (blank?.post ?? 0);
  const marks = answers.map(({ post }) => post);
  atMost("votes by post for one answer", Math.max(...marks), choosing);
  atMost("votes by post", total(marks), choosing * most);
  atMost("votes that papers must hold", choosing * least, total(marks));
}

/** Nobody without a right votes, and nobody has two packs that could vote. @param {Fields} fields */
function demandTurnout({ turnout, roll, credentials }) {
  same("turnout in total", turnout.total, turnout.online + turnout.post);
  same("electors", turnout.electors, roll.electors);
  const entitled = roll.electors - roll.withdrawn;
  atMost("turnout", turnout.total, entitled);
  atMost("active credentials", count(credentials, "active"), entitled);
}

/** Each pack's end is the one that the board says of the credential in it. @param {Fields} fields */
function demandPacks({ packs, credentials, turnout }) {
  same("packs", total(Object.values(packs)), count(credentials, "size"));
  same("packs voted online", count(packs, "voted_online"), turnout.online);
  same("packs voted by post", count(packs, "voted_by_post"), turnout.post);
  for (const state of ["replaced", "withdrawn"]) {
    same(`packs ${state}`, count(packs, state), count(credentials, state));
  }
  // An undelivered pack was given to an elector or is a spare.
  atMost("spare packs", count(packs, "spare"), count(credentials, "spare"));
  const standing = ["voted_online", "voted_by_post", "unused"].map((name) => count(packs, name));
  atMost("packs that stood for a right", total(standing), count(credentials, "active"));
}

/** @param {Fields} fields */
function demandPapers({ papers, envelopes, turnout }) {
  same("turnout by post", turnout.post, envelopes.admitted);
  const setAside = total(Object.values(envelopes.set_aside));
  same("envelopes", envelopes.received, envelopes.admitted + envelopes.voided + setAside);
  const papersFound = papers.valid + total(Object.values(papers.rejected));
  same("papers", papersFound + papers.missing, envelopes.admitted);
}

/** In order, the calendar's in every partition, and the same kinds in each. @param {Barrier[]} barriers */
function demandBarriers(barriers) {
  const isInOrder = barriers.every((barrier, at) => {
    const before = barriers[at - 1];
    const isNext = before?.partition === barrier.partition && before.offset < barrier.offset;
    return !before || before.partition < barrier.partition || isNext;
  });
  demand(isInOrder, "does-not-add-up", "barriers out of order");
  /** @type {Map<number, string[]>} */
  const kinds = new Map();
  for (const { partition, kind } of barriers) {
    kinds.set(partition, [...(kinds.get(partition) ?? []), kind]);
  }
  same("partitions", `${[...kinds.keys()]}`, `${[...Array(PARTITIONS).keys()]}`);
  for (const found of kinds.values()) {
    const calendar = found.filter((kind) => CALENDAR.includes(kind));
    same("barriers", `${calendar}`, `${CALENDAR}`);
  }
  const spelled = [...kinds.values()].map((found) => JSON.stringify(found));
  demand(new Set(spelled).size === 1, "does-not-add-up", "barriers of some partitions only");
}

/** @param {Record<string, unknown>} counts @param {string} name */
function count(counts, name) {
  return Number(counts[name]);
}

/** @param {number[]} numbers */
function total(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** @param {string} what @param {Record<string, unknown>} declared @param {Record<string, unknown>} found */
function sameFields(what, declared, found) {
  for (const [name, value] of Object.entries(found)) same(`${what}: ${name}`, declared[name], value);
}

/** @param {string} what @param {unknown} declared @param {unknown} found */
function same(what, declared, found) {
  demand(declared === found, "does-not-add-up", `${what}: ${declared} isn't ${found}`);
}

/** @param {string} what @param {number} declared @param {number} most */
function atMost(what, declared, most) {
  demand(declared <= most, "does-not-add-up", `${what}: ${declared} is more than ${most}`);
}

/** @param {Json} value @returns {unknown} */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...value].map(([name, field]) => [name, plain(field)]));
}
