/**
 * "Verify in this browser": has workers recount an archive and shows what holds, and what stays open.
 *
 * Promises that nothing is loaded but from this origin, nothing sent, and that files of the reader's own
 * are checked with the network off. Words come from the template; what a file says is shown as text.
 *
 * @module
 */

import { fill, one, word } from "../booth/places.js";
import { readBoardKey, readTracker } from "./receipt-proof.js";
import { chosenFiles } from "./chosen-files.js";
import { showOutcome } from "./verdict.js";

/** @typedef {import("../verify/recount.worker.js").Message} Message */
/** @typedef {import("../verify/recount.worker.js").Order} Order */
/** @typedef {import("../verify/recount.worker.js").Told} Told */

const form = /** @type {HTMLFormElement} */ (one(document, "#verify"));
const files = /** @type {HTMLInputElement} */ (one(document, "#files"));
const fingerprint = /** @type {HTMLInputElement} */ (one(document, "#fingerprint"));
const boardKey = /** @type {HTMLInputElement} */ (one(document, "#board-key"));
const bar = /** @type {HTMLProgressElement} */ (one(document, "#bar"));
const running = one(document, "#running");
const outcome = one(document, "#outcome");
const problem = one(document, "#problem");
const ready = one(document, "#ready");
const { worker: address = "", api = "", declared = "" } = form.dataset;
const numbers = new Intl.NumberFormat(document.documentElement.lang);

/** @type {Worker} */
let lead;

/**
 * Return an address that the browser lets a worker be started from: this page's own, and no other.
 *
 * @param {string} wanted
 */
function trusted(wanted) {
  const types = /** @type {any} */ (globalThis).trustedTypes;
  if (types === undefined) return wanted;
  const createScriptURL = (/** @type {string} */ url) => {
    if (url !== address) throw new TypeError("not this page's worker");
    return url;
  };
  policy ??= types.createPolicy("castonce-workers", { createScriptURL });
  return policy.createScriptURL(wanted);
}
/** @type {any} */
let policy;

function startLead() {
  ready.hidden = true;
  form.dataset.ready = "";
  lead = new Worker(trusted(address), { type: "module" });
  lead.addEventListener("message", (event) => take(event.data));
  lead.addEventListener("error", () => stop("broken"));
}

/** @param {Message} message */
function take(message) {
  if (message.kind === "ready") {
    fill(ready, { workers: numbers.format(message.workers) });
    ready.hidden = false;
    form.dataset.ready = "yes";
  } else if (message.kind === "progress") {
    showProgress(message.progress);
  } else if (message.kind === "outcome") {
    running.hidden = true;
    showOutcome(outcome, message.outcome, message.seconds, numbers);
  } else {
    stop("broken");
  }
}

/** @param {Told} progress */
function showProgress({ stage, done, of }) {
  const isMeasured = of > 0;
  if (isMeasured) bar.value = done / of;
  else bar.removeAttribute("value");
  const given = { done: numbers.format(done), of: numbers.format(of) };
  const words = word(document, isMeasured ? `stage-${stage}` : "stage-unmeasured", given);
  one(running, "#progress").textContent = words;
}

/** @param {string} name  of the problem's word */
function stop(name) {
  lead.terminate();
  running.hidden = true;
  // One that never stood ready would fail again, and again.
  if (form.dataset.ready === "yes") startLead();
  if (name === "") return;
  problem.textContent = word(document, name);
  problem.hidden = false;
  problem.focus();
}

/** @returns {Order | string}  or the name of what is wrong with the form */
function readForm() {
  const text = new FormData(form);
  const isOwn = text.get("source") === "files";
  const print = fingerprint.value.trim() === "" ? null : readTracker(fingerprint.value);
  const key = boardKey.value.trim() === "" ? null : readBoardKey(boardKey.value);
  if (fingerprint.value.trim() !== "" && print === null) return "no-fingerprint";
  if (boardKey.value.trim() !== "" && key === null) return "no-board-key";
  const chosen = isOwn ? chosenFiles([...(files.files ?? [])]) : null;
  if (isOwn && chosen === null) return "no-archive-chosen";
  const sample = text.get("amount") === "all" ? null : Number(text.get("amount"));
  const own = chosen ?? { archive: new Blob(), boardFile: null, checkpoints: [], declaration: null };
  const addresses = {
    archive: `${api}/archive`,
    board: `${api}/board`,
    checkpoint: `${api}/checkpoint`,
    declaration: declared ? `${api}/declaration` : null,
  };
  const request = { ...own, fingerprint: print, boardKey: key, sample };
  return { request, addresses: isOwn ? null : addresses };
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  problem.hidden = true;
  outcome.hidden = true;
  const order = readForm();
  if (typeof order === "string") {
    problem.textContent = word(document, order);
    problem.hidden = false;
    problem.focus();
    return;
  }
  running.hidden = false;
  showProgress({ stage: "download", done: 0, of: 0 });
  lead.postMessage(order);
});
one(running, "#cancel").addEventListener("click", () => stop(""));
form.addEventListener("change", () => {
  const isOwn = new FormData(form).get("source") === "files";
  one(document, "#own-files").hidden = !isOwn;
});
startLead();
form.hidden = false;
one(document, "#not-ready").hidden = true;
