/**
 * What the voter typed and ticked, read from the page, and what is wrong with it.
 *
 * Promises that nothing is refused here but what can't be a code, an answer or an allowed choice at
 * all, and that what is wrong is told by words of the page and the ids of its fields, never with
 * what was typed. Keeps nothing.
 *
 * @module
 */

import { choiceProblem, tickedChoice } from "./choices.js";
import { factAnswer } from "./facts.js";
import { readCode } from "../protocol/code.js";
import { CodeRefused } from "../protocol/errors.js";

/** @typedef {import("./state.js").Problem} Problem */

/** What is left of the sealed length beside nonce, attempt and the names of the fields. */
const LONGEST_ANSWERS_BYTES = 800;

/**
 * Return the code as it is typed; empty where nothing is.
 *
 * @param {Document} document
 */
export function typedCode(document) {
  return field(document, "code").value;
}

/**
 * Return what is wrong with a typed code.
 *
 * @param {string} text
 * @returns {Problem[]}
 */
export function codeProblems(text) {
  if (text.trim() === "") {
    return [{ word: "code-missing", field: "code" }];
  }
  try {
    readCode(text);
    return [];
  } catch (error) {
    if (!(error instanceof CodeRefused)) throw error;
    return [{ word: error.code, field: "code" }];
  }
}

/**
 * Return what stood in an address if it can be somebody's code, mistyped at most; else nothing.
 *
 * @param {string} text
 */
export function codeOf(text) {
  const problem = text === "" ? "too_short" : codeProblems(text)[0]?.word;
  return problem === undefined || problem === "bad_check" ? text : "";
}

/**
 * Return the answers by fact, and what keeps them from being offered.
 *
 * @param {Document} document
 */
export function typedAnswers(document) {
  /** @type {Record<string, string>} */
  const answers = {};
  /** @type {Problem[]} */
  const problems = [];
  for (const one of document.querySelectorAll("#form-questions [data-fact]")) {
    const fact = one.getAttribute("data-fact") ?? "";
    const found = factAnswer(fact, typed(document, `fact-${fact}`));
    if (found.problem === null) {
      answers[fact] = found.answer;
    } else {
      problems.push({
        ...problemOf(fact, found.problem, found.field),
        about: one.querySelector("legend, label")?.textContent?.trim(),
      });
    }
  }
  return { answers, problems: problems.length > 0 ? problems : tooLongTogether(answers) };
}

/**
 * Sealed answers have one length, and all answers together must go into it.
 *
 * @param {Record<string, string>} answers
 * @returns {Problem[]}
 */
export function tooLongTogether(answers) {
  const bytesOf = (/** @type {unknown} */ given) =>
    new TextEncoder().encode(JSON.stringify(given)).length;
  if (bytesOf(answers) <= LONGEST_ANSWERS_BYTES) {
    return [];
  }
  const [longest] = Object.keys(answers).sort((a, b) => bytesOf(answers[b]) - bytesOf(answers[a]));
  return [problemOf(longest, "too-long-together")];
}

/**
 * Return the choice that is ticked, and what is wrong with it.
 *
 * @param {import("./choices.js").Question} question
 * @param {readonly string[]} values
 * @returns {{choice: import("./choices.js").Choice, problems: Problem[]}}
 */
export function chosen(question, values) {
  const { choice, problem: mixed } = tickedChoice(values);
  const isOpen = question.max === 1 && values.length === 0; // radios: nothing is no answer
  const problem = mixed ?? (isOpen ? "too-few" : choiceProblem(question, choice));
  if (problem === null) {
    return { choice, problems: [] };
  }
  const word = problem === "too-few" && question.max === 1 ? "choose-one" : problem;
  const { min, max } = question;
  return { choice, problems: [{ word, field: "choice", group: "choices", min, max }] };
}

/**
 * @param {string} fact
 * @param {string} problem
 * @param {string} [part]
 */
function problemOf(fact, problem, part) {
  const group = `fact-${fact}`;
  if (fact !== "date_of_birth") {
    return { word: problem, field: group, group };
  }
  const word = problem === "missing" ? "missing-date" : problem;
  return { word, field: `${group}-${part ?? "day"}`, group };
}

/**
 * @param {Document} document
 * @param {string} id
 */
function typed(document, id) {
  const of = (/** @type {string} */ name) => {
    const found = document.getElementById(name);
    return found instanceof HTMLInputElement ? found.value : undefined;
  };
  return { text: of(id), day: of(`${id}-day`), month: of(`${id}-month`), year: of(`${id}-year`) };
}

/**
 * Return a text field of the page.
 *
 * @param {Document} document
 * @param {string} id
 */
export function field(document, id) {
  return /** @type {HTMLInputElement} */ (document.getElementById(id));
}
