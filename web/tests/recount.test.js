/** The verifier on archives that belenios-tool made: right ones hold, and no change of any goes unseen. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, pack, unpack, vector } from "./archives.js";

const right = vector("mixed-questions");
const parts = unpack(right);

test("an archive by belenios-tool holds, with its fingerprint", async () => {
  const report = await judge(right);
  assert.ok("open" in report);
  assert.equal(report.verdict, "holds-in-part");
  assert.deepEqual(report.open, ["fingerprint", "board", "your-ballot"]);
  assert.equal(report.ballotsChecked, 6);
  const same = await judge(right, { fingerprint: report.fingerprint });
  assert.ok("open" in same && !same.open.includes("fingerprint"));
  const other = await judge(right, { fingerprint: "A".repeat(43) });
  assert.ok("code" in other && other.code === "other-fingerprint" && other.place.entry === 1);
});

test("a sample is called one", async () => {
  const report = await judge(right, { sample: 2 });
  assert.ok("open" in report);
  assert.equal(report.ballotsChecked, 2);
  assert.equal(report.credentialsChecked, 2);
  assert.ok(report.open.includes("sample"));
});

test("a byte changed anywhere is noticed", async () => {
  for (let at = 5; at < right.length; at += 997) {
    const changed = Buffer.from(right);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.ok(/refused|unreadable/.test((await judge(changed)).verdict), `byte ${at}`);
  }
});

test("an archive that was cut can't be read, or lacks its end", async () => {
  for (const length of [0, 1, 511, 512, 1024, 2000, right.length - 1, right.length - 512]) {
    const { verdict } = await judge(right.subarray(0, length));
    assert.ok(/refused|unreadable/.test(verdict), `${length} bytes`);
  }
});

test("an entry removed, repeated or swapped is refused", async () => {
  for (let at = 0; at < parts.length; at += 1) {
    const [one, next] = [parts[at], parts[at + 1]];
    assert.ok(one);
    const removed = [...parts.slice(0, at), ...parts.slice(at + 1)];
    const repeated = [...parts.slice(0, at), one, ...parts.slice(at)];
    const forged = [removed, repeated];
    if (next) forged.push([...parts.slice(0, at), next, one, ...parts.slice(at + 2)]);
    for (const some of forged) assert.equal((await judge(pack(some))).verdict, "refused", `${at}`);
  }
});

test("a second ballot of one credential is refused, where the last one would count elsewhere", async () => {
  const outcome = await judge(vector("committee"));
  assert.ok("code" in outcome && outcome.code === "second-ballot");
});
