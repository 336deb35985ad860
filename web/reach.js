/**
 * Which files a browser loads for an entry module, found by reading the imports.
 *
 * Promises every file that static imports and `import("…")` of a literal reach, own ones and those
 * of node_modules, as the browser's import map will resolve them. Must never guess: an import that
 * can't be resolved is an error. Run as a program, it prints what the named entries weigh when
 * compressed; without names, what each site of the build does.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

export const WEB = dirname(fileURLToPath(import.meta.url));

const IMPORTS = /(?:\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'\n]+)\1/g;
const COMMENTS = /\/\*[^]*?\*\/|(?<=^|[\s;{}(),])\/\/[^\n]*/g;

/**
 * Return the absolute paths of all files that the entries reach, themselves included, in order.
 *
 * @param {string[]} entries  absolute paths
 * @returns {string[]}
 */
export function reach(entries) {
  /** @type {Set<string>} */
  const found = new Set();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    waiting.push(...importsOf(path).map(({ target }) => target));
  }
  return [...found].sort();
}

/**
 * Return what a module imports: the name it uses, and the absolute path of the file meant.
 *
 * @param {string} path
 * @returns {{name: string, target: string}[]}
 */
export function importsOf(path) {
  const source = readFileSync(path, "utf8").replace(COMMENTS, "");
  return [...source.matchAll(IMPORTS)].map(([, , name = ""]) => ({
    name,
    target: name.startsWith(".")
      ? resolve(dirname(path), name)
      : fileURLToPath(import.meta.resolve(name)),
  }));
}

/**
 * Return how many bytes a file has when compressed as the servers compress it.
 *
 * @param {string} path
 */
export function compressedBytes(path) {
  return gzipSync(readFileSync(path), { level: 9 }).length;
}

/**
 * Print what files weigh, each and together.
 *
 * @param {string} title
 * @param {string[]} files  paths relative to web/
 */
function print(title, files) {
  let total = 0;
  for (const file of files) {
    const bytes = compressedBytes(resolve(WEB, file));
    total += bytes;
    console.log(`${String(bytes).padStart(8)}  ${file}`);
  }
  console.log(`${String(total).padStart(8)}  bytes compressed: ${title}, ${files.length} files\n`);
}

/** Print what each site has, as the build listed it. */
function printSites() {
  /** @type {Record<string, {files: Record<string, string>}>} */
  const sites = JSON.parse(readFileSync(resolve(WEB, "build/assets.json"), "utf8"));
  for (const [name, { files }] of Object.entries(sites)) print(name, Object.values(files));
}

/** @param {string[]} entries  paths relative to web/ */
function printReached(entries) {
  const files = reach(entries.map((entry) => resolve(WEB, entry)));
  print(entries.join(" "), files.map((path) => relative(WEB, path)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.length > 2) printReached(process.argv.slice(2));
  else printSites();
}
