/** Whatever web/verify can say, the page has a word for. */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const WEB = new URL("../", import.meta.url);
const page = readFileSync(new URL("board/verdicts.html.jinja", WEB), "utf8");
const words = new Set([...page.matchAll(/data-word="([a-z-]+)"/g)].map(([, name]) => name));

/** @param {RegExp} pattern @returns {Set<string>} */
function said(pattern) {
  const folders = ["verify/", "protocol/"];
  const codes = folders.flatMap((folder) =>
    readdirSync(new URL(folder, WEB))
      .filter((name) => folder === "verify/" || /^(group|checkpoint)\.js$/.test(name))
      .flatMap((name) => [...readFileSync(new URL(folder + name, WEB), "utf8").matchAll(pattern)]),
  );
  return new Set(codes.map(([, code = ""]) => code));
}

test("each code for which something is refused has its word", () => {
  const thrown = said(/(?:Fault|ProtocolError|Unreadable)\(\s*"([a-z-]+)"/g);
  const demanded = said(/demand\([^;]*?,\s*"([a-z]+(?:-[a-z]+)+|busy|cut|repeated|unsupported)"[,)]/g);
  const refused = said(/Refused\([^;]*?,\s*"([a-z-]+)"/g);
  const codes = [...thrown, ...demanded, ...refused, "busy", "not-there"];
  assert.ok(codes.length > 40);
  for (const code of codes) assert.ok(words.has(`code-${code}`), code);
});

test("each open end, stage and verdict has its word", () => {
  const ends = "fingerprint sample board checkpoint board-key witness declaration not-declared your-ballot";
  for (const end of ends.split(" ")) assert.ok(words.has(`open-${end}`), end);
  for (const stage of ["download", "file", "credentials", "ballots", "sum"]) {
    assert.ok(words.has(`stage-${stage}`), stage);
  }
  for (const verdict of ["holds", "holds-in-part", "refused", "unreadable"]) {
    assert.ok(words.has(`verdict-${verdict}`), verdict);
  }
});
