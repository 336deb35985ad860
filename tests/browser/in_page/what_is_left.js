// The document with the state of each field, without what differs from visit to visit.
() => {
  const copy = document.documentElement.cloneNode(true);
  const fields = [...document.querySelectorAll("input, select, textarea, option")];
  const states = fields.map((one) => [one.id, one.value, one.checked, one.selected].join(","));
  for (const one of copy.querySelectorAll("time, [data-fill=at], svg, script")) one.remove();
  for (const one of copy.querySelectorAll("a[href]")) {
    if (/^(blob|data):/.test(one.getAttribute("href"))) one.setAttribute("href", "FILE");
  }
  return `${copy.outerHTML}\n${states.join("\n")}`;
};
