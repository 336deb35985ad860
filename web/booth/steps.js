/**
 * The browser's back button, as steps inside the document.
 *
 * Promises that each step forward is one entry of the history that holds a number and nothing else,
 * that each step back is told, that an entry which isn't ours (a link to a fragment makes one) is
 * no step, and that after `collapse` the back button leaves the page at once.
 *
 * @module
 */

/** A browser that tells of no step within this time won't tell (ms). */
const LONGEST_STEP_MS = 1_000;

export class Steps {
  /**
   * @param {History} history
   * @param {(times: number) => void} goneBack  is told how many steps back somebody went
   * @param {() => number} [nowMs]  of a clock that never goes back
   */
  constructor(history, goneBack, nowMs = () => performance.now()) {
    this.#history = history;
    this.#nowMs = nowMs;
    this.#at = depthOf(history.state) ?? 0; // after a reload the entries below are ours, too
    history.replaceState({ depth: this.#at }, "");
    addEventListener("popstate", ({ state }) => {
      const depth = depthOf(state);
      if (depth === null) {
        history.replaceState({ depth: this.#at }, "");
        return;
      }
      const was = this.#at;
      const isCollapsing = this.#isCollapsing();
      this.#at = depth;
      this.#collapsingSinceMs = null;
      if (depth < was && !isCollapsing) {
        goneBack(was - depth);
      }
    });
  }

  #history;
  #nowMs;
  #at;
  /** @type {number | null} */
  #collapsingSinceMs = null;

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
    if (this.#at > 0 && !this.#isCollapsing()) {
      this.#collapsingSinceMs = this.#nowMs();
      this.#history.go(-this.#at);
    }
  }

  #isCollapsing() {
    const sinceMs = this.#collapsingSinceMs;
    return sinceMs !== null && this.#nowMs() - sinceMs < LONGEST_STEP_MS;
  }
}

/**
 * @param {unknown} state
 * @returns {number | null}  null: this entry isn't ours
 */
function depthOf(state) {
  const depth = /** @type {{depth?: unknown} | null} */ (state)?.depth;
  return Number.isSafeInteger(depth) ? Number(depth) : null;
}
