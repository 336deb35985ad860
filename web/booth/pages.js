/**
 * What the voter sees: shows a state of the visit in the document's sections.
 *
 * Promises that one step is shown at a time, with its title, and the focus on its heading; that
 * problems stand in a summary with the focus on it, linked to their fields, and "Error:" before the
 * title; and that `wipe` leaves nothing of a code, an answer or a choice in the document. Words come
 * from the template alone, and everything else as text, never as markup.
 *
 * @module
 */

import { generate } from "lean-qr";
import { toSvg } from "lean-qr/extras/svg";

import { fill, one, show } from "./places.js";
import { Problems } from "./problems.js";

/** @typedef {import("./state.js").State} State */

/** The steps from which a button leads back. */
const WITH_BACK = new Set(["code", "questions", "choose", "check"]);

/** The steps of which nothing is left in the document once there is a receipt. */
const GONE = ["code", "questions", "choose", "check", "audit", "resume", "sending"];

export class Pages {
  /** @param {Document} document */
  constructor(document) {
    this.#document = document;
    this.main = one(this.#document, "main");
    this.#title = document.title;
    this.#problems = new Problems(document);
  }

  #document;
  #title;
  #problems;
  #shown = "start 0";
  /** @type {string[]} */
  #files = [];
  /** @type {Element | null} */
  #interrupted = null;

  /**
   * Show a state.
   *
   * @param {State} state
   */
  show(state) {
    const section = this.section(state.step);
    const isNew = this.#shown !== `${state.step} ${state.question}`;
    this.#shown = `${state.step} ${state.question}`;
    this.main.dataset.step = state.step;
    for (const other of this.#all("[data-section]")) {
      other.hidden = other !== section;
    }
    one(this.#document, "#languages").hidden = state.step !== "start";
    one(this.#document, "#back").hidden = !WITH_BACK.has(state.step);
    this.#showStanding(state);
    this.#showParts(section, state);
    this.#showTitle(section, state);
    this.#problems.show(section, state.problems, isNew);
    if (isNew && state.problems.length === 0) {
      scrollTo(0, 0);
      section.querySelector("h1")?.focus({ preventScroll: true });
    }
  }

  /** The section of a step. @param {string} name */
  section(name) {
    return one(this.#document, `[data-section="${name}"]`);
  }

  /** The form of a step. @param {"code" | "questions" | "choose"} name */
  form(name) {
    return /** @type {HTMLFormElement} */ (one(this.#document, `#form-${name}`));
  }

  /** Show the button that begins a visit: this browser can do what it takes. */
  showReady() {
    const begin = this.#document.getElementById("begin");
    if (begin !== null) {
      begin.hidden = false;
      one(this.#document, "#not-ready").hidden = true;
    }
  }

  /** Say something to readers aloud. @param {string} words */
  announce(words) {
    const status = one(this.#document, "#status");
    if (status.textContent !== words) {
      status.textContent = words;
    }
  }

  /**
   * Let a link save a text as a file.
   *
   * @param {string} id
   * @param {string} text
   */
  offerFile(id, text) {
    const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    this.#files.push(address);
    /** @type {HTMLAnchorElement} */ (one(this.#document, `#${id}`)).href = address;
  }

  /** Show where the ballot can be looked up. @param {string} address */
  showBoard(address) {
    /** @type {HTMLAnchorElement} */ (one(this.#document, "#board-link")).href = address;
    one(this.#document, "#board-qr").replaceChildren(toSvg(generate(address), this.#document));
    one(this.#document, "#board-check").hidden = false;
  }

  /** Show a moment in the election's time zone. @param {number} momentMs Unix ms */
  moment(momentMs) {
    /** @type {Intl.DateTimeFormatOptions} */
    const options = {
      ...{ day: "numeric", month: "numeric", year: "numeric", hour: "2-digit", minute: "2-digit" },
      ...{ hourCycle: "h23", timeZoneName: "short", timeZone: this.main.dataset.zone || "UTC" },
    };
    const parts = new Intl.DateTimeFormat("en-GB", options).formatToParts(momentMs);
    const part = (/** @type {string} */ name) =>
      parts.find((one) => one.type === name)?.value ?? "";
    const month = (this.main.dataset.months ?? "").split("|")[Number(part("month")) - 1] ?? "";
    const day = `${part("day")} ${month} ${part("year")}`;
    return `${day}, ${part("hour")}:${part("minute")} ${part("timeZoneName")}`;
  }

  /** Show when it happened, if somebody said. @param {string} name @param {number} momentMs */
  showSince(name, momentMs) {
    fill(this.section(name), { at: momentMs > 0 ? this.moment(momentMs) : "" });
    show(this.section(name), "[data-since]", momentMs > 0);
  }

  /**
   * Show how far a voter's word to the officials has come.
   *
   * @param {"no" | "busy" | "yes" | "failed"} how
   */
  showTold(how) {
    const box = one(this.#document, "#posted-nothing");
    box.hidden = false;
    for (const part of box.querySelectorAll("[data-told]")) {
      const isShown = part instanceof HTMLElement && part.dataset.told === how;
      part.toggleAttribute("hidden", !isShown);
      if (isShown && (how === "yes" || how === "failed")) {
        part.focus(); // the button that was pressed is gone
      }
    }
  }

  /** Fill the places of a section. @param {string} name @param {Record<string, unknown>} given */
  fill(name, given) {
    fill(this.section(name), given);
  }

  /**
   * Leave nothing of a code, an answer or a choice in the document.
   *
   * @param {boolean} isForGood  whether no visit can begin again on this page
   */
  wipe(isForGood) {
    for (const form of this.#document.forms) {
      form.reset();
    }
    this.#files.forEach((address) => URL.revokeObjectURL(address));
    this.#files = [];
    one(this.#document, "#save-opening").removeAttribute("href");
    if (isForGood) {
      GONE.forEach((name) => this.section(name).remove());
    }
  }

  /** @param {State} state */
  #showStanding({ standing }) {
    this.main.dataset.standing = standing;
    one(this.#document, "#standing").hidden = !["not-cast", "not-known"].includes(standing);
    for (const one of this.#all("p[data-standing]")) {
      one.hidden = one.dataset.standing !== standing;
    }
  }

  /**
   * @param {HTMLElement} section
   * @param {State} state
   */
  #showParts(section, state) {
    let busyWords = "";
    for (const one of section.querySelectorAll("[data-busy]")) {
      const isBusy = one instanceof HTMLElement && one.dataset.busy === state.busy;
      one.toggleAttribute("hidden", !isBusy);
      busyWords = isBusy ? (one.textContent ?? "") : busyWords;
    }
    fill(section, { tracker: state.tracker });
    const isSealed = state.busy === null && state.tracker !== "";
    show(section, "[data-sealed]", isSealed);
    show(section, "[data-unsealed]", state.busy === null && !isSealed);
    show(section, "[data-paused]", state.busy === null);
    show(section, "[data-unsafe]", !state.isSafe);
    show(section, "[data-kept]", state.hasKept);
    show(section, '[data-may-be-out="yes"]', state.mayBeOut);
    show(section, '[data-may-be-out="no"]', !state.mayBeOut);
    this.#showWarning(state);
    const paused = state.busy === null ? section.querySelector("[data-paused] p:not([hidden])") : null;
    this.announce(paused?.textContent ?? busyWords);
  }

  /** @param {State} state */
  #showWarning({ warns, isRenewing }) {
    const warning = one(this.#document, "#time-warning");
    const isNew = warns && warning.hidden;
    warning.hidden = !warns;
    one(this.#document, "#renewing").hidden = !isRenewing;
    if (isNew) {
      this.#interrupted = this.#document.activeElement;
      warning.focus();
    } else if (!warns && this.#interrupted instanceof HTMLElement) {
      this.#interrupted.focus(); // where the voter was; lost if the step has gone
      this.#interrupted = null;
    }
  }

  /** Show until when there is time. @param {number} momentMs */
  showUntil(momentMs) {
    fill(one(this.#document, "#time-warning"), { until: this.moment(momentMs) });
  }

  /**
   * @param {HTMLElement} section
   * @param {State} state
   */
  #showTitle(section, { step, problems, question, questions }) {
    const place = step === "choose" && questions > 1 ? ` (${question + 1}/${questions})` : "";
    const own = (section.dataset.title ?? "") + place;
    const title = step === "start" ? this.#title : `${own} – ${this.#title}`;
    this.#document.title = problems.length > 0 ? `${this.main.dataset.error} ${title}` : title;
  }

  /** @param {string} selector */
  #all(selector) {
    return /** @type {NodeListOf<HTMLElement>} */ (this.#document.querySelectorAll(selector));
  }
}
