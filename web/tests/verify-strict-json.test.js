/** JSON that could be read in two ways is read in none. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { natural, read, readCompact, record, write } from "../verify/strict-json.js";

/** @param {string} text */
const bytes = (text) => new TextEncoder().encode(text);

test("what is compact is read, and written back as it was", () => {
  const texts = ['{"b":[1,0,-7],"a":"é\\n\\"\\\\\\u0001/","10":null,"9":true}', "[]", "{}", '"🗳️"'];
  for (const text of texts) assert.equal(write(readCompact(bytes(text))), text);
});

test("another spelling isn't compact, and still the same", () => {
  for (const text of [' [1]', "[ 1]", "[1] ", '["\\u00e9"]', '["\\/"]', "[-0]", '["\\u000A"]', '["\\u007f"]']) {
    assert.ok(read(bytes(text)));
    assert.throws(() => readCompact(bytes(text)), { code: "not-compact" });
  }
});

test("a field that stands twice is no field", () => {
  for (const text of ['{"a":1,"a":1}', '[{"a":{"b":1,"b":2}}]', '{"a":1,"\\u0061":2}']) {
    assert.throws(() => read(bytes(text)), { code: "duplicate-field" });
  }
});

test("what isn't JSON, or has other numbers than whole ones, is refused", () => {
  const texts = ["", "[1,]", "[,1]", '{"a"}', "{a:1}", "[1.0]", "[1e3]", "[01]", "[+1]", "[NaN]", "[1", '"a', "nul"];
  texts.push("[1]]", '["\n"]', '["\\x"]', '["\\u12"]', '["\\ud800"]', '["\\udc00a"]', "\ufeff[]", "-", "[1 2]");
  texts.push("[".repeat(100) + "]".repeat(100), "9".repeat(4301), "'a'");
  for (const text of texts) assert.throws(() => read(bytes(text)), { code: "not-json" }, text);
  assert.throws(() => read(Uint8Array.of(0x22, 0xff, 0x22)), { code: "not-json" });
  assert.throws(() => read(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)), { code: "not-json" });
});

test("a number beyond 2^53 isn't rounded to one below", () => {
  assert.equal(natural(read(bytes("9007199254740992"))), 2 ** 53);
  for (const text of ["9007199254740993", "-1", '"1"', "true", "null", "1".repeat(400)]) {
    assert.throws(() => natural(read(bytes(text))), { code: "wrong-shape" });
  }
});

test("an object has its fields, in their order, and no others", () => {
  const value = read(bytes('{"a":1,"b":2}'));
  assert.deepEqual(record(value, "a", "?b", "?c"), { a: 1, b: 2 });
  for (const names of [["a"], ["b", "a"], ["a", "b", "c"], ["A", "b"]]) {
    assert.throws(() => record(value, ...names), { code: "wrong-shape" });
  }
  const odd = record(read(bytes('{"__proto__":1}')), "__proto__");
  assert.equal(Object.getPrototypeOf(odd), Object.prototype);
});
