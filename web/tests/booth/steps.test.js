/**
 * The back button inside the document: what is a step back, and what isn't.
 */

import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";

import { Steps } from "../../booth/steps.js";

/** @type {((event: any) => void)[]} */
const listeners = [];
Object.assign(globalThis, {
  addEventListener: (/** @type {string} */ _, /** @type {any} */ told) => listeners.push(told),
});
afterEach(() => listeners.splice(0));

/** A browser's history of one document, which tells of a step when the test says so. */
function browser() {
  const made = {
    entries: /** @type {any[]} */ ([null]),
    at: 0,
    /** @type {number[]} */
    asked: [],
    nowMs: 0,
    /** @type {number[]} */
    gone: [],
    /** @param {number} steps */
    arrive(steps) {
      made.at += steps;
      for (const told of listeners) told({ state: made.entries[made.at] });
    },
    /** A link to a fragment: a new entry without a state. */
    fragment() {
      made.entries.splice(made.at + 1, Infinity, null);
      made.arrive(1);
    },
  };
  const history = {
    get state() {
      return made.entries[made.at];
    },
    replaceState: (/** @type {any} */ state) => (made.entries[made.at] = state),
    pushState: (/** @type {any} */ state) => {
      made.entries.splice(made.at + 1, Infinity, state);
      made.at += 1;
    },
    back: () => made.asked.push(-1),
    go: (/** @type {number} */ steps) => made.asked.push(steps),
  };
  const steps = new Steps(
    /** @type {any} */ (history),
    (times) => made.gone.push(times),
    () => made.nowMs,
  );
  return { made, steps };
}

describe("a step back", () => {
  it("is told, with how many", () => {
    const { made, steps } = browser();
    for (let step = 0; step < 3; step += 1) steps.forward();
    made.arrive(-1);
    made.arrive(-2);
    assert.deepEqual(made.gone, [1, 2]);
  });

  it("is none where a link leads to a fragment, nor on the way back from there", () => {
    const { made, steps } = browser();
    for (let step = 0; step < 3; step += 1) steps.forward();
    made.fragment();
    assert.deepEqual(made.gone, []);
    made.arrive(-1);
    assert.deepEqual(made.gone, []);
    made.arrive(-1);
    assert.deepEqual(made.gone, [1]);
  });
});

describe("collapsing", () => {
  it("goes to where the document began once, however often it is asked for meanwhile", () => {
    const { made, steps } = browser();
    steps.forward();
    steps.forward();
    steps.collapse();
    steps.collapse();
    assert.deepEqual(made.asked, [-2]);
    made.arrive(-2);
    assert.deepEqual(made.gone, []);
  });

  it("doesn't swallow a real step back where the browser never told of its own", () => {
    const { made, steps } = browser();
    steps.forward();
    steps.forward();
    steps.collapse();
    made.nowMs = 5_000;
    made.arrive(-1);
    assert.deepEqual(made.gone, [1]);
  });
});
