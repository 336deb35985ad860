/** A receipt's check believes the tree and the board's key, and nothing else that an answer says. */

import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { test } from "node:test";
import { checkProof, readBoardKey, readTracker } from "../board/receipt-proof.js";
import { utf8, writeBase64, writeHex } from "../protocol/hash.js";
import { leafHash, merkleRoot } from "../protocol/merkle.js";

const electionId = "78jtVeEwZkgRBC";
const trackers = ["A", "B", "C"].map((letter) => letter.repeat(43));
const leaves = trackers.map((tracker) => utf8(`{"entry":"ballot","tracker":"${tracker}"}`));
const secret = createPrivateKey({
  key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, 5)]),
  format: "der",
  type: "pkcs8",
});
const spki = createPublicKey(secret).export({ format: "der", type: "spki" });
const key = new Uint8Array(spki.subarray(-32));
const boardKey = writeHex(key);

/** @param {Uint8Array} root @param {number} size */
function checkpoint(root, size = 3) {
  const origin = `board/${electionId}`;
  const text = `${origin}\n${size}\n${writeBase64(root)}\n`;
  const typed = Buffer.concat([Buffer.from(`${origin}\n`), Buffer.of(1), key]);
  const id = createHash("sha256").update(typed).digest().subarray(0, 4);
  const signature = Buffer.concat([id, sign(null, Buffer.from(text), secret)]).toString("base64");
  return `${text}\n— ${origin} ${signature}\n`;
}

/** @param {number} at */
function hashOf(at) {
  return writeHex(leafHash(leaves[at] ?? new Uint8Array()));
}

const right = { index: 1, path: [hashOf(0), hashOf(2)], checkpoint: checkpoint(merkleRoot(leaves)) };
const asked = { tracker: trackers[1] ?? "", boardKey, electionId };

test("a ballot is where its proof says", () => {
  assert.deepEqual(checkProof(right, asked), { index: 1, size: 3 });
});

test("another ballot's proof, another place, another head: nothing is proved", () => {
  const wrong = [
    { ...right, index: 0 },
    { ...right, path: [hashOf(2), hashOf(0)] },
    { ...right, path: [] },
    { ...right, path: ["", ""] },
    { ...right, path: Array(70).fill(hashOf(0)) },
    { ...right, checkpoint: checkpoint(merkleRoot(leaves.slice(1))) },
  ];
  for (const answer of wrong) {
    assert.throws(() => checkProof(answer, asked), { code: "inclusion-refused" });
  }
  const other = { ...asked, tracker: trackers[0] ?? "" };
  assert.throws(() => checkProof(right, other), { code: "inclusion-refused" });
});

test("another key, another election, or no proof at all is told apart", () => {
  const otherKey = { ...asked, boardKey: "ab".repeat(32) };
  assert.throws(() => checkProof(right, otherKey), { code: "signature-refused" });
  const otherElection = { ...asked, electionId: "78jtVeEwZkgRBD" };
  assert.throws(() => checkProof(right, otherElection), { code: "wrong-election" });
  for (const answer of [null, 1, [], {}, { ...right, checkpoint: null }, { ...right, index: "1" }]) {
    assert.throws(() => checkProof(answer, asked), { code: "malformed" });
  }
});

test("trackers and keys are read as people paste them", () => {
  const tracker = `${"A".repeat(20)}+/${"b".repeat(21)}`;
  assert.equal(readTracker(` ${tracker.slice(0, 20)}\n${tracker.slice(20)} `), tracker);
  for (const typed of ["", tracker.slice(1), `${tracker}A`, `${tracker.slice(1)}-`]) {
    assert.equal(readTracker(typed), null);
  }
  assert.equal(readBoardKey(` ${boardKey.toUpperCase().replace(/(....)/g, "$1 ")}`), boardKey);
  assert.equal(readBoardKey(boardKey.slice(1)), null);
});
