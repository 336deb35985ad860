/**
 * Copies of a tab, pages that come back to life, and pages that are left alone.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { watchLeaving } from "../../booth/leaving.js";
import { Tabs } from "../../booth/tabs.js";
import { Idle } from "../../booth/time-out.js";

/** The locks of one browser; one that is asked for in vain is given up at once. */
function browser() {
  const held = new Set();
  const channels = /** @type {{told: (event: any) => void}[]} */ ([]);
  const request = async (/** @type {string} */ name, /** @type {any} */ _, /** @type {any} */ act) => {
    if (held.has(name)) throw new DOMException("given up", "TimeoutError");
    held.add(name);
    return act();
  };
  const tab = () => {
    const dropped = /** @type {string[]} */ ([]);
    const own = { told: (/** @type {any} */ _) => undefined };
    channels.push(own);
    const channel = {
      postMessage: (/** @type {any} */ data) =>
        channels.filter((one) => one !== own).forEach((one) => one.told({ data })),
      addEventListener: (/** @type {string} */ _, /** @type {any} */ told) => (own.told = told),
    };
    const given = { locks: { request }, channel, dropped: (/** @type {string} */ one) => dropped.push(one) };
    return { tabs: new Tabs(/** @type {any} */ (given)), dropped };
  };
  return { tab };
}

describe("a sealed ballot", () => {
  it("is in one tab's hand alone, whichever copies there are", async () => {
    const { tab } = browser();
    const [first, copy] = [tab(), tab()];
    assert.equal(await first.tabs.claim("T1"), true);
    assert.equal(await copy.tabs.claim("T1"), false);
    assert.equal(await copy.tabs.claim("T2"), true);
  });

  it("is dropped by every copy once it was opened or sealed anew", () => {
    const { tab } = browser();
    const [first, copy] = [tab(), tab()];
    first.tabs.drop("T1");
    assert.deepEqual([first.dropped, copy.dropped], [[], ["T1"]]);
  });

  it("can be cast where the browser has no means to tell tabs apart", async () => {
    const tabs = new Tabs({ locks: undefined, channel: null, dropped: () => undefined });
    assert.equal(await tabs.claim("T1"), true);
    tabs.drop("T1");
  });
});

it("wipes a page that the browser puts aside, and loads it anew when it comes back", () => {
  const page = new EventTarget();
  const done = /** @type {string[]} */ ([]);
  watchLeaving(page, { forget: () => done.push("forget"), reload: () => done.push("reload") });
  const tell = (/** @type {string} */ type, /** @type {boolean} */ persisted) =>
    page.dispatchEvent(Object.assign(new Event(type), { persisted }));
  tell("pageshow", false);
  tell("pagehide", false);
  assert.deepEqual(done, []);
  tell("pagehide", true);
  tell("pageshow", true);
  assert.deepEqual(done, ["forget", "reload"]);
});

it("counts from the last touch how long a page was left alone", () => {
  let nowMs = 1_000;
  const idle = new Idle(() => nowMs);
  const first = idle.endsAtMs;
  nowMs += 60_000;
  assert.equal(idle.endsAtMs, first);
  idle.touch();
  assert.equal(idle.endsAtMs, first + 60_000);
});
