/**
 * The very first script of the booth: takes the voting code out of the address.
 *
 * A letter's QR code is a link with the code in the fragment, which no browser sends. Promises that
 * the address bar and this history entry are without it before anything else runs, that the code is
 * handed out once, and that it is kept nowhere else. Imports nothing, so that nothing is waited for.
 *
 * @module
 */

const LONGEST_FRAGMENT = 100;

let arrived = taken();

/** Return the code of the address that led here, once; empty if there was none. */
export function takeCode() {
  const code = arrived;
  arrived = "";
  return code;
}

/**
 * Take what stands behind # out of the address bar, without a new entry in the history.
 *
 * @returns {string}  what stood there; empty for what can't be a code
 */
export function taken() {
  const { hash, pathname, search } = globalThis.location ?? { hash: "", pathname: "", search: "" };
  if (hash === "") {
    return "";
  }
  history.replaceState(history.state, "", pathname + search);
  return decoded(hash.slice(1));
}

/** @param {string} text */
function decoded(text) {
  if (text.length > LONGEST_FRAGMENT) {
    return "";
  }
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // no percent encoding of anything: somebody else's fragment
  }
}
