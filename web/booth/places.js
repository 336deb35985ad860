/**
 * Named places in the document: elements, words of the template, and where a script fills in text.
 *
 * Promises that whatever is filled in is text, never markup, and that a place or a word which the
 * template lacks is an error and not an empty line. Knows nothing of voting.
 *
 * @module
 */

/**
 * Return the element; throws where the page has none.
 *
 * @param {ParentNode} root
 * @param {string} selector
 */
export function one(root, selector) {
  const found = root.querySelector(selector);
  if (!(found instanceof HTMLElement)) {
    throw new Error(`The page has no ${selector}.`);
  }
  return found;
}

/**
 * Return a copy of what a template holds.
 *
 * @param {ParentNode} root
 * @param {string} selector
 */
export function cloned(root, selector) {
  const template = /** @type {HTMLTemplateElement} */ (one(root, selector));
  const found = template.content.firstElementChild?.cloneNode(true);
  if (!(found instanceof HTMLElement)) {
    throw new Error(`The template ${selector} is empty.`);
  }
  return found;
}

/**
 * Return a word of the page, with its numbers.
 *
 * @param {Document} document
 * @param {string} name
 * @param {Record<string, unknown>} [given]
 */
export function word(document, name, given = {}) {
  const words = /** @type {HTMLTemplateElement} */ (one(document, "#words")).content;
  const found = words.querySelector(`[data-word="${name}"]`)?.cloneNode(true);
  if (!(found instanceof HTMLElement)) {
    throw new Error(`The page has no word for ${name}.`);
  }
  fill(found, given);
  return (found.textContent ?? "").trim();
}

/**
 * Fill the named places in an element with text.
 *
 * @param {Element} element
 * @param {Record<string, unknown>} given
 */
export function fill(element, given) {
  for (const place of element.querySelectorAll("[data-fill]")) {
    const name = place.getAttribute("data-fill") ?? "";
    if (Object.hasOwn(given, name)) {
      place.textContent = String(given[name]);
    }
  }
}

/**
 * Show or hide all such places in a section.
 *
 * @param {Element} section
 * @param {string} selector
 * @param {boolean} isShown
 */
export function show(section, selector, isShown) {
  for (const one of section.querySelectorAll(selector)) {
    one.toggleAttribute("hidden", !isShown);
  }
}
