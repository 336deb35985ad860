/**
 * The worker that leads a verification: downloads what is to be checked and shares the work.
 *
 * Promises that its own workers stand ready before it says so, so that the network can be cut then, and
 * that it tells how far it is no more than ten times a second. Ended by `terminate`, with all its workers.
 *
 * @module
 */

import { Crew, WorkerHelper } from "./crew.js";
import { Refused, Unreadable } from "./faults.js";
import { verify } from "./recount.js";
import { download } from "./source.js";

/** @typedef {import("./recount.js").Outcome} Outcome */
/** @typedef {import("./recount.js").Progress} Progress */
/** @typedef {import("./recount.js").Request} Request */
/** Where the files of a board are; null for one that isn't there yet. @typedef {{archive: string, board: string, checkpoint: string, declaration: string | null}} Addresses */
/** @typedef {{request: Request, addresses: Addresses | null}} Order */
/** @typedef {Progress | {stage: "download", done: number, of: number}} Told */
/** @typedef {{kind: "ready", workers: number} | {kind: "progress", progress: Told} | {kind: "outcome", outcome: Outcome, seconds: number} | {kind: "broken"}} Message */

const MOST_WORKERS = 16;
const TELL_MS = 100;
// A million ballots on six questions.
const MOST_ARCHIVE_BYTES = 16_000_000_000;
const MOST_OTHER_BYTES = 200_000_000;

let told = 0;

/** @param {Message} message */
function say(message) {
  postMessage(message);
}

/** @param {Told} progress */
function tell(progress) {
  const now = performance.now();
  if (now - told < TELL_MS && progress.done !== progress.of) return;
  told = now;
  say({ kind: "progress", progress });
}

/** @param {Addresses} addresses @param {Request} request @returns {Promise<Request>} */
async function downloaded(addresses, request) {
  /** @param {string} url @param {import("./faults.js").Place["file"]} file */
  const load = (url, file) =>
    download(url, {
      mostBytes: file === "archive" ? MOST_ARCHIVE_BYTES : MOST_OTHER_BYTES,
      place: { file },
      tell: ({ done, of }) => tell({ stage: "download", done, of: of ?? 0 }),
    });
  const { archive, board, checkpoint, declaration } = addresses;
  return {
    ...request,
    archive: await load(archive, "archive"),
    boardFile: await load(board, "board"),
    checkpoints: [await load(checkpoint, "checkpoint")],
    declaration: declaration === null ? null : await load(declaration, "declaration"),
  };
}

/** @param {Crew} crew @param {Order} order @returns {Promise<Outcome>} */
async function carryOut(crew, { request, addresses }) {
  try {
    const whole = addresses === null ? request : await downloaded(addresses, request);
    return await verify(whole, crew, tell);
  } catch (error) {
    if (!(error instanceof Unreadable || error instanceof Refused)) throw error;
    return { verdict: "unreadable", place: error.place, code: error.code, detail: "" };
  }
}

const count = Math.max(1, Math.min(MOST_WORKERS, navigator.hardwareConcurrency));
const helpers = Array.from({ length: count }, () => {
  const address = new URL("./ballots.worker.js", import.meta.url);
  return new WorkerHelper(new Worker(address, { type: "module" }));
});
const crew = new Crew(helpers);

addEventListener("message", async (event) => {
  const start = performance.now();
  try {
    const outcome = await carryOut(crew, event.data);
    say({ kind: "outcome", outcome, seconds: (performance.now() - start) / 1000 });
  } catch (error) {
    say({ kind: "broken" });
    throw error;
  }
});

await Promise.all(helpers.map((helper) => helper.work({ kind: "credentials", credentials: [] })));
say({ kind: "ready", workers: count });
