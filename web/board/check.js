/**
 * "Check your receipt": asks this board for a proof and checks it here.
 *
 * Promises to say "it is on the board" only if the proof holds under the key that is named beside it,
 * and to say of each other outcome what it means. Asks its own origin only. Without this script the
 * form asks the server, whose word the page then shows. A tracker in the address' fragment is checked
 * at once and taken out of the address.
 *
 * @module
 */

import { fill, one } from "../booth/places.js";
import { ProtocolError } from "../protocol/errors.js";
import { checkProof, readBoardKey, readTracker } from "./receipt-proof.js";

/** @typedef {"proved" | "proved-by-page" | "absent" | "refused" | "other-key" | "busy" | "lost" | "no-tracker" | "no-key"} Outcome */

const form = /** @type {HTMLFormElement} */ (one(document, "#check"));
const tracker = /** @type {HTMLInputElement} */ (one(document, "#tracker"));
const key = /** @type {HTMLInputElement} */ (one(document, "#board-key"));
const answers = one(document, "#proof");
const { election = "", boardKey: pageKey = "" } = answers.dataset;
let asked = 0;

/**
 * @param {Outcome} name
 * @param {Record<string, unknown>} [given]
 */
function show(name, given = {}) {
  for (const outcome of answers.querySelectorAll("[data-outcome]")) {
    outcome.toggleAttribute("hidden", outcome.getAttribute("data-outcome") !== name);
  }
  fill(answers, given);
  answers.hidden = false;
  answers.dataset.shown = name;
  answers.focus();
}

/** @param {string} wanted @param {string} boardKey @returns {Promise<[Outcome, Record<string, unknown>]>} */
async function ask(wanted, boardKey) {
  const query = new URLSearchParams({ tracker: wanted });
  let response;
  try {
    response = await fetch(`/elections/${election}/inclusion?${query}`, { cache: "no-store" });
  } catch {
    return ["lost", {}];
  }
  if (response.status === 404) return ["absent", { tracker: wanted }];
  if (!response.ok) return ["busy", {}];
  try {
    const asked = { tracker: wanted, boardKey: boardKey || pageKey, electionId: election };
    const { index, size } = checkProof(await response.json(), asked);
    const numbers = new Intl.NumberFormat(document.documentElement.lang);
    const given = { index: numbers.format(index), size: numbers.format(size) };
    return [boardKey ? "proved" : "proved-by-page", { ...given, tracker: wanted }];
  } catch (error) {
    const isOtherKey = error instanceof ProtocolError && error.code === "signature-refused";
    return [isOtherKey ? "other-key" : "refused", { tracker: wanted }];
  }
}

async function check() {
  const wanted = readTracker(tracker.value);
  const boardKey = key.value.trim() === "" ? "" : readBoardKey(key.value);
  if (wanted === null) return show("no-tracker");
  if (boardKey === null) return show("no-key");
  asked += 1;
  const turn = asked;
  const [outcome, given] = await ask(wanted, boardKey);
  // An earlier question's answer may come after a later one's.
  if (turn === asked) show(outcome, given);
}

/**
 * Take a tracker from the fragment, which no server sees. Never a key: whoever made a link to a false
 * board would give that board's key with it, and the page would call it the one that was entered.
 */
function readFragment() {
  const found = readTracker(decoded(location.hash.slice(1)));
  key.value = ""; // what a browser put back after a reload wasn't entered now
  if (found === null) return false;
  tracker.value = found;
  history.replaceState(null, "", location.pathname + location.search);
  return true;
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // somebody else's fragment
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void check();
});
for (const part of document.querySelectorAll("[data-with-script]")) part.removeAttribute("hidden");
for (const part of document.querySelectorAll("[data-without-script]")) part.setAttribute("hidden", "");
if (readFragment() || readTracker(tracker.value) !== null) void check();
