/**
 * The ballot paper in the page: a question with its answers, and the list of what was chosen.
 *
 * Promises the answers in the order of their listing, each as text, with what is said about it, under
 * its number in the election's exact text; radios where at most one may be chosen, else checkboxes;
 * and that `wipe` leaves nothing of it in the document.
 *
 * @module
 */

import { ruleOf } from "./choices.js";
import { cloned, fill, one, word } from "./places.js";

/**
 * @typedef {import("./choices.js").Question} Question
 * @typedef {import("./choices.js").Choice} Choice
 * @typedef {import("./listing.js").Listing} Listing
 */

export class Paper {
  /** @param {Document} document */
  constructor(document) {
    this.#document = document;
  }

  #document;

  /**
   * Show a question of the ballot, with what was chosen before.
   *
   * @param {Question} question
   * @param {{number: number, total: number, choice: Choice | undefined, listing: Listing}} given  number
   *   from 1
   */
  showQuestion(question, { number, total, choice, listing }) {
    const section = one(this.#document, "#step-choose");
    fill(section, { question: question.question, number: String(number), total: String(total) });
    one(this.#document, "#question-place").hidden = total === 1;
    const isRadio = question.max === 1;
    const box = one(this.#document, "#choices");
    box.className = isRadio ? "govuk-radios" : "govuk-checkboxes";
    box.replaceChildren(...this.#choiceItems(question, { isRadio, choice, listing }));
    const rule = word(this.#document, `rule-${ruleOf(question)}`, question);
    const blank = question.blank ? ` ${word(this.#document, "rule-blank")}` : "";
    one(this.#document, "#choices-rule").textContent = rule + blank;
    one(this.#document, "#choices-count").hidden = isRadio;
    this.showCount(question);
  }

  /** The values that are ticked in the question that is shown. */
  ticked() {
    const boxes = [...one(this.#document, "#choices").querySelectorAll("input")];
    return boxes.filter((one) => one.checked).map((one) => one.value);
  }

  /**
   * Something was ticked or unticked: a blank vote and answers exclude each other.
   *
   * @param {EventTarget | null} ticked
   * @param {Question} question
   */
  tick(ticked, question) {
    if (ticked instanceof HTMLInputElement && ticked.checked) {
      const isBlank = ticked.value === "blank";
      for (const one of this.#document.querySelectorAll("#choices input")) {
        if (one instanceof HTMLInputElement && (one.value === "blank") !== isBlank) {
          one.checked = false;
        }
      }
    }
    this.showCount(question);
  }

  /** Show how many are ticked. @param {Question} question */
  showCount(question) {
    const count = this.ticked().filter((value) => value !== "blank").length;
    fill(one(this.#document, "#choices-count"), { count: `${count} / ${question.max}` });
  }

  /**
   * Show what was chosen, each with a button that leads back to it.
   *
   * @param {string} id  of the list
   * @param {readonly Question[]} questions
   * @param {readonly Choice[]} choices
   */
  showChoices(id, questions, choices) {
    const rows = questions.map((question, at) => {
      const row = cloned(this.#document, "#answer-row");
      fill(row, { question: question.question });
      const chosen = row.querySelector("[data-fill-list]");
      chosen?.replaceChildren(...this.#chosenItems(question, choices[at]));
      const change = row.querySelector("button");
      if (id === "answers" && change !== null) {
        change.dataset.question = String(at);
      } else {
        change?.parentElement?.remove();
      }
      return row;
    });
    one(this.#document, `#${id}`).replaceChildren(...rows);
  }

  /** Leave nothing of what was chosen in the document. */
  wipe() {
    for (const id of ["choices", "answers", "audited"]) {
      one(this.#document, `#${id}`).replaceChildren();
    }
    fill(one(this.#document, "#step-choose"), { question: "", number: "", count: "" });
  }

  /**
   * @param {Question} question
   * @param {{isRadio: boolean, choice: Choice | undefined, listing: Listing}} given
   */
  #choiceItems(question, { isRadio, choice, listing }) {
    const item = (/** @type {string} */ value, /** @type {string} */ words, is = false) =>
      this.#choiceItem({ isRadio, value, words, isTicked: is, isOurs: true });
    const items = listing.numbers.map((number, place) =>
      this.#choiceItem({
        isRadio,
        value: String(number),
        words: question.answers[number],
        isTicked: Boolean(choice?.includes(number)),
        isFirst: place === 0,
        about: listing.texts[number],
      }),
    );
    if (isRadio && question.min === 0) {
      items.push(item("none", word(this.#document, "none"), choice?.length === 0));
    }
    if (question.blank) {
      const divider = this.#document.createElement("div");
      divider.className = isRadio ? "govuk-radios__divider" : "govuk-checkboxes__divider";
      divider.textContent = word(this.#document, "or");
      items.push(divider, item("blank", word(this.#document, "blank"), choice === null));
    }
    return items;
  }

  /**
   * @param {{isRadio: boolean, value: string, words: string, isTicked: boolean, isOurs?: boolean,
   *   isFirst?: boolean, about?: string}} given
   */
  #choiceItem({ isRadio, value, words, isTicked, isOurs = false, isFirst = false, about = "" }) {
    const item = cloned(this.#document, isRadio ? "#choice-radio" : "#choice-checkbox");
    const input = item.querySelector("input");
    const label = item.querySelector("label");
    if (input !== null && label !== null) {
      input.value = value;
      input.id = isFirst ? "choice" : `choice-${value}`; // what was wrong is told with a link to the first
      input.checked = isTicked;
      label.htmlFor = input.id;
      label.textContent = words;
      label.dir = "auto";
      if (!isOurs) label.translate = false; // names are never translated
      this.#showAbout(item, { input, about });
    }
    return item;
  }

  /**
   * @param {HTMLElement} item
   * @param {{input: HTMLInputElement, about: string}} given
   */
  #showAbout(item, { input, about }) {
    const hint = item.querySelector(".govuk-hint");
    if (hint instanceof HTMLElement && about !== "") {
      hint.id = `${input.id}-about`;
      hint.textContent = about;
      hint.dir = "auto";
      hint.translate = false; // what people wrote about a name is as little ours
      input.setAttribute("aria-describedby", hint.id);
    } else {
      hint?.remove();
    }
  }

  /**
   * @param {Question} question
   * @param {Choice | undefined} choice
   */
  #chosenItems(question, choice) {
    const words = choice === null ? [word(this.#document, "blank")] : (choice ?? []).map((at) => question.answers[at]);
    return (words.length > 0 ? words : [word(this.#document, "none")]).map((text) => {
      const item = this.#document.createElement("li");
      item.textContent = text;
      item.dir = "auto";
      item.translate = !Array.isArray(choice) || choice.length === 0;
      return item;
    });
  }
}
