/**
 * What the booth needs of the browser itself: whether it can seal at all, time, and the focus.
 *
 * Promises nothing of its own, and knows nothing of voting.
 *
 * @module
 */

/** Resolve after so many milliseconds. */
export const sleep = (/** @type {number} */ milliseconds) =>
  /** @type {Promise<void>} */ (new Promise((done) => setTimeout(done, milliseconds)));

/** Return whether this browser can seal a vote. */
export function isAble() {
  return globalThis.crypto?.subtle !== undefined && Object.hasOwn !== undefined && "at" in [];
}

/** Lead to a part of the page, as its link would. @param {HTMLElement | null} part */
export function focusOn(part) {
  if (part !== null && part.tabIndex < 0 && !part.hasAttribute("tabindex")) {
    part.tabIndex = -1; // such as main, to which "Skip to main content" leads
  }
  part?.focus();
  part?.scrollIntoView();
}

/** Resolve once the browser has shown what was changed. */
export function painted() {
  return new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
}
