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
    resources: performance.getEntries().map((one) => one.name),
    fields: fields.filter(isTyped).map((one) => one.value),
    document: [document.documentElement.outerHTML, document.title],
  };
};
