/**
 * Third-party modules as pages load them: the locked files without their comments.
 *
 * Promises that nothing else differs from what npm's lock names by hash: the type checker's own
 * compiler writes them again, as their makers' did, with `removeComments`. (A third of their weight is
 * code; with the comments the booth would be above its 150 kB.) Each says whose it is and under which
 * licence. Own modules are served as they lie here.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

import { WEB } from "./reach.js";

const MODULES = join(WEB, "node_modules");
const COPIES = join(WEB, "build/vendor");
const COMPILER = join(MODULES, "typescript/bin/tsc");
const NEWEST = "esnext"; // so that nothing is written in an older way
const OPTIONS = [
  ...["--ignoreConfig", "--allowJs", "--noCheck", "--noResolve", "--removeComments"],
  ...["--target", NEWEST, "--module", NEWEST, "--moduleResolution", "bundler"],
  ...["--rootDir", MODULES, "--outDir", COPIES],
];

/** @param {string} path */
export function isVendored(path) {
  return path.startsWith(join(MODULES, "/"));
}

/**
 * Return where the copy of a third-party module lies.
 *
 * @param {string} path
 */
export function copyOf(path) {
  return join(COPIES, relative(MODULES, path));
}

/**
 * Write the copies of these third-party modules, and remove all others.
 *
 * @param {string[]} paths
 */
export function writeCopies(paths) {
  rmSync(COPIES, { recursive: true, force: true });
  if (paths.length === 0) return;
  execFileSync(process.execPath, [COMPILER, ...paths, ...OPTIONS], { stdio: ["ignore", 2, 2] });
  for (const path of paths) {
    writeFileSync(copyOf(path), `${banner(path)}\n${readFileSync(copyOf(path), "utf8")}`);
  }
}

/** @param {string} module */
function banner(module) {
  const folder = join(MODULES, packageOf(relative(MODULES, module)));
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const path = join(folder, "LICENSE");
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const holder = /^copyright.*$/im.exec(text)?.[0].trim() ?? "";
  return `/*! ${name} ${version}, comments removed. ${license} licence. ${holder}*/`;
}

/** @param {string} path  below node_modules */
function packageOf(path) {
  return path.split("/").slice(0, path.startsWith("@") ? 2 : 1).join("/");
}
