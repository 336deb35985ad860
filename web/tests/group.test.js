/** The group: the same curve as @noble/curves' own, and nothing but its elements gets in. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ed25519 } from "@noble/curves/ed25519.js";
import * as group from "../protocol/group.js";
import { refuses } from "./vectors.js";

const ORDER_8 = "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826";

test("the curve built here is @noble/curves' own Ed25519", () => {
  const theirs = ed25519.Point;
  assert.deepEqual(group.Ed25519.CURVE(), theirs.CURVE());
  for (const scalar of [1n, 2n, 12345678901234567890n, group.ORDER - 1n]) {
    const same = theirs.BASE.multiply(scalar).toHex();
    assert.equal(group.multiplyBase(scalar).toHex(), same);
    assert.ok(group.Ed25519.fromHex(same).equals(group.multiplyBase(scalar)));
  }
});

test("points are written big-endian, and read back", () => {
  const generator = "6666666666666666666666666666666666666666666666666666666666666658";
  assert.equal(group.writePoint(group.GENERATOR), generator);
  assert.ok(group.readPoint(generator).equals(group.GENERATOR));
  const random = group.multiplyBase(group.randomScalar());
  assert.ok(group.readPoint(group.writePoint(random)).equals(random));
});

test("zero and the identity are multiplied without an exception", () => {
  assert.ok(group.multiplyBase(0n).is0());
  assert.ok(group.multiplyBase(group.ORDER).is0());
  assert.ok(group.multiply(group.IDENTITY, 5n).is0());
  assert.ok(group.multiplyPublic(group.IDENTITY, 5n).is0());
  assert.ok(group.multiply(group.GENERATOR, -1n).add(group.GENERATOR).is0());
});

test("secret and public multiplication agree", () => {
  const point = group.multiplyBase(77n);
  for (const scalar of [1n, 2n, group.randomScalar(), group.ORDER - 1n]) {
    assert.ok(group.multiply(point, scalar).equals(group.multiplyPublic(point, scalar)));
  }
});

test("no point gets in that is not a canonical element of the prime-order group", () => {
  const prime = group.PRIME.toString(16).padStart(64, "0");
  const mixed = group.writePoint(group.GENERATOR.add(group.Ed25519.fromHex(reversed(ORDER_8))));
  const hostile = {
    "small order": ORDER_8,
    "mixed order": mixed,
    "order two": (group.PRIME - 1n).toString(16).padStart(64, "0"),
    "zero as p": prime,
    "one as p + 1": (group.PRIME + 1n).toString(16).padStart(64, "0"),
    "identity with a sign": `8${"0".repeat(62)}1`,
    "off the curve": `${"0".repeat(63)}2`,
    "upper case": group.writePoint(group.GENERATOR).replace(/.$/, "A"),
    "a short text": "66",
    "a newline": `${group.writePoint(group.GENERATOR)}\n`,
    "no text": 5,
  };
  for (const text of Object.values(hostile)) {
    refuses(() => group.readPoint(text), "invalid-point");
    refuses(() => group.readPointOrIdentity(text), "invalid-point");
  }
});

test("the identity is read only where it may stand", () => {
  const identity = `${"0".repeat(63)}1`;
  assert.ok(group.readPointOrIdentity(identity).is0());
  refuses(() => group.readPoint(identity), "invalid-point");
});

test("a scalar has one spelling", () => {
  assert.equal(group.readScalar("0"), 0n);
  assert.equal(group.readScalar((group.ORDER - 1n).toString()), group.ORDER - 1n);
  const others = ["", "00", "01", "-1", "1 ", "1\n", "0x1", "１", group.ORDER.toString(), 1, null];
  for (const text of others) {
    refuses(() => group.readScalar(text), "invalid-scalar");
  }
  assert.equal(group.writeScalar(-1n), (group.ORDER - 1n).toString());
});

test("random scalars differ and are below the order", () => {
  const scalars = Array.from({ length: 50 }, group.randomScalar);
  assert.equal(new Set(scalars).size, 50);
  assert.ok(scalars.every((scalar) => scalar >= 0n && scalar < group.ORDER));
});

/** @param {string} hex */
function reversed(hex) {
  return (hex.match(/../g) ?? []).reverse().join("");
}
