// What has the focus, and whether it looks different from what hasn't.
() => {
  const one = document.activeElement;
  const parts = [one, one.labels?.[0]].filter(Boolean);
  const looks = () =>
    parts
      .flatMap((part) => [null, "::before"].map((pseudo) => getComputedStyle(part, pseudo)))
      .flatMap((style) => [
        style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow,
        style.backgroundColor, style.borderColor, style.borderWidth,
      ])
      .join(" ");
  const focused = looks();
  one.blur();
  const blurred = looks();
  one.focus({ preventScroll: true, focusVisible: true });
  return {
    name: one.tagName.toLowerCase() + (one.id && `#${one.id}`),
    isBody: one === document.body,
    isSeen: focused !== blurred,
  };
};
