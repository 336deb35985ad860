/** What a phone on a slow line has to load. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compressedBytes, WEB } from "../reach.js";

const MOST_BYTES = 150_000;

test("the booth's files weigh less than 150 kB when compressed, its page included", () => {
  const sites = JSON.parse(readFileSync(join(WEB, "build/assets.json"), "utf8"));
  /** @type {string[]} */
  const files = Object.values(sites.booth.files);
  const page = "booth/booth.html.jinja";
  const bytes = [...files, page].map((file) => compressedBytes(join(WEB, file)));
  const total = bytes.reduce((sum, one) => sum + one, 0);
  assert.ok(files.length > 20);
  assert.ok(total < MOST_BYTES, `${total} bytes`);
});
