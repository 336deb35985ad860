/** Receipts: only what `votes` signed for this ballot passes, and nothing odd throws. */

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { test } from "node:test";
import { verifyReceipt } from "../protocol/receipt.js";
import { readHex, utf8, writeHex } from "../protocol/hash.js";
import { ORDER } from "../protocol/group.js";
import { vector } from "./vectors.js";

const votes = generateKeyPairSync("ed25519");
const key = writeHex(votes.publicKey.export({ format: "der", type: "spki" }).subarray(-32));
const expected = { electionId: "aUbQMWbRyndfq6", tracker: vector.voters[0].tracker };
const recorded_at_ms = 1_796_000_000_123;
const signed = `castonce-receipt-v1|${expected.electionId}|${expected.tracker}|${recorded_at_ms}`;
const good = {
  election_id: expected.electionId,
  tracker: expected.tracker,
  recorded_at_ms,
  signature: writeHex(sign(null, utf8(signed), votes.privateKey)),
};

test("a receipt that votes signed is true", () => {
  assert.equal(verifyReceipt(good, key, expected), true);
});

test("any other receipt is false", () => {
  const flipped = `${good.signature.slice(0, -1)}${good.signature.endsWith("0") ? "1" : "0"}`;
  const changes = [
    { election_id: "other" },
    { tracker: vector.voters[1].tracker },
    { recorded_at_ms: recorded_at_ms + 1 },
    { recorded_at_ms: String(recorded_at_ms) },
    { recorded_at_ms: null },
    { signature: flipped },
    { signature: good.signature.toUpperCase() },
    { signature: good.signature.slice(2) },
    { signature: `${good.signature}00` },
    { signature: above(good.signature) },
    { signature: null },
    { signature: "0".repeat(128) },
  ];
  for (const change of changes) {
    assert.equal(verifyReceipt({ ...good, ...change }, key, expected), false);
  }
});

test("what is no receipt is false", () => {
  for (const odd of [null, undefined, 5, "x", [], {}]) {
    assert.equal(verifyReceipt(odd, key, expected), false);
  }
});

test("another key, or what is none, makes it false", () => {
  const { publicKey } = generateKeyPairSync("ed25519");
  const other = writeHex(publicKey.export({ format: "der", type: "spki" }).subarray(-32));
  const identity = `01${"0".repeat(62)}`;
  for (const odd of [other, identity, "0".repeat(64), "", "f".repeat(64), key.slice(2), "xyz"]) {
    assert.equal(verifyReceipt(good, odd, expected), false);
  }
});

/** @param {string} signature  whose second half is made larger by the order: the same number modulo it */
function above(signature) {
  const low = BigInt(`0x${writeHex((readHex(signature.slice(64)) ?? new Uint8Array()).reverse())}`);
  const digits = (low + ORDER).toString(16).padStart(64, "0");
  return signature.slice(0, 64) + (digits.match(/../g) ?? []).reverse().join("");
}
