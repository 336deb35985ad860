/**
 * Whether what was ticked is an answer that a question allows, and what is sealed of it.
 *
 * Promises that a choice is refused before a ballot is made of it, never mended. The rules are
 * those of `cli/choices.py` and `cli/booth.py`. Must never name a choice in words.
 *
 * @module
 */

/**
 * @typedef {object} Question  as the election's exact text has it
 * @property {string} question
 * @property {readonly string[]} answers
 * @property {boolean} blank
 * @property {number} min
 * @property {number} max
 *
 * @typedef {readonly number[] | null} Choice  numbers of answers from 0; null: a blank vote
 *
 * @typedef {"too-few" | "too-many" | "blank-and-more" | "impossible"} ChoiceProblem
 */

/**
 * Return what is wrong with a choice; null if the question allows it.
 *
 * @param {Question} question
 * @param {Choice} choice
 * @returns {ChoiceProblem | null}
 */
export function choiceProblem(question, choice) {
  if (choice === null) {
    return question.blank ? null : "impossible";
  }
  const isKnown = choice.every(
    (number) => Number.isInteger(number) && number >= 0 && number < question.answers.length,
  );
  if (!isKnown || new Set(choice).size !== choice.length) {
    return "impossible";
  }
  if (choice.length > question.max) {
    return "too-many";
  }
  return choice.length < question.min ? "too-few" : null;
}

/**
 * Return the choice that was ticked; a blank vote beside anything else is a problem.
 *
 * @param {readonly string[]} values  of what is ticked: numbers, or "blank"
 * @returns {{choice: Choice, problem: ChoiceProblem | null}}
 */
export function tickedChoice(values) {
  const numbers = values.filter((value) => value !== "blank" && value !== "none").map(Number);
  if (!values.includes("blank")) {
    return { choice: numbers, problem: null };
  }
  return numbers.length === 0
    ? { choice: null, problem: null }
    : { choice: numbers, problem: "blank-and-more" };
}

/**
 * Return what is sealed: per question ones and zeros, a blank vote's first where there is one.
 *
 * @param {readonly Question[]} questions
 * @param {readonly Choice[]} choices
 * @returns {number[][]}
 */
export function vectors(questions, choices) {
  return questions.map((question, at) => {
    const chosen = choices[at];
    const marks = question.answers.map((_, number) => (chosen?.includes(number) ? 1 : 0));
    return question.blank ? [chosen === null ? 1 : 0, ...marks] : marks;
  });
}

/**
 * Return by which words a question says how many may be chosen.
 *
 * @param {Question} question
 * @returns {"one" | "exactly" | "up-to" | "between"}
 */
export function ruleOf({ min, max }) {
  if (min === max) {
    return max === 1 ? "one" : "exactly";
  }
  return min === 0 ? "up-to" : "between";
}
