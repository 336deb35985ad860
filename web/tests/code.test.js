/** Typed codes: forgiven where nothing is lost, refused with the reason where something is. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readCode, showCode } from "../protocol/code.js";
import { refuses, vector } from "./vectors.js";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const ZEROS = "0".repeat(20);

test("Python's codes are read as printed, in lower case and with other separators", () => {
  for (const { code, printed } of vector.voters) {
    assert.equal(readCode(code), code);
    assert.equal(readCode(printed), code);
    assert.equal(readCode(` ${printed.toLowerCase().replaceAll("-", "\u2013 ")}\n`), code);
    assert.equal(showCode(code), printed);
  }
});

test("O stands for 0, I and L for 1, in both cases", () => {
  assert.equal(readCode("OoOoOoOoOoOoOoOoOoOo"), ZEROS);
  const ones = bodyWithCheck("1".repeat(19));
  assert.equal(readCode(`IilLIilLIilLIilLIil${ones.at(-1)}`), ones);
});

test("every single mistyped character is found", () => {
  const { code } = vector.voters[0];
  for (let at = 0; at < code.length; at += 1) {
    for (const other of ALPHABET.replace(code[at], "")) {
      refuses(() => readCode(code.slice(0, at) + other + code.slice(at + 1)), "bad_check");
    }
  }
});

test("neighbours that changed places are found, but 0 with Z", () => {
  for (const { code } of vector.voters) {
    for (let at = 0; at < code.length - 1; at += 1) {
      const [left, right] = [code[at], code[at + 1]];
      if (left === right || [left, right].sort().join("") === "0Z") continue;
      refuses(() => readCode(code.slice(0, at) + right + left + code.slice(at + 2)), "bad_check");
    }
  }
});

test("a refusal says what is wrong, and never the code", () => {
  const { code } = vector.voters[0];
  refuses(() => readCode(""), "too_short");
  refuses(() => readCode(code.slice(1)), "too_short");
  refuses(() => readCode(`${code}7`), "too_long");
  refuses(() => readCode("7".repeat(100_000)), "too_long");
  for (const odd of ["U", "u", "!", "é", "０", "ı", "ſ", "🗳", "\0"]) {
    refuses(() => readCode(odd + code.slice(1)), "bad_character");
  }
  assert.throws(
    () => readCode(`${code.slice(0, -1)}${code.endsWith("A") ? "B" : "A"}`),
    (/** @type {Error} */ error) => !error.message.includes(code.slice(0, 4)),
  );
});

/** @param {string} body */
function bodyWithCheck(body) {
  for (const check of ALPHABET) {
    try {
      return readCode(body + check);
    } catch {
      continue;
    }
  }
  throw new Error("one of 32 check characters must fit");
}
