// Words that a reader sees or hears and that the pseudo-locale didn't make strange.
(names) => {
  // Letters that the pseudo-locale leaves as they are prove nothing.
  const plain = /[ACDEGHIJKLNORSTUWYZacdeghijklnorstuwyz]/;
  const isTypeName = (word) => /^([A-Z][a-z]+){2,}$/.test(word); // of messages and entries
  const isPlain = (word) =>
    !isTypeName(word) && /[A-Za-z]{2,}/.test(word) && plain.test(word) && !names.includes(word.replace(/\W/g, ""));
  const isLeft = (text) => text.split(/\s+/).some(isPlain);
  const skipped = "[translate=no], .app-sign, [data-fill=at], title, time, code, kbd, pre, script, style, template";
  const isForeign = (one) => one.closest("[lang]") !== document.documentElement;
  const isSkipped = (one) => one.closest(skipped) !== null || isForeign(one);
  const found = [];
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const up = walker.currentNode.parentElement;
    const text = walker.currentNode.data.trim();
    const isHidden = !up.closest("head") && !up.checkVisibility({ visibilityProperty: true });
    if (text === "" || isSkipped(up) || isHidden) continue;
    if (isLeft(text)) found.push(`${up.tagName.toLowerCase()}: ${text.slice(0, 80)}`);
  }
  for (const name of ["aria-label", "alt", "title", "placeholder"]) {
    for (const one of document.querySelectorAll(`[${name}]`)) {
      const text = one.getAttribute(name);
      if (!isSkipped(one) && isLeft(text)) found.push(`${name} of ${one.tagName}: ${text}`);
    }
  }
  return found;
};
