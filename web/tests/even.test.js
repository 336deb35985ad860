/** How long sealing takes must tell nothing: the same number of multiplications whatever is chosen. */

import assert from "node:assert/strict";
import { registerHooks } from "node:module";
import { test } from "node:test";
import { vector } from "./vectors.js";

const counted = { multiplications: 0 };
Object.assign(globalThis, { counted });
const MULTIPLIED = "return point.multiply(rest);";

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith("/protocol/group.js")) return loaded;
    const source = String(loaded.source);
    assert.ok(source.includes(MULTIPLIED));
    return {
      ...loaded,
      source: source.replace(MULTIPLIED, `counted.multiplications += 1; ${MULTIPLIED}`),
    };
  },
});

test("a ballot takes the same number of multiplications whatever was chosen", async () => {
  const { sealBallot } = await import("../protocol/ballot.js");
  const { fromSecret } = await import("../protocol/credential.js");
  const { readElection } = await import("../protocol/election.js");
  const told = readElection(vector.election);
  // The same, but that nothing need be chosen: a blank vote's proof then has two true parts.
  const election = { ...told, questions: told.questions.map((one) => ({ ...one, min: 0 })) };
  const credential = fromSecret(BigInt(vector.voters[0].private));
  const none = election.questions.map(({ answers, blank }) =>
    new Array(answers.length + (blank ? 1 : 0)).fill(0),
  );
  const blank = none.map((marks) => [1, ...marks.slice(1)]);
  const last = none.map((marks) => [...marks.slice(0, -1), 1]);
  const counts = [];
  for (const choices of [none, blank, last]) {
    const before = counted.multiplications;
    await sealBallot(election, credential, choices);
    counts.push(counted.multiplications - before);
  }
  assert.ok(counts[0] > 20);
  assert.equal(new Set(counts).size, 1, String(counts));
});
