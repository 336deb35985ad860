// Everything that a page can keep, as text, by place.
async () => {
  const all = (store) => Object.entries({ ...store }).flat();
  const isTyped = (one) => !["radio", "checkbox", "hidden"].includes(one.type);
  const fields = [...document.querySelectorAll("input, textarea, select, output")];
  const entries = globalThis.navigation?.entries() ?? [];
  const databases = await indexedDB.databases();
  return {
    localStorage: all(localStorage),
    sessionStorage: all(sessionStorage),
    cookies: [document.cookie],
    databases: databases.map((one) => one.name),
    caches: "caches" in globalThis ? await caches.keys() : [],
    history: [
      JSON.stringify(history.state), location.href, window.name, document.referrer,
      ...entries.map((one) => one.url),
    ],
    // But the navigation's own entry: it names the address as it was asked for, a QR code's fragment
    // too, and nobody can change it. It lives in this page alone.
    resources: performance.getEntries().filter((one) => one.entryType !== "navigation")
      .map((one) => one.name),
    fields: fields.filter(isTyped).map((one) => one.value),
    document: [document.documentElement.outerHTML, document.title],
  };
};
