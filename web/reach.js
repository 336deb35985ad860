/**
 * Which files a browser loads for an entry module, found by reading the imports.
 *
 * Promises every file that static imports and `import("…")` of a literal reach, own ones and those
 * of node_modules, as the browser's import map will resolve them. Must never guess: an import that
 * can't be resolved is an error. Run as a program, it prints what each entry weighs when compressed.
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
 * Print what a page weighs that has all these modules.
 *
 * @param {string[]} entries  paths relative to web/
 */
function print(entries) {
  const files = reach(entries.map((entry) => resolve(WEB, entry)));
  let total = 0;
  for (const path of files) {
    const bytes = compressedBytes(path);
    total += bytes;
    console.log(`${String(bytes).padStart(8)}  ${relative(WEB, path)}`);
  }
  console.log(`${String(total).padStart(8)}  bytes compressed in ${files.length} files`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) print(process.argv.slice(2));
