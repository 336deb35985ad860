/** Merkle trees against the RFC's own definition, written out naively. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { readHex, writeHex } from "../protocol/hash.js";
import { leafHash, merkleRoot, verifyConsistency, verifyInclusion } from "../protocol/merkle.js";

const SIZES = [...Array(20).keys(), 31, 32, 33, 63, 64, 65].filter((size) => size > 0);
const REFUSED = { code: "inclusion-refused" };

/** @param {Uint8Array[]} parts */
function hash(...parts) {
  return new Uint8Array(createHash("sha256").update(Buffer.concat(parts)).digest());
}

/** @param {number} count */
function leaves(count) {
  return Array.from({ length: count }, (_, at) => Uint8Array.of(at % 256, at >> 8));
}

/** @param {number} width */
function split(width) {
  let at = 1;
  while (2 * at < width) at *= 2;
  return at;
}

/** RFC 6962, section 2.1, word for word. @param {Uint8Array[]} of @returns {Uint8Array} */
function naiveRoot(of) {
  if (of.length === 0) return hash();
  if (of.length === 1) return hash(Uint8Array.of(0), of[0] ?? new Uint8Array());
  const at = split(of.length);
  return hash(Uint8Array.of(1), naiveRoot(of.slice(0, at)), naiveRoot(of.slice(at)));
}

/** Section 2.1.1. @param {number} index @param {Uint8Array[]} of @returns {Uint8Array[]} */
function naivePath(index, of) {
  if (of.length === 1) return [];
  const at = split(of.length);
  return index < at
    ? [...naivePath(index, of.slice(0, at)), naiveRoot(of.slice(at))]
    : [...naivePath(index - at, of.slice(at)), naiveRoot(of.slice(0, at))];
}

/** Section 2.1.2. @param {number} old @param {Uint8Array[]} of @param {boolean} whole @returns {Uint8Array[]} */
function naiveProof(old, of, whole = true) {
  if (old === of.length) return whole ? [] : [naiveRoot(of)];
  const at = split(of.length);
  return old <= at
    ? [...naiveProof(old, of.slice(0, at), whole), naiveRoot(of.slice(at))]
    : [...naiveProof(old - at, of.slice(at), false), naiveRoot(of.slice(0, at))];
}

/** @param {number} size */
function tree(size) {
  return { size, root: merkleRoot(leaves(size)) };
}

test("roots are those of the RFC, for every size", () => {
  for (let size = 0; size < 70; size += 1) {
    assert.deepEqual(merkleRoot(leaves(size)), naiveRoot(leaves(size)));
  }
});

test("a published root is matched", () => {
  const texts = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"];
  texts.push("606162636465666768696a6b6c6d6e6f");
  const root = merkleRoot(texts.map((text) => readHex(text) ?? new Uint8Array()));
  assert.equal(writeHex(root), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
  assert.equal(writeHex(leafHash(new Uint8Array())).slice(0, 8), "6e340b9c");
});

test("every leaf is proved at its own place, and nowhere else", () => {
  for (const size of SIZES) {
    for (const [index, leaf] of leaves(size).entries()) {
      const path = naivePath(index, leaves(size));
      verifyInclusion(tree(size), index, leaf, path);
      const others = [index - 1, index + 1, size, 0.5].filter((other) => other !== index);
      for (const other of others) {
        assert.throws(() => verifyInclusion(tree(size), other, leaf, path), REFUSED);
      }
      assert.throws(() => verifyInclusion(tree(size), index, Uint8Array.of(9, 9), path), REFUSED);
      assert.throws(() => verifyInclusion(tree(size + 1), index, leaf, path), REFUSED);
    }
  }
});

test("a path that is cut, longer, turned round or changed proves nothing", () => {
  const leaf = leaves(13)[11] ?? new Uint8Array();
  const path = naivePath(11, leaves(13));
  const changed = path.map((step, at) => (at === 1 ? step.map((byte) => byte ^ 1) : step));
  const wrong = [path.slice(1), path.slice(0, -1), [...path, path[0]], [...path].reverse(), changed];
  wrong.push(path.map((step) => step.slice(1)), Array(65).fill(path[0]));
  for (const other of wrong) {
    const steps = /** @type {Uint8Array[]} */ (other);
    assert.throws(() => verifyInclusion(tree(13), 11, leaf, steps), REFUSED);
  }
});

test("every earlier tree is proved a prefix, and no other tree is", () => {
  for (const size of SIZES) {
    for (const old of SIZES.filter((other) => other <= size)) {
      const path = naiveProof(old, leaves(size));
      verifyConsistency(tree(old), tree(size), path);
      const other = { size: old, root: hash(Uint8Array.of(7)) };
      assert.throws(() => verifyConsistency(other, tree(size), path), REFUSED);
      assert.throws(() => verifyConsistency(tree(old), { ...tree(size), root: other.root }, path), REFUSED);
      assert.throws(() => verifyConsistency(tree(old), tree(size), [...path, other.root]), REFUSED);
      if (path.length > 0) {
        assert.throws(() => verifyConsistency(tree(old), tree(size), path.slice(1)), REFUSED);
      }
    }
  }
  assert.throws(() => verifyConsistency(tree(0), tree(3), []), REFUSED);
  assert.throws(() => verifyConsistency(tree(4), tree(3), []), REFUSED);
});

test("places beyond 32 bits are told apart", () => {
  const path = Array.from({ length: 40 }, (_, at) => hash(Uint8Array.of(at)));
  let root = leafHash(Uint8Array.of(1));
  for (const step of path) root = hash(Uint8Array.of(1), root, step);
  const large = { size: 2 ** 40, root };
  verifyInclusion(large, 0, Uint8Array.of(1), path);
  assert.throws(() => verifyInclusion(large, 2 ** 32, Uint8Array.of(1), path), REFUSED);
});
