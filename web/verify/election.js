/**
 * What is voted on and who may vote: the election with its questions, and the list of credentials.
 *
 * Promises that questions can be answered and that no credential stands twice. What isn't checked here
 * (mixed or list questions, other groups) is refused by name, never passed over. The credentials'
 * points are for `work.js`, which shares them between workers.
 *
 * Source: Belenios 3.3 specification, "Elections", "Questions", "Credentials".
 *
 * @module
 */

import { readPoint } from "../protocol/group.js";
import { digestBase64 } from "../protocol/hash.js";
import { Fault, demand } from "./faults.js";
import { array, decode, natural, read, record, text } from "./strict-json.js";

/** @typedef {import("./strict-json.js").Json} Json */
/**
 * @typedef {object} Question
 * @property {string} text
 * @property {string[]} answers
 * @property {number} least  how few of the answers a voter may choose
 * @property {number} most
 * @property {boolean} mayBeBlank
 * @property {number} slots  how many ciphertexts an answer has; a possible blank vote is the first
 */
/**
 * What a ballot is checked against; of text and numbers only, for it is sent to workers.
 *
 * @typedef {object} Election
 * @property {string} uuid
 * @property {string} name
 * @property {string | null} administrator
 * @property {string} fingerprint
 * @property {string} key  64 hex digits
 * @property {Question[]} questions
 */

export const GROUP = "Ed25519";
const UUID = /^[1-9A-HJ-NP-Za-km-z]{14,64}$/;
const WEIGHT = /^[1-9][0-9]{0,15}$/;
const CREDENTIAL = /^[0-9a-f]{64}$/;
const WORD = /^[^"\\\u0000-\u001f]{60,100}$/;

/**
 * Return the election; its fingerprint is that of the bytes as they stand.
 *
 * @param {Uint8Array} raw
 * @returns {Election}
 */
export function readElection(raw) {
  const names = ["version", "description", "name", "group", "public_key", "questions", "uuid"];
  const optional = ["?administrator", "?credential_authority", "?language"];
  const fields = record(read(raw), ...names, ...optional);
  for (const name of ["description", "name", "administrator", "credential_authority"]) {
    text(name in fields ? fields[name] : "");
  }
  demand(natural(fields.version) === 1, "unsupported", "another version than 1");
  demand(fields.group === GROUP, "unsupported", `another group than ${GROUP}`);
  const uuid = text(fields.uuid);
  demand(UUID.test(uuid), "wrong-shape", "an identifier of another form");
  const questions = array(fields.questions).map(readQuestion);
  demand(questions.length > 0, "wrong-shape", "no question");
  readPoint(fields.public_key);
  return {
    uuid,
    name: text(fields.name),
    administrator: "administrator" in fields ? text(fields.administrator) : null,
    fingerprint: digestBase64(raw),
    key: text(fields.public_key),
    questions,
  };
}

/**
 * Return each voter's credential, as ballots spell it, with the weight of its vote, in the list's order.
 *
 * @param {Uint8Array} raw
 * @returns {Map<string, bigint>}
 */
export function readCredentials(raw) {
  /** @type {Map<string, bigint>} */
  const weights = new Map();
  for (const word of readWords(decode(raw))) {
    const comma = word.indexOf(",");
    const credential = comma < 0 ? word : word.slice(0, comma);
    const weight = comma < 0 ? "1" : word.slice(comma + 1);
    demand(CREDENTIAL.test(credential), "invalid-point");
    demand(!weights.has(credential), "duplicate-credential", credential);
    demand(WEIGHT.test(weight), "wrong-shape", "a weight that is no whole number from 1");
    weights.set(credential, BigInt(weight));
  }
  return weights;
}

/**
 * Return the texts of a list that is in its one form.
 *
 * @param {string} source
 */
function readWords(source) {
  if (source === "[]") return [];
  const isFramed = source.startsWith('["') && source.endsWith('"]') && source.length > 4;
  const words = isFramed ? source.slice(2, -2).split('","') : [""];
  const areWords = words.every((word) => WORD.test(word));
  demand(areWords, "wrong-shape", "no list of credentials");
  return words;
}

/**
 * @param {Json} value
 * @returns {Question}
 */
function readQuestion(value) {
  const isOther = value instanceof Map && value.has("type");
  demand(!isOther, "unsupported", "a question that isn't counted homomorphically");
  const fields = record(value, "answers", "?blank", "min", "max", "question");
  const answers = array(fields.answers).map(text);
  const [least, most] = [natural(fields.min), natural(fields.max)];
  const mayBeBlank = "blank" in fields ? fields.blank : false;
  if (typeof mayBeBlank !== "boolean") throw new Fault("wrong-shape", "neither yes nor no");
  const isPossible = least <= most && most <= answers.length && answers.length > 0;
  demand(isPossible, "wrong-shape", "a question that nobody could answer");
  const slots = answers.length + Number(mayBeBlank);
  return { text: text(fields.question), answers, least, most, mayBeBlank, slots };
}
