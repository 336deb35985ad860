/** Third-party modules as they are served: the locked ones, less their comments. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { edwards } from "@noble/curves/abstract/edwards.js";
import { Ed25519 } from "../protocol/group.js";
import { WEB } from "../reach.js";
import { copyOf, isVendored } from "../vendor.js";

/** @type {Record<string, {files: Record<string, string>}>} */
const sites = JSON.parse(readFileSync(join(WEB, "build/assets.json"), "utf8"));
const served = Object.values(sites)
  .flatMap(({ files }) => Object.entries(files))
  .filter(([name]) => name.startsWith("vendor/"))
  .map(([name, file]) => ({ original: join(WEB, "node_modules", name.slice(7)), file }));

test("third-party modules are served from their copies", () => {
  assert.ok(served.length > 10);
  for (const { original, file } of served) {
    assert.ok(isVendored(original));
    assert.equal(join(WEB, file), copyOf(original));
  }
});

test("nothing but comments and layout was taken away", () => {
  const checked = served.filter(({ original }) => original.includes("@noble"));
  assert.ok(checked.length > 10);
  for (const { original, file } of checked) {
    const [banner, ...rest] = readFileSync(join(WEB, file), "utf8").split("\n");
    assert.match(banner, /^\/\*! @noble\/\w+ [\d.]+, .*MIT licence\. Copyright .*\*\/$/);
    assert.equal(bare(rest.join("\n")), bare(readFileSync(original, "utf8")), file);
  }
});

test("a copy computes what the original computes", async () => {
  const file = copyOf(join(WEB, "node_modules/@noble/curves/abstract/edwards.js"));
  /** @type {{edwards: typeof edwards}} */
  const copy = await import(file);
  const { BASE } = copy.edwards(Ed25519.CURVE());
  for (const scalar of [1n, 2n, 2n ** 251n + 12345n]) {
    assert.equal(BASE.multiply(scalar).toHex(), Ed25519.BASE.multiply(scalar).toHex());
  }
});

/** @param {string} source  without comments and white space, and without what they separate */
function bare(source) {
  return source
    .replace(/\/\*[^]*?\*\//g, "")
    .replace(/(?<=^|[\s;,{}()[\]])\/\/.*$/gm, "")
    .replace(/\s+/g, "");
}
