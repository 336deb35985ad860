/** Sealed answers: of one length, never the same twice. That identity opens them is in tests/interop. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { x25519 } from "@noble/curves/ed25519.js";
import { ANSWERS_BYTES, sealAnswers } from "../protocol/answers.js";
import { readBase64, writeHex } from "../protocol/hash.js";
import { refuses } from "./vectors.js";

const key = writeHex(x25519.keygen().publicKey);
const bound = { nonce: "5e".repeat(32), attemptId: "a1" };

test("every sealing has the same length", () => {
  for (const postcode of ["", "SW1A 1AA", "Ŵ".repeat(400)]) {
    const answers = { postcode };
    const sealed = readBase64(sealAnswers({ ...bound, answers }, key));
    assert.equal(sealed?.length, ANSWERS_BYTES + 48);
  }
});

test("the same answers sealed twice differ in every part", () => {
  const [first, second] = [1, 2].map(() => sealAnswers({ ...bound, answers: { a: "b" } }, key));
  assert.notEqual(first.slice(0, 40), second.slice(0, 40));
  assert.notEqual(first.slice(-40), second.slice(-40));
});

test("answers that don't fit are refused", () => {
  const answers = { name: "x".repeat(ANSWERS_BYTES) };
  refuses(() => sealAnswers({ ...bound, answers }, key), "answers-too-long");
});

test("a key that is none is refused", () => {
  for (const odd of ["", "ab", key.toUpperCase(), `${key}00`, key.slice(2), "zz".repeat(32)]) {
    if (odd !== key) refuses(() => sealAnswers({ ...bound, answers: {} }, odd), "invalid-key");
  }
  for (const small of [0, 1]) {
    const odd = small.toString(16).padStart(2, "0").padEnd(64, "0");
    refuses(() => sealAnswers({ ...bound, answers: {} }, odd), "invalid-key");
  }
});
