/**
 * Merkle trees of RFC 6962, section 2.1: roots, inclusion and consistency proofs.
 *
 * Promises the RFC's hashes bit for bit for any number of leaves, and that a proof is accepted only
 * if it leads to the roots that it was given. Must never interpret a leaf. Trusts SHA-256.
 *
 * Sizes are numbers up to 2^53 and are halved by division: JavaScript's shifts end at 32 bits.
 *
 * @module
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { ProtocolError } from "./errors.js";

/** Far more steps than a tree of 2^53 leaves takes. */
const MOST_STEPS = 64;

/**
 * Return the hash of one leaf: SHA-256 over 0x00 and the leaf.
 *
 * @param {Uint8Array} leaf
 * @returns {Uint8Array}
 */
export function leafHash(leaf) {
  const content = new Uint8Array(leaf.length + 1);
  content.set(leaf, 1);
  return sha256(content);
}

/** Gathers the leaves of a tree and keeps no more than its complete subtrees: one per power of two. */
export class MerkleRoot {
  constructor() {
    /** @type {{size: number, hash: Uint8Array}[]} */
    this._subtrees = [];
    this.size = 0;
  }

  /**
   * Add a leaf at the end.
   *
   * @param {Uint8Array} leaf
   */
  add(leaf) {
    let [size, hash] = [1, leafHash(leaf)];
    for (let last = this._subtrees.at(-1); last?.size === size; last = this._subtrees.at(-1)) {
      hash = nodeHash(last.hash, hash);
      size *= 2;
      this._subtrees.pop();
    }
    this._subtrees.push({ size, hash });
    this.size += 1;
  }

  /**
   * Return the root of the leaves so far.
   *
   * @returns {Uint8Array}
   */
  value() {
    const hashes = this._subtrees.map((subtree) => subtree.hash);
    if (hashes.length === 0) return sha256(new Uint8Array());
    return hashes.reduceRight((right, left) => nodeHash(left, right));
  }
}

/**
 * Return the hash that stands for exactly these leaves in this order.
 *
 * @param {Iterable<Uint8Array>} leaves
 */
export function merkleRoot(leaves) {
  const root = new MerkleRoot();
  for (const leaf of leaves) root.add(leaf);
  return root.value();
}

/**
 * Check that a leaf stands at `index` of the tree with this root and size.
 *
 * Follows RFC 9162, section 2.1.3.2.
 *
 * @param {{root: Uint8Array, size: number}} tree
 * @param {number} index
 * @param {Uint8Array} leaf
 * @param {Uint8Array[]} path  from the leaf up
 * @throws {ProtocolError} inclusion-refused
 */
export function verifyInclusion(tree, index, leaf, path) {
  requireSizes(index, tree.size);
  demand(index < tree.size, "no such leaf in a tree of that size");
  requirePath(path);
  const place = new Place(index, tree.size - 1);
  let value = leafHash(leaf);
  for (const sibling of path) {
    const isRight = place.isRightmost();
    value = isRight ? nodeHash(sibling, value) : nodeHash(value, sibling);
    place.climbFrom(isRight);
  }
  demand(place.isRoot() && isSame(value, tree.root), "the path doesn't lead to the root");
}

/**
 * Check that the old tree is a prefix of the new one.
 *
 * Follows RFC 9162, section 2.1.4.2.
 *
 * @param {{root: Uint8Array, size: number}} old
 * @param {{root: Uint8Array, size: number}} tree
 * @param {Uint8Array[]} path
 * @throws {ProtocolError} inclusion-refused
 */
export function verifyConsistency(old, tree, path) {
  requireSizes(old.size, tree.size);
  demand(0 < old.size && old.size <= tree.size, "no such earlier size");
  requirePath(path);
  if (old.size === tree.size) {
    demand(path.length === 0 && isSame(old.root, tree.root), "two trees of one size differ");
    return;
  }
  const steps = isPowerOfTwo(old.size) ? [old.root, ...path] : path;
  const [first, ...rest] = steps;
  if (first === undefined) throw refusal("the path is too short");
  const place = new Place(old.size - 1, tree.size - 1);
  place.climbWhileRight();
  let [oldValue, value] = [first, first];
  for (const sibling of rest) {
    const isRight = place.isRightmost();
    if (isRight) oldValue = nodeHash(sibling, oldValue);
    value = isRight ? nodeHash(sibling, value) : nodeHash(value, sibling);
    place.climbFrom(isRight);
  }
  const isJoined = isSame(oldValue, old.root) && isSame(value, tree.root);
  demand(place.isRoot() && isJoined, "the path doesn't join the two roots");
}

/** A node on its way from a leaf to the root, and the last node of its level. */
class Place {
  /**
   * @param {number} node
   * @param {number} last
   */
  constructor(node, last) {
    this._node = node;
    this._last = last;
  }

  /** Whether the sibling is to the left: also where the node is the last of a ragged level. */
  isRightmost() {
    demand(!this.isRoot(), "the path is too long");
    return this._node % 2 === 1 || this._node === this._last;
  }

  /** @param {boolean} isRight */
  climbFrom(isRight) {
    // Levels on which the node stands alone at the right edge have no step of their own.
    while (isRight && this._node % 2 === 0 && this._node > 0) this.climb();
    this.climb();
  }

  climb() {
    this._node = Math.floor(this._node / 2);
    this._last = Math.floor(this._last / 2);
  }

  climbWhileRight() {
    while (this._node % 2 === 1) this.climb();
  }

  isRoot() {
    return this._last === 0;
  }
}

/**
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 * @returns {Uint8Array}
 */
function nodeHash(left, right) {
  const content = new Uint8Array(65);
  content[0] = 1;
  content.set(left, 1);
  content.set(right, 33);
  return sha256(content);
}

/** @param {number} size */
function isPowerOfTwo(size) {
  let rest = size;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}

/**
 * @param {Uint8Array} left
 * @param {Uint8Array} right
 */
function isSame(left, right) {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}

/** @param {number[]} sizes */
function requireSizes(...sizes) {
  const areSizes = sizes.every((size) => Number.isSafeInteger(size) && size >= 0);
  demand(areSizes, "a size or an index is no whole number");
}

/** @param {Uint8Array[]} path */
function requirePath(path) {
  const isPath = path.length <= MOST_STEPS && path.every((step) => step.length === 32);
  demand(isPath, "a path has hashes of 32 bytes, and not many");
}

/**
 * @param {boolean} holds
 * @param {string} otherwise
 */
function demand(holds, otherwise) {
  if (!holds) throw refusal(otherwise);
}

/** @param {string} message */
function refusal(message) {
  return new ProtocolError("inclusion-refused", message);
}
