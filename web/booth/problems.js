/**
 * What keeps the voter at a step: the summary above, and the words at each field.
 *
 * Promises a summary with the focus on it, whose lines lead to their fields; each field's words tied
 * to it for readers aloud; and nothing by colour alone. Must never show what was typed.
 *
 * @module
 */

import { one, word } from "./places.js";

/** @typedef {import("./state.js").Problem} Problem */

export class Problems {
  /** @param {Document} document */
  constructor(document) {
    this.#document = document;
  }

  #document;
  /** @type {readonly Problem[]} */
  #shown = [];

  /**
   * Show these problems, and no others.
   *
   * @param {HTMLElement} section  of the step
   * @param {readonly Problem[]} problems
   * @param {boolean} isNew  whether the step has just been reached
   */
  show(section, problems, isNew) {
    const summary = one(this.#document, "#problems");
    if (problems === this.#shown && !isNew) {
      return; // the focus is taken once for each try
    }
    this.#shown = problems;
    const shown = problems.map((problem) => this.#problem(section, problem));
    this.#showFieldErrors(section, shown);
    summary.hidden = problems.length === 0;
    if (problems.length === 0) {
      return;
    }
    const items = shown.map(({ words, field }) => {
      const item = this.#document.createElement("li");
      const line = this.#document.createElement(field ? "a" : "span");
      line.textContent = words;
      if (line instanceof HTMLAnchorElement) {
        line.href = `#${field}`;
        line.dataset.field = field;
      }
      item.append(line);
      return item;
    });
    summary.querySelector("ul")?.replaceChildren(...items);
    scrollTo(0, 0);
    summary.focus();
  }

  /**
   * @param {HTMLElement} section
   * @param {Problem} problem
   */
  #problem(section, problem) {
    const { word: name, field, group = field, about, ...given } = problem;
    const words = word(this.#document, name, given);
    const isThere = field !== undefined && section.querySelector(`#${CSS.escape(field)}`) !== null;
    return {
      words: about ? `${about} – ${words}` : words,
      own: words,
      field: isThere ? field : undefined,
      group: group ?? "",
    };
  }

  /**
   * @param {HTMLElement} section
   * @param {{own: string, field: string | undefined, group: string}[]} shown
   */
  #showFieldErrors(section, shown) {
    for (const message of section.querySelectorAll(".govuk-error-message")) {
      const found = shown.find(({ group }) => message.id === `${group}-error`);
      message.toggleAttribute("hidden", found === undefined);
      message.querySelector("[data-words]")?.replaceChildren(found?.own ?? "");
      const box = message.closest(".govuk-form-group");
      box?.classList.toggle("govuk-form-group--error", found !== undefined);
      for (const input of box?.querySelectorAll('input[type="text"]') ?? []) {
        const isMeant = found !== undefined && (found.field === input.id || found.field === found.group);
        input.classList.toggle("govuk-input--error", isMeant);
        input.toggleAttribute("aria-invalid", isMeant);
        if (isMeant) input.setAttribute("aria-invalid", "true");
      }
    }
  }
}
