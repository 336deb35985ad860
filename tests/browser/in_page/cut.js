// Text that is clipped, and what reaches beyond the page's edge.
() => {
  const found = [];
  const name = (one) => {
    const words = (one.textContent || one.value || "").trim().slice(0, 60);
    return `${one.tagName.toLowerCase()}${one.id && "#" + one.id}.${one.className} "${words}"`;
  };
  const isSeen = (one) =>
    one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().width > 1;
  const isInScroller = (one) => {
    for (let up = one; up && up !== document.body; up = up.parentElement) {
      if (["auto", "scroll"].includes(getComputedStyle(up).overflowX)) return true;
    }
    return false;
  };
  const width = document.documentElement.clientWidth;
  for (const one of document.body.querySelectorAll("*")) {
    if (!isSeen(one) || one.closest(".govuk-visually-hidden, .govuk-skip-link, svg")) continue;
    const box = one.getBoundingClientRect();
    if ((box.right > width + 1 || box.left < -1) && !isInScroller(one)) {
      found.push(`beyond the edge (${Math.round(box.left)} to ${Math.round(box.right)}): ${name(one)}`);
    }
    const { overflowX, overflowY } = getComputedStyle(one);
    const clips = [overflowX, overflowY].some((way) => ["hidden", "clip"].includes(way));
    const isFull = one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1;
    if (clips && isFull) found.push(`cut: ${name(one)}`);
  }
  const { scrollWidth } = document.documentElement;
  if (scrollWidth > width) found.push(`the page scrolls sideways: ${scrollWidth} of ${width}`);
  return found;
};
