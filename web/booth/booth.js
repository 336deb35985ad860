/**
 * The booth: joins the state machine, the voter's secrets, the page, the clock and the history.
 *
 * Promises that the code is out of the address before anything else, that what an event wants done
 * is done once, and that what comes back too late is told with its turn and so ignored. Secrets lie
 * in the Visitor alone. Runs where the page's script is loaded; exports nothing.
 *
 * @module
 */

import { takeCode, taken } from "./arrival.js";
import { Api, GatewayAway } from "./api.js";
import { focusOn, isAble, painted, sleep } from "./browser.js";
import { chosen, codeOf, codeProblems, field, typedAnswers, typedCode } from "./fields.js";
import { Kept, tabStorage } from "./kept.js";
import { watchLeaving } from "./leaving.js";
import { Pages } from "./pages.js";
import { Paper } from "./paper.js";
import { Steps } from "./steps.js";
import { tabChannel, Tabs } from "./tabs.js";
import { Idle, TimeOut } from "./time-out.js";
import { arrived, isHalfCast, isOver } from "./state.js";
import { next } from "./visit.js";
import { Forgotten, OtherBallot, Visitor } from "./visitor.js";
import { readCode } from "../protocol/code.js";
import { trackerOf } from "../protocol/ballot.js";

/**
 * @typedef {import("./state.js").State} State
 * @typedef {import("./state.js").Event} BoothEvent
 * @typedef {import("./state.js").Effect} Effect
 */

class Booth {
  constructor() {
    this.pages = new Pages(document);
    this.paper = new Paper(document);
    this.electionId = this.pages.main.dataset.election ?? "";
    this.api = new Api(this.electionId, {
      fetch: (...given) => fetch(...given),
      sleep,
      isOffline: () => !navigator.onLine,
    });
    this.kept = new Kept(this.electionId, tabStorage());
    this.visitor = new Visitor({
      electionId: this.electionId,
      fingerprint: document.getElementById("fingerprint")?.textContent?.trim() ?? "",
      api: this.api,
      kept: this.kept,
      clock: { nowMs: Date.now, steadyMs: () => performance.now(), sleep },
    });
    this.steps = new Steps(history, (times) => this.goBack(times));
    this.timeOut = new TimeOut({
      endsAtMs: () => this.visitor.endsAtMs ?? (this.holdsCode() ? this.idle.endsAtMs : null),
      warn: (endsAtMs) => {
        this.pages.showUntil(endsAtMs);
        this.tell({ type: "warned" });
      },
      end: () => this.tell({ type: "timed-out" }),
    });
    this.tabs = new Tabs({
      locks: navigator.locks,
      channel: tabChannel(this.electionId),
      dropped: (tracker) => this.dropped(tracker),
    });
  }

  /** @type {State} */
  state = arrived(1);
  /** What the questions of the ballot are; empty until the election is known. */
  questions = /** @type {import("./choices.js").Question[]} */ ([]);
  listings = /** @type {readonly import("./listing.js").Listing[]} */ ([]);
  code = codeOf(takeCode());
  idle = new Idle(Date.now);

  async start() {
    this.listen();
    this.timeOut.start();
    const kept = this.kept.read();
    if (kept === null) {
      this.pages.showReady();
      this.steps.collapse();
      return;
    }
    const tracker = trackerOf(kept.ballot);
    if (!(await this.tabs.claim(tracker))) {
      this.tell({ type: "other-tab", tracker });
      return;
    }
    await this.load().catch(() => undefined); // what was to be done tells that, when it tries
    const isExpired = this.visitor.isExpired(kept.permit);
    this.tell({ type: "kept", mayBeOut: kept.mayBeOut, isExpired, tracker });
  }

  /** Whether a code lies open in the page, before any permit says for how long it may. */
  holdsCode() {
    const { step } = this.state;
    const isEarly = step === "start" || step === "code";
    return isEarly && (this.code !== "" || typedCode(document) !== "");
  }

  /** Another tab with the same ballot won't cast it. @param {string} tracker */
  dropped(tracker) {
    const kept = this.kept.read();
    if (kept !== null && !kept.mayBeOut && trackerOf(kept.ballot) === tracker) {
      this.kept.forget();
    }
  }

  async load() {
    const { election, paper } = await this.visitor.page();
    this.questions = election.questions;
    this.listings = paper;
    this.state = { ...this.state, questions: election.questions.length };
  }

  /** @param {BoothEvent} event */
  tell(event) {
    const before = this.state;
    const { state, effects } = next(before, event);
    if (state === before && effects.length === 0) {
      return;
    }
    this.state = state;
    const isStep = state.step !== before.step || state.question !== before.question;
    if (isStep && event.type !== "back" && event.type !== "kept" && !isOver(state)) {
      this.steps.forward();
    }
    for (const effect of effects) {
      if (effect.do === "forget") this.forget(effect.what);
    }
    if (isStep) {
      this.prepare();
    }
    this.pages.show(state);
    if (isOver(state) || state.step === "start") {
      this.steps.collapse();
    }
    for (const effect of effects) {
      void this.act(effect);
    }
  }

  /** Fill what a step shows, as it is reached. */
  prepare() {
    const { step, question, outcome } = this.state;
    if (step === "code" && this.code !== "") {
      field(document, "code").value = this.code;
      this.code = "";
    }
    if (step === "choose") {
      this.paper.showQuestion(this.questions[question], {
        number: question + 1,
        total: this.questions.length,
        choice: this.visitor.choices[question],
        listing: this.listings[question],
      });
    }
    if (step === "check") {
      this.paper.showChoices("answers", this.questions, this.visitor.choices);
    }
    if (step === "audit") {
      this.paper.showChoices("audited", this.questions, this.visitor.choices);
      this.pages.fill(step, { origin: location.origin });
    }
    if (isOver(this.state) && outcome !== null) {
      this.pages.fill(step, { reason: outcome.code ?? "" });
      this.pages.showSince(step, outcome.atMs ?? 0);
    }
    if (step === "post-received" && this.visitor.canSayNothingPosted) {
      this.pages.showTold("no");
    }
    if (step === "receipt" && outcome?.receipt) {
      this.showReceipt(outcome.receipt);
    }
  }

  /** @param {Effect} effect */
  async act(effect) {
    const turn = this.state.turn;
    try {
      await this.perform(effect, turn);
    } catch (error) {
      if (error instanceof Forgotten) {
        return; // nobody waits for it any more
      }
      if (effect.do === "renew") {
        this.tell({ type: "not-renewed", outcome: null });
      } else if (error instanceof GatewayAway) {
        this.tell({ type: "away", turn });
      } else if (error instanceof OtherBallot) {
        this.tell({ type: "other-ballot", turn });
      } else {
        this.tell({ type: "failed", turn });
      }
    }
  }

  /**
   * @param {Effect} effect
   * @param {number} turn
   */
  async perform(effect, turn) {
    switch (effect.do) {
      case "enter": {
        await this.load();
        const refused = await this.visitor.enter(readCode(typedCode(document)));
        return this.tell(
          refused === null ? { type: "proved", turn } : { type: "refused", turn, outcome: refused },
        );
      }
      case "answer": {
        const { refused, state } = await this.visitor.offer(typedAnswers(document).answers);
        return this.tell(
          refused === null
            ? { type: "permitted", turn, outcome: state }
            : { type: "refused", turn, outcome: refused },
        );
      }
      case "renew": {
        const refused = await this.visitor.renew();
        return this.tell(
          refused === null ? { type: "renewed" } : { type: "not-renewed", outcome: refused },
        );
      }
      case "seal": {
        await painted();
        const sealed = await this.visitor.seal(() => turn === this.state.turn);
        void this.tabs.claim(sealed.tracker);
        return this.tell({ type: "sealed", turn, ...sealed });
      }
      case "open":
        this.pages.offerFile("save-opening", `${JSON.stringify(this.visitor.open())}\n`);
        return this.tell({ type: "opened", turn });
      case "ask-state":
        return this.tell({ type: "stated", turn, outcome: await this.visitor.state() });
      case "ask-ballot":
        return this.tell({ type: "asked", turn, ...(await this.visitor.askBallot()) });
      case "hand-in":
      case "hand-in-as-is": {
        const isAsIs = effect.do === "hand-in-as-is";
        const note = (/** @type {boolean} */ mayBeOut) =>
          this.tell({ type: "noted", turn, mayBeOut });
        const outcome = await this.visitor.handIn(note, isAsIs);
        const hasLapsed = outcome === null && !isAsIs && this.visitor.isLapsed;
        return this.tell(hasLapsed ? { type: "lapsed", turn } : { type: "ended", turn, outcome });
      }
      case "linger":
        return this.idle.touch();
      case "stay":
        return this.steps.forward();
      default:
        return undefined;
    }
  }

  /** @param {import("./state.js").Forgettable} what */
  forget(what) {
    if (what === "ballot" || what === "all") {
      this.forgetBallot(what === "ballot");
    }
    if (what === "ballot") {
      return;
    }
    if (what === "choices") {
      this.visitor.forgetChoices();
    } else {
      this.visitor.forget();
    }
    this.paper.wipe();
    if (what === "session") {
      this.pages.form("questions").reset();
      return;
    }
    this.code = "";
    this.pages.wipe(what === "all" && this.state.step === "receipt");
  }

  /** @param {boolean} isDropped  by the voter: no tab may cast it */
  forgetBallot(isDropped) {
    const kept = this.kept.read();
    this.kept.forget();
    if (kept !== null && isDropped) {
      this.tabs.drop(trackerOf(kept.ballot));
    }
  }

  /** @param {number} times */
  goBack(times) {
    for (let gone = 0; gone < times; gone += 1) {
      this.tell({ type: "back" });
    }
  }

  listen() {
    document.addEventListener("click", (event) => this.clicked(event));
    for (const name of /** @type {const} */ (["code", "questions", "choose"])) {
      this.pages.form(name).addEventListener("submit", (event) => {
        event.preventDefault();
        this.submitted(name);
      });
    }
    document.getElementById("choices")?.addEventListener("change", ({ target }) => {
      this.paper.tick(target, this.questions[this.state.question]);
    });
    document.getElementById("print")?.addEventListener("click", () => print());
    document
      .getElementById("tell-posted-nothing")
      ?.addEventListener("click", () => void this.sayNothingPosted());
    for (const name of ["input", "keydown", "pointerdown"]) {
      document.addEventListener(name, () => {
        if (!this.state.warns) this.idle.touch(); // then "Carry on" alone says that somebody is there
      });
    }
    watchLeaving(globalThis, {
      forget: () => this.forget("visit"),
      reload: () => location.reload(),
    });
    addEventListener("beforeunload", (event) => {
      if (isHalfCast(this.state)) event.preventDefault();
    });
    addEventListener("online", () => this.tell({ type: "again" }));
    addEventListener("hashchange", () => this.scanned(codeOf(taken())));
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const { target } = event;
    const button = target instanceof Element ? target.closest("[data-event]") : null;
    const link = target instanceof Element ? target.closest('a[href^="#"]') : null;
    if (link !== null) {
      event.preventDefault(); // a fragment in the address would be one more entry in the history
      focusOn(document.getElementById((link.getAttribute("href") ?? "").slice(1)));
    }
    if (button instanceof HTMLElement) {
      this.pressed(button);
    }
  }

  /** @param {HTMLElement} button */
  pressed(button) {
    const type = button.dataset.event;
    if (type === "back") {
      this.steps.back();
    } else if (type === "change") {
      this.tell({ type, question: Number(button.dataset.question) });
    } else {
      this.tell(/** @type {BoothEvent} */ ({ type }));
    }
  }

  /** @param {"code" | "questions" | "choose"} name */
  submitted(name) {
    if (name === "code") {
      this.tell({ type: "code", problems: codeProblems(typedCode(document)) });
    } else if (name === "questions") {
      this.tell({ type: "answers", problems: typedAnswers(document).problems });
    } else {
      const at = this.state.question;
      const { choice, problems } = chosen(this.questions[at], this.paper.ticked());
      if (problems.length === 0) this.visitor.choose(at, choice);
      this.tell({ type: "choice", problems });
    }
  }

  /** A letter was scanned while the page was open. @param {string} code */
  scanned(code) {
    if (code !== "" && (this.state.step === "start" || this.state.step === "code")) {
      this.idle.touch();
      field(document, "code").value = code;
    }
  }

  async sayNothingPosted() {
    this.pages.showTold("busy");
    const isNoted = await this.visitor.sayNothingPosted().catch(() => false);
    this.pages.showTold(isNoted ? "yes" : "failed");
  }

  /** @param {import("./outcomes.js").Receipt} receipt */
  showReceipt(receipt) {
    const { board, language } = this.pages.main.dataset;
    this.pages.fill("receipt", { at: this.pages.moment(receipt.recorded_at_ms), tracker: receipt.tracker });
    this.pages.offerFile("save-receipt", `${JSON.stringify(receipt)}\n`);
    if (board) {
      const lang = language ? `&lang=${encodeURIComponent(language)}` : "";
      const tracker = encodeURIComponent(receipt.tracker);
      this.pages.showBoard(`${board}${this.electionId}/check?tracker=${tracker}${lang}`);
    }
  }
}

if (isAble()) {
  void new Booth().start();
}
