/**
 * In which order a question's answers are listed, and what little is said about each.
 *
 * Promises that each answer stands once, under its own number, and that with "rotated" each is as
 * likely to be first as any other; refuses what isn't a listing of this election. Neither is a part
 * of the election's exact text: must never change what is sealed for an answer.
 *
 * @module
 */

/**
 * @typedef {import("./choices.js").Question} Question
 *
 * @typedef {object} Listing
 * @property {readonly number[]} numbers  of the answers, from 0, in the order in which they are shown
 * @property {readonly string[]} texts  by the answer's number; empty where nothing is said
 *
 * @typedef {(below: number) => number} Draws  a whole number from 0, each as likely
 */

/** What was told isn't a listing of this election's questions. */
export class OtherPaper extends Error {}

/**
 * Return a listing for each question, drawn once for a visit.
 *
 * @param {readonly Question[]} questions
 * @param {unknown} paper  as the gateway tells it: per question its `texts` and its `order`
 * @param {Draws} draws
 * @returns {Listing[]}
 */
export function listings(questions, paper, draws) {
  if (!Array.isArray(paper) || paper.length !== questions.length) {
    throw new OtherPaper("The paper isn't one of this election's questions.");
  }
  return questions.map((question, at) => listing(question.answers.length, paper[at], draws));
}

/**
 * Return a number below another, each as likely, from the browser's own source of chance.
 *
 * @type {Draws}
 */
export function drawn(below) {
  const space = 2 ** 32;
  const fair = space - (space % below);
  for (;;) {
    const [number] = crypto.getRandomValues(new Uint32Array(1));
    if (number < fair) {
      return number % below;
    }
  }
}

/**
 * @param {number} count  of answers
 * @param {unknown} told
 * @param {Draws} draws
 * @returns {Listing}
 */
function listing(count, told, draws) {
  const { texts, order } = /** @type {{texts?: unknown, order?: unknown}} */ (told ?? {});
  if (!areTexts(texts, count) || (order !== "listed" && order !== "rotated")) {
    throw new OtherPaper("The paper says something else than texts and an order.");
  }
  const first = order === "rotated" ? draws(count) : 0;
  const numbers = Array.from({ length: count }, (_, place) => (first + place) % count);
  return { numbers, texts };
}

/**
 * @param {unknown} texts
 * @param {number} count
 * @returns {texts is string[]}
 */
function areTexts(texts, count) {
  return (
    Array.isArray(texts) &&
    (texts.length === 0 || texts.length === count) &&
    texts.every((text) => typeof text === "string")
  );
}
