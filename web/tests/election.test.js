/** Reading an election: the fingerprint is the text's, and no odd text becomes a ballot paper. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readElection, slotsOf } from "../protocol/election.js";
import { refuses, vector } from "./vectors.js";

const fields = JSON.parse(vector.election);

test("Python's election is read, with its fingerprint", () => {
  const election = readElection(vector.election);
  assert.equal(election.fingerprint, vector.fingerprint);
  assert.equal(election.uuid, fields.uuid);
  assert.deepEqual(election.questions.map(slotsOf), [4, 2]);
  assert.deepEqual(election.questions[0], fields.questions[0]);
  assert.deepEqual(election.questions[1], { ...fields.questions[1], blank: false });
});

test("administrators may be absent or null", () => {
  const { administrator: _, credential_authority: __, ...rest } = fields;
  readElection(JSON.stringify(rest));
  readElection(JSON.stringify({ ...rest, administrator: null, credential_authority: null }));
});

test("a text that two readers could read differently is refused", () => {
  const { election } = vector;
  refuses(() => readElection(` ${election}`), "not-canonical");
  refuses(() => readElection(election.replace('"version":1', '"version":1.0')), "not-canonical");
  refuses(() => readElection(election.replace("Ada", "\\u0041da")), "not-canonical");
  const twice = election.replace('"version":1', '"version":2,"version":1');
  refuses(() => readElection(twice), "not-canonical");
});

test("what is no JSON, or too long, is refused", () => {
  for (const text of ["", "{", "{}x", vector.election.slice(0, -1), "[".repeat(100_000)]) {
    refuses(() => readElection(text), "malformed");
  }
  refuses(() => readElection(/** @type {string} */ (/** @type {unknown} */ (5))), "malformed");
  refuses(() => readElection(`"${"x".repeat(1_000_000)}"`), "too-large");
  refuses(() => readElection(`"${"é".repeat(600_000)}"`), "too-large");
});

test("other fields and other types are refused", () => {
  for (const text of ["null", "[]", '"x"', "5", "{}"]) refuses(() => readElection(text), "malformed");
  const wrong = [
    { extra: 1 },
    { __proto__x: 1 },
    { name: 5 },
    { description: null },
    { uuid: "short" },
    { uuid: "0OIl0OIl0OIl0OIl" },
    { uuid: `${fields.uuid}\n` },
    { administrator: 5 },
    { questions: {} },
    { questions: ["x"] },
    { questions: [{ ...fields.questions[0], answers: ["x", 5] }] },
    { questions: [{ ...fields.questions[0], answers: "xyz" }] },
    { questions: [{ ...fields.questions[0], blank: 1 }] },
    { questions: [{ ...fields.questions[0], min: "1" }] },
    { questions: [{ ...fields.questions[0], max: 1.5 }] },
    { questions: [{ ...fields.questions[0], min: -1 }] },
    { questions: [{ ...fields.questions[0], weight: 2 }] },
  ];
  for (const change of wrong) {
    refuses(() => readElection(JSON.stringify({ ...fields, ...change })), "malformed");
  }
});

test("an election that can't be voted on is refused", () => {
  const question = fields.questions[0];
  const wrong = [
    { version: 2 },
    { group: "RFC-3526-2048" },
    { questions: [] },
    { questions: [{ ...question, min: 2, max: 1 }] },
    { questions: [{ ...question, max: 4 }] },
    { questions: [{ ...question, min: 0, max: 0 }] },
  ];
  for (const change of wrong) {
    refuses(() => readElection(JSON.stringify({ ...fields, ...change })), "invalid-election");
  }
});

test("a key outside the group is refused", () => {
  const small = "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826";
  const identity = `${"0".repeat(63)}1`;
  for (const key of [small, identity, "66", "F".repeat(64)]) {
    refuses(() => readElection(JSON.stringify({ ...fields, public_key: key })), "invalid-point");
  }
});

test("any text of a question is kept as it is, whatever its script", () => {
  const question = { ...fields.questions[1], question: '誰に "؟\\ 🗳️ \u2028 <b>' };
  const text = JSON.stringify({ ...fields, questions: [question] });
  assert.equal(readElection(text).questions[0].question, question.question);
});
