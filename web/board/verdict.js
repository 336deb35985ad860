/**
 * Shows the outcome of a verification in the page's own words and tables.
 *
 * Promises that what isn't shown stands in front of what is, and that "everything holds" is said of
 * nothing less. What a file says is set as text.
 *
 * @module
 */

import { cloned, fill, one, word } from "../booth/places.js";

/** @typedef {import("../verify/recount.js").Outcome} Outcome */
/** @typedef {import("../verify/report.js").Report} Report */
/** @typedef {Extract<Outcome, {code: string}>} Failure */

/** What people compare sign by sign. */
const SIGNS = ["fingerprint", "root", "last-event", "unchecked"];

/**
 * Show what came out, and lead the reader there.
 *
 * @param {HTMLElement} place
 * @param {Outcome} outcome
 * @param {number} seconds
 * @param {Intl.NumberFormat} numbers
 */
export function showOutcome(place, outcome, seconds, numbers) {
  place.dataset.verdict = outcome.verdict;
  place.dataset.code = "code" in outcome ? outcome.code : "";
  one(place, "#verdict").textContent = word(document, `verdict-${outcome.verdict}`);
  const parts = "code" in outcome ? failureParts(outcome, numbers) : reportParts(outcome, numbers);
  const took = cloned(document, "#line");
  const rounded = numbers.format(Math.round(seconds * 10) / 10);
  took.textContent = word(document, "took", { seconds: rounded });
  one(place, "#parts").replaceChildren(...parts, took);
  place.hidden = false;
  place.focus();
}

/** @param {Failure} failure @param {Intl.NumberFormat} numbers */
function failureParts({ code, place, detail }, numbers) {
  const entry = place.entry === undefined ? "" : numbers.format(place.entry);
  const name = place.entry === undefined ? `place-${place.file}` : `place-${place.file}-entry`;
  const lines = [word(document, name, { entry }), word(document, `code-${code}`)];
  const paragraphs = lines.map(line);
  const technical = [place.name ?? "", code, detail].filter((one) => one !== "");
  const sign = cloned(document, "#sign");
  sign.textContent = technical.join(" – ");
  return [...paragraphs, sign];
}

/** @param {Report} report @param {Intl.NumberFormat} numbers */
function reportParts(report, numbers) {
  const open = cloned(document, "#open");
  const items = report.open.map((name) => {
    const item = cloned(document, "#open-item");
    item.textContent = word(document, `open-${name}`);
    return item;
  });
  one(open, "ul").replaceChildren(...items);
  return [open, facts(report, numbers), ...report.questions.map(question(report, numbers))];
}

/** @param {Report} report @param {Intl.NumberFormat} numbers */
function facts(report, numbers) {
  const n = (/** @type {number} */ number) => numbers.format(number);
  const { board } = report;
  const checked = { checked: n(report.ballotsChecked), all: n(report.ballots) };
  /** @type {[string, string][]} */
  const rows = [
    ["name", report.name],
    ["fingerprint", report.fingerprint],
    ["ballots", word(document, "checked-of", checked)],
    ["credentials", n(report.credentials)],
    ["trustees", word(document, "trustees-of", { did: n(report.decryptions), all: n(report.trustees) })],
  ];
  if (board !== null) {
    const { active = 0, replaced = 0, withdrawn = 0, spare = 0 } = board.credentials;
    rows.push(["active", n(active)], ["replaced", n(replaced)], ["withdrawn", n(withdrawn)]);
    rows.push(["spare", n(spare)], ["entries", n(board.entries)], ["root", board.root]);
    for (const signer of board.unchecked) rows.push(["unchecked", signer]);
  }
  rows.push(["last-event", report.lastEvent]);
  const list = cloned(document, "#facts");
  list.replaceChildren(...rows.map(([name, value]) => fact(name, value)));
  return list;
}

/** @param {string} name @param {string} value */
function fact(name, value) {
  const row = cloned(document, "#fact");
  fill(row, { key: word(document, `fact-${name}`), value });
  one(row, "dd").classList.toggle("app-sign", SIGNS.includes(name));
  return row;
}

/** @param {Report} report @param {Intl.NumberFormat} numbers */
function question(report, numbers) {
  return (/** @type {Report["questions"][number]} */ asked, /** @type {number} */ at) => {
    const table = cloned(document, "#question");
    fill(table, { question: asked.text });
    const names = asked.mayBeBlank ? [word(document, "blank"), ...asked.answers] : asked.answers;
    const rows = names.map((answer, slot) => {
      const row = cloned(document, "#answer");
      fill(row, { answer, votes: numbers.format(report.result[at]?.[slot] ?? 0) });
      return row;
    });
    one(table, "tbody").replaceChildren(...rows);
    return table;
  };
}

/** @param {string} text */
function line(text) {
  const paragraph = cloned(document, "#line");
  paragraph.textContent = text;
  return paragraph;
}
