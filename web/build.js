/**
 * Makes `build/`: the style sheet, the list of the files that each site serves, and the copies of
 * modules for workers.
 *
 * Promises that a page's own modules are served as they lie here, byte for byte, and third-party ones
 * without their comments; and that only files which the import graph reaches are listed. Workers know
 * no import map: for them, and for them alone, modules are copied with each bare specifier replaced by
 * a relative path and nothing else changed. Must never fetch anything. Run by `npm run build`.
 *
 * @module
 */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";

import * as sass from "sass";

import { importsOf, reach, WEB } from "./reach.js";
import { copyOf, isVendored, writeCopies } from "./vendor.js";

const BUILD = join(WEB, "build");
/**
 * Which folders' modules each site's pages name themselves; the rest is reached by their imports.
 *
 * @type {Record<string, string[]>}
 */
const SITES = { booth: ["booth"], board: ["board", "verify"] };
const ALWAYS = { "layout/site.css": "build/site.css", "layout/icon.svg": "layout/icon.svg" };

/** Return the style sheet, with start and end for left and right. */
function styles() {
  const options = { style: /** @type {const} */ ("compressed"), quietDeps: true };
  return sass
    .compile(join(WEB, "layout/site.scss"), options)
    .css.replace(/\b(margin|padding|border)-left\b/g, "$1-inline-start")
    .replace(/\b(margin|padding|border)-right\b/g, "$1-inline-end")
    .replace(/\btext-align:\s*left\b/g, "text-align:start")
    .replace(/\btext-align:\s*right\b/g, "text-align:end")
    .replace(/([;{])left:/g, "$1inset-inline-start:")
    .replace(/([;{])right:/g, "$1inset-inline-end:")
    .replace(/([;{])float:\s*left\b/g, "$1float:left;float:inline-start")
    .replace(/([;{])float:\s*right\b/g, "$1float:right;float:inline-end");
}

/**
 * Return the name under which a file is served.
 *
 * @param {string} path
 */
function servedName(path) {
  const name = relative(WEB, path).split("\\").join("/");
  return name.replace(/^node_modules\//, "vendor/");
}

/**
 * Write the copy of a module for workers.
 *
 * @param {string} path
 */
function copyForWorker(path) {
  const here = servedName(path);
  let text = readFileSync(path, "utf8");
  for (const { name, target } of importsOf(path)) {
    if (name.startsWith(".")) continue;
    const found = posix.relative(posix.dirname(here), servedName(target));
    const spelt = found.startsWith(".") ? found : `./${found}`;
    const literal = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const wanted = new RegExp(`((?:from|import)\\s*)(["'])${literal}\\2`, "g");
    text = text.replace(wanted, `$1$2${spelt}$2`);
  }
  const copy = join(BUILD, "worker", here);
  mkdirSync(dirname(copy), { recursive: true });
  writeFileSync(copy, text);
}

/**
 * Refuse a copy that still has a specifier which a worker can't resolve.
 *
 * @param {string} path  of the module that was copied
 */
function checkCopy(path) {
  const copy = join(BUILD, "worker", servedName(path));
  const left = importsOf(copy).filter(({ name }) => !name.startsWith("."));
  if (left.length > 0) throw new Error(`${servedName(path)}: ${left[0]?.name} is no relative path.`);
}

/**
 * Return the modules in a folder; those in folders below are reached by imports only.
 *
 * @param {string} folder
 */
function modulesOf(folder) {
  const names = readdirSync(WEB).includes(folder) ? readdirSync(join(WEB, folder)) : [];
  return names.filter((name) => name.endsWith(".js")).sort().map((name) => join(WEB, folder, name));
}

/**
 * Return what one site serves: files by served name, the bare specifiers of its modules, and what
 * each module that a page may name reaches, itself first.
 *
 * @param {string[]} folders
 */
function site(folders) {
  const modules = folders.flatMap(modulesOf);
  const pages = modules.filter((path) => !path.endsWith(".worker.js"));
  const ofPages = reach(pages);
  const ofWorkers = reach(modules.filter((path) => path.endsWith(".worker.js")));
  /** @type {Record<string, string>} */
  const files = { ...ALWAYS };
  for (const path of ofPages) {
    files[servedName(path)] = relative(WEB, isVendored(path) ? copyOf(path) : path);
  }
  for (const path of ofWorkers) copyForWorker(path);
  for (const path of ofWorkers) {
    checkCopy(path);
    files[`worker/${servedName(path)}`] = `build/worker/${servedName(path)}`;
  }
  const bare = ofPages.flatMap(importsOf).filter(({ name }) => !name.startsWith("."));
  const imports = bare.map(({ name, target }) => [name, servedName(target)]);
  const entries = pages.map((path) => {
    const rest = reach([path]).filter((found) => found !== path);
    return [servedName(path), [path, ...rest].map(servedName)];
  });
  return {
    files,
    imports: Object.fromEntries(imports.sort()),
    entries: Object.fromEntries(entries),
  };
}

/**
 * Write a file whole or not at all, for a service may be starting.
 *
 * @param {string} name
 * @param {string} text
 */
function write(name, text) {
  writeFileSync(join(BUILD, `${name}.new`), text);
  renameSync(join(BUILD, `${name}.new`), join(BUILD, name));
}

rmSync(join(BUILD, "worker"), { recursive: true, force: true });
mkdirSync(BUILD, { recursive: true });
write("site.css", styles());
const sites = Object.entries(SITES).map(([name, folders]) => [name, site(folders)]);
const pages = Object.values(SITES).flatMap((folders) => reach(folders.flatMap(modulesOf)));
writeCopies([...new Set(pages)].filter(isVendored));
write("assets.json", `${JSON.stringify(Object.fromEntries(sites), null, 2)}\n`);
