/** Checkpoints: one spelling, and nobody's signature but the board's. */

import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { test } from "node:test";
import { readCheckpoint } from "../protocol/checkpoint.js";
import { writeBase64, writeHex } from "../protocol/hash.js";

const ELECTION = "78jtVeEwZkgRBC";
const ORIGIN = `tests.example/board/${ELECTION}`;
const ROOT = writeBase64(new Uint8Array(32).fill(7));
const TEXT = `${ORIGIN}\n12\n${ROOT}\n`;
const [own, other] = [1, 2].map(keyPair);

/** @param {number} fill */
function keyPair(fill) {
  const pkcs8 = Buffer.concat([
    Buffer.from("302e020100300506032b657004220420", "hex"),
    Buffer.alloc(32, fill),
  ]);
  const secret = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const spki = createPublicKey(secret).export({ format: "der", type: "spki" });
  return { secret, public: new Uint8Array(spki.subarray(-32)) };
}

/**
 * @param {{name?: string, pair?: typeof own, text?: string, type?: number}} how
 */
function line({ name = ORIGIN, pair = own, text = TEXT, type = 1 } = {}) {
  assert.ok(pair);
  const typed = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), pair.public]);
  const keyId = createHash("sha256").update(typed).digest().subarray(0, 4);
  const signature = sign(null, Buffer.from(text), pair.secret);
  return `— ${name} ${Buffer.concat([keyId, signature]).toString("base64")}\n`;
}

/** @param {string} text */
function note(text) {
  return `${text}\n${line({ text })}`;
}

const KEY = writeHex(own?.public ?? new Uint8Array());

/** @param {string} text @param {string} code */
function refuses(text, code) {
  assert.throws(() => readCheckpoint(text, KEY, ELECTION), { code });
}

test("a head that the board signed is read", () => {
  const head = readCheckpoint(note(TEXT), KEY, ELECTION);
  assert.deepEqual({ ...head, root: writeBase64(head.root) }, {
    origin: ORIGIN,
    size: 12,
    root: ROOT,
    unchecked: [],
  });
});

test("others' signatures are passed over and named", () => {
  const more = note(TEXT) + line({ name: "a.example/witness", pair: other, type: 4 });
  assert.deepEqual(readCheckpoint(more, KEY, ELECTION).unchecked, ["a.example/witness"]);
});

test("a signature by another key, under another name or over another text isn't the board's", () => {
  refuses(`${TEXT}\n${line({ pair: other })}`, "signature-refused");
  refuses(`${TEXT}\n${line({ name: "tests.example/board" })}`, "signature-refused");
  refuses(`${TEXT}\n${line({ text: TEXT.replace("12", "13") })}`, "signature-refused");
  refuses(note(TEXT).replace("\n12\n", "\n13\n"), "signature-refused");
  const short = `— ${ORIGIN} ${line().split(" ")[2]?.slice(0, 64)}\n`;
  refuses(`${TEXT}\n${short}`, "signature-refused");
});

test("without the board's key its line must be there, and of the right size", () => {
  assert.equal(readCheckpoint(`${TEXT}\n${line({ pair: other })}`, null, ELECTION).size, 12);
  const foreign = `${TEXT}\n${line({ name: "a.example/witness" })}`;
  assert.throws(() => readCheckpoint(foreign, null, ELECTION), { code: "signature-refused" });
});

test("another election's checkpoint is refused", () => {
  for (const id of ["78jtVeEwZkgRBD", "", "board/78jtVeEwZkgRBC"]) {
    assert.throws(() => readCheckpoint(note(TEXT), KEY, id), { code: "wrong-election" });
  }
  refuses(note(`/${ELECTION}\n1\n${ROOT}\n`), "wrong-election");
});

test("a checkpoint has one spelling", () => {
  const wrong = [
    TEXT.replace("12", "012"),
    TEXT.replace("12", "-1"),
    TEXT.replace("12", "9".repeat(16)),
    TEXT.replace("12", ""),
    TEXT.replace(ROOT, ROOT.slice(0, -4)),
    TEXT.replace(ROOT, ROOT.replace("=", "")),
    TEXT.replace(ROOT, `${ROOT.slice(0, -2)}d=`),
    `${TEXT}more\n`,
    TEXT.replace("/board", " board"),
    TEXT.replace("/board", "\u0085board"),
    TEXT.replace("/board", "+board"),
  ];
  for (const text of wrong) refuses(note(text), "note-refused");
  const notes = ["", "\n\n", TEXT, note(TEXT).slice(0, -1), `${note(TEXT)}\n`, note(TEXT) + line()];
  notes.push(note(TEXT).replace("—", "-"), note(TEXT) + "x".repeat(100_000));
  notes.push(`${TEXT}\n${Array.from({ length: 101 }, (_, at) => line({ name: `w${at}` })).join("")}`);
  for (const text of notes) refuses(text, "note-refused");
});

test("a key of another form is refused, not passed over", () => {
  for (const key of ["", KEY.slice(2), KEY.toUpperCase(), `${KEY}00`]) {
    assert.throws(() => readCheckpoint(note(TEXT), key, ELECTION), { code: "note-refused" });
  }
});
