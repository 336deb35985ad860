/**
 * Answers to security questions, looked at on the voter's own device before they cost a try.
 *
 * Promises that only what can't be an answer of its kind at all is refused, by the same rules as
 * `services/identity/domain/answers.py`; that a date travels as ISO, so that nobody reads its day
 * as its month; and that everything else travels as typed, for `identity` alone knows how names are
 * compared. Must never write an answer anywhere.
 *
 * @module
 */

const EARLIEST_YEAR = 1890;
const LATEST_YEAR = 2199;
const LONGEST_ANSWER = 200;
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;
const MODIFIER_LETTERS = /\p{Lm}/gu;

/**
 * @typedef {"missing" | "not-a-date" | "not-a-year" | "too-long"} FactProblem
 *
 * @typedef {object} Typed  what was typed for one fact
 * @property {string} [text]
 * @property {string} [day]
 * @property {string} [month]
 * @property {string} [year]
 */

/**
 * Return the answer as it is sealed, or what keeps it from being one.
 *
 * @param {string} fact  see shared/contracts/elections.py
 * @param {Typed} typed
 * @returns {{answer: string, problem: null} | {answer: null, problem: FactProblem, field?: string}}
 */
export function factAnswer(fact, typed) {
  if (fact === "date_of_birth") {
    return dateAnswer(typed);
  }
  const text = (typed.text ?? "").trim();
  if (fact === "year_joined") {
    return yearAnswer(text);
  }
  if (!LETTER_OR_DIGIT.test(text.normalize("NFKD").replace(MODIFIER_LETTERS, ""))) {
    return { answer: null, problem: "missing" };
  }
  return text.length > LONGEST_ANSWER
    ? { answer: null, problem: "too-long" }
    : { answer: text, problem: null };
}

/** @param {Typed} typed */
function dateAnswer(typed) {
  const parts = /** @type {const} */ (["day", "month", "year"]);
  const texts = parts.map((part) => (typed[part] ?? "").trim());
  const firstEmpty = texts.indexOf("");
  if (firstEmpty >= 0) {
    return { answer: null, problem: /** @type {const} */ ("missing"), field: parts[firstEmpty] };
  }
  const wrong = texts.findIndex((text, at) => !(at === 2 ? /^\d{4}$/ : /^\d{1,2}$/).test(text));
  const [day, month, year] = texts.map(Number);
  if (wrong >= 0 || !isDay(year, month, day)) {
    return {
      answer: null,
      problem: /** @type {const} */ ("not-a-date"),
      field: parts[Math.max(wrong, 0)],
    };
  }
  const iso = `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
  return { answer: iso, problem: null };
}

/** @param {string} text */
function yearAnswer(text) {
  if (text === "") {
    return { answer: null, problem: /** @type {const} */ ("missing") };
  }
  const isYear = /^\d{4}$/.test(text) && isYearKnown(Number(text));
  return isYear
    ? { answer: text, problem: null }
    : { answer: null, problem: /** @type {const} */ ("not-a-year") };
}

/**
 * @param {number} year
 * @param {number} month
 * @param {number} day
 */
function isDay(year, month, day) {
  const made = new Date(Date.UTC(year, month - 1, day));
  return isYearKnown(year) && made.getUTCMonth() === month - 1 && made.getUTCDate() === day;
}

/** @param {number} year */
function isYearKnown(year) {
  return year >= EARLIEST_YEAR && year <= LATEST_YEAR;
}
