/**
 * Which ballots are checked where not all are.
 *
 * Promises a choice that nobody can foresee who made the archive: each number is as likely as each
 * other one. Trusts the browser's `crypto.getRandomValues`.
 *
 * @module
 */

const RANGE = 2 ** 32;

/**
 * Return so many different numbers from 0 and below `count`; null, for all, where that is no fewer.
 *
 * @param {number | null} size
 * @param {number} count
 * @returns {Set<number> | null}
 */
export function chooseSample(size, count) {
  if (size === null || size >= count) return null;
  /** @type {Set<number>} */
  const chosen = new Set();
  while (chosen.size < size) chosen.add(below(count));
  return chosen;
}

/** @param {number} count  at most 2^32 */
function below(count) {
  // Numbers beyond the last multiple would make the first ones likelier.
  const limit = RANGE - (RANGE % count);
  for (;;) {
    const [number = RANGE] = crypto.getRandomValues(new Uint32Array(1));
    if (number < limit) return number % count;
  }
}
