/**
 * What a verification in which everything held shows, and above all what it doesn't.
 *
 * @module
 */

/** @typedef {import("./chain.js").Contents} Contents */
/** @typedef {import("./election.js").Election} Election */
/** @typedef {import("./election.js").Question} Question */
/** @typedef {import("./evidence.js").Files} Files */
/** @typedef {import("./evidence.js").Held} Held */
/** @typedef {import("./trustees.js").Committee} Committee */
/** @typedef {"fingerprint" | "sample" | "board" | "checkpoint" | "board-key" | "witness" | "declaration" | "not-declared" | "your-ballot"} OpenEnd */
/**
 * @typedef {object} Report
 * @property {"holds" | "holds-in-part"} verdict
 * @property {OpenEnd[]} open  what isn't shown, the gravest first
 * @property {string} name
 * @property {string} uuid
 * @property {string} fingerprint
 * @property {number} trustees
 * @property {{threshold: number, of: number}[]} needed
 * @property {number} decryptions
 * @property {number} credentials
 * @property {number} credentialsChecked
 * @property {number} ballots
 * @property {number} ballotsChecked
 * @property {number} totalWeight
 * @property {string} lastEvent
 * @property {Question[]} questions
 * @property {number[][]} result
 * @property {{entries: number, root: string, credentials: Record<string, number>, hasDeclaration: boolean, unchecked: string[]} | null} board
 */
/** Of how many all was checked. @typedef {{ballots: number, credentials: number}} Checked */
/**
 * @typedef {object} Shown
 * @property {Contents} contents
 * @property {Election} election
 * @property {Committee[]} committees
 * @property {Map<string, bigint>} weights
 * @property {Held | null} held
 * @property {number[][]} result
 * @property {Checked} checked
 * @property {OpenEnd[]} open
 */

/** What no file shows to somebody alone: all else can be had, and without it only a part holds. */
const NEVER_SHOWN = ["witness", "your-ballot"];

/**
 * Return what stays open, the gravest first.
 *
 * @param {Files & {fingerprint: string | null}} given
 * @param {Held | null} held
 * @param {Checked} checked
 * @param {{contents: Contents, credentials: number}} all
 * @returns {OpenEnd[]}
 */
export function openEnds(given, held, checked, { contents, credentials }) {
  /** @type {OpenEnd[]} */
  const open = given.fingerprint === null ? ["fingerprint"] : [];
  const isSample = checked.ballots < contents.ballots.length || checked.credentials < credentials;
  if (isSample) open.push("sample");
  if (held === null) return [...open, "board", "your-ballot"];
  if (given.checkpoints.length === 0) open.push("checkpoint");
  else open.push(given.boardKey === null ? "board-key" : "witness");
  if (held.declaration === null) {
    open.push(held.posted.declaration === null ? "not-declared" : "declaration");
  }
  return [...open, "your-ballot"];
}

/**
 * Return the report as data that a worker can send.
 *
 * @param {Shown} shown
 * @returns {Report}
 */
export function reportOf({ contents, election, committees, weights, held, result, checked, open }) {
  return {
    verdict: open.every((one) => NEVER_SHOWN.includes(one)) ? "holds" : "holds-in-part",
    open,
    name: election.name,
    uuid: election.uuid,
    fingerprint: election.fingerprint,
    trustees: committees.reduce((sum, { keys }) => sum + keys.length, 0),
    needed: committees.map(({ threshold, keys }) => ({ threshold, of: keys.length })),
    decryptions: contents.decryptions.length,
    credentials: weights.size,
    credentialsChecked: checked.credentials,
    ballots: contents.ballots.length,
    ballotsChecked: checked.ballots,
    totalWeight: contents.totalWeight,
    lastEvent: contents.lastEvent,
    questions: election.questions,
    result,
    board: held && {
      entries: held.posted.lines.length,
      root: held.root,
      credentials: held.posted.states.counts(),
      hasDeclaration: held.posted.declaration !== null,
      unchecked: held.unchecked,
    },
  };
}
