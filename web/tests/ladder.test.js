/** Multiples from a ladder are @noble/curves' own, and no point outside the group gets one. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { GENERATOR, IDENTITY, ORDER, multiplyPublic, randomScalar, writePoint } from "../protocol/group.js";
import { FixedBase, Ladder, timesGenerator, writePoints } from "../verify/ladder.js";

const SCALARS = [0n, 1n, 7n, 8n, 9n, 15n, 16n, 2n ** 252n, ORDER - 1n, ORDER, ORDER + 5n, -3n];
const PRIME = 2n ** 255n - 19n;
const EIGHTH = 2707385501144840649318225287225658788936804267575313519463743609750303402022n;

/** @param {bigint} number */
const hex = (number) => number.toString(16).padStart(64, "0");

test("every multiple is the same point, of ladders, tables and sums", () => {
  for (let turn = 0; turn < 5; turn += 1) {
    const point = multiplyPublic(GENERATOR, randomScalar());
    const other = multiplyPublic(GENERATOR, randomScalar());
    const [ladder, base] = [Ladder.of(point), new FixedBase(point)];
    const sum = ladder.plus(Ladder.of(other));
    for (const scalar of [...SCALARS, randomScalar()]) {
      const expected = multiplyPublic(point, scalar);
      assert.ok(ladder.times(scalar).equals(expected));
      assert.ok(base.times(scalar).equals(expected));
      assert.ok(sum.times(scalar).equals(expected.add(multiplyPublic(other, scalar))));
      assert.ok(timesGenerator(scalar).equals(multiplyPublic(GENERATOR, scalar)));
    }
  }
  assert.ok(Ladder.of(IDENTITY).times(5n).is0());
  assert.deepEqual(writePoints([GENERATOR, IDENTITY]), [GENERATOR, IDENTITY].map(writePoint));
});

test("elements of the group are read in their only spelling", () => {
  const point = multiplyPublic(GENERATOR, randomScalar());
  assert.ok(Ladder.read(writePoint(point)).point.equals(point));
  assert.ok(Ladder.read(hex(1n)).point.is0());
});

test("points outside the group, and other spellings, are refused", () => {
  const number = BigInt(`0x${writePoint(multiplyPublic(GENERATOR, randomScalar()))}`);
  const [sign, y] = [number >> 255n, number & (2n ** 255n - 1n)];
  const half = 2n ** 255n;
  // The point of order 2 added: (-x, -y).
  const torsion = (PRIME - y) | ((1n - sign) << 255n);
  const wrong = [torsion, 0n, half, PRIME - 1n, EIGHTH, PRIME - EIGHTH, EIGHTH + half, PRIME, PRIME + 1n];
  wrong.push(1n + half, PRIME - 1n + half, 2n, 2n ** 256n - 1n);
  const texts = [...wrong.map(hex), hex(number).toUpperCase(), "", hex(number).slice(1), `0x${hex(number)}`];
  for (const text of [...texts, null, 1, number]) {
    assert.throws(() => Ladder.read(text), { code: "invalid-point" }, String(text));
  }
});
