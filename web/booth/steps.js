/**
 * The browser's back button, as steps inside the document.
 *
 * Promises that each step forward is one entry of the history that holds a number and nothing else,
 * that each step back is told, and that after `collapse` the back button leaves the page at once.
 *
 * @module
 */

export class Steps {
  /**
   * @param {History} history
   * @param {(times: number) => void} goneBack  is told how many steps back somebody went
   */
  constructor(history, goneBack) {
    this.#history = history;
    this.#at = depthOf(history.state); // after a reload the entries below are ours, too
    history.replaceState({ depth: this.#at }, "");
    addEventListener("popstate", ({ state }) => {
      const was = this.#at;
      this.#at = depthOf(state);
      if (this.#at < was && !this.#isCollapsing) {
        goneBack(was - this.#at);
      }
      this.#isCollapsing = false;
    });
  }

  #history;
  #at;
  #isCollapsing = false;

  /** A step forward: one more entry. */
  forward() {
    this.#at += 1;
    this.#history.pushState({ depth: this.#at }, "");
  }

  /** As the back button does. */
  back() {
    this.#history.back();
  }

  /** Go to where the document began: from here on "back" leaves it. */
  collapse() {
    if (this.#at > 0) {
      this.#isCollapsing = true;
      this.#history.go(-this.#at);
    }
  }
}

/** @param {unknown} state */
function depthOf(state) {
  const depth = /** @type {{depth?: unknown} | null} */ (state)?.depth;
  return Number.isSafeInteger(depth) ? Number(depth) : 0;
}
