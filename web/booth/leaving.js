/**
 * What happens as somebody leaves the page, and as the browser brings it back to life.
 *
 * Promises that a page which the browser puts aside (for its back button) is wiped first, and loaded
 * anew when it comes back: whoever sits there then may be somebody else.
 *
 * @module
 */

/**
 * @param {Pick<EventTarget, "addEventListener">} page
 * @param {{forget: () => void, reload: () => void}} given
 */
export function watchLeaving(page, { forget, reload }) {
  page.addEventListener("pagehide", (event) => {
    if (isKeptAlive(event)) forget();
  });
  page.addEventListener("pageshow", (event) => {
    if (isKeptAlive(event)) reload();
  });
}

/** @param {Event} event */
function isKeptAlive(event) {
  return "persisted" in event && event.persisted === true;
}
