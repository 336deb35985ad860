/** The archives that belenios-tool made, taken apart, changed and put together again. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Crew } from "../verify/crew.js";
import { verify } from "../verify/recount.js";

/** @typedef {{kind: string, body: Buffer}} Part */

const BLOCK = 512;
// Node reads no xz; the Python that the project needs anyway does.
const UNPACK = "import lzma, sys; sys.stdout.buffer.write(lzma.open(sys.argv[1]).read())";
const crew = new Crew([]);

/**
 * Return an archive of `tests/vectors`.
 *
 * @param {string} name
 */
export function vector(name) {
  const path = fileURLToPath(new URL(`../../tests/vectors/${name}/archive.bel.xz`, import.meta.url));
  const options = { maxBuffer: 16_000_000 };
  return execFileSync(process.env.PYTHON ?? "python3", ["-c", UNPACK, path], options);
}

/**
 * Return the entries behind BELENIOS.
 *
 * @param {Buffer} raw
 * @returns {Part[]}
 */
export function unpack(raw) {
  const parts = [];
  for (let at = 0; at < raw.length; ) {
    const size = Number.parseInt(raw.toString("latin1", at + 124, at + 135), 8);
    const kind = raw.toString("latin1", at, at + 100).includes(".event.") ? "event" : "data";
    if (at > 0) parts.push({ kind, body: raw.subarray(at + BLOCK, at + BLOCK + size) });
    at += BLOCK * (1 + Math.ceil(size / BLOCK));
  }
  return parts;
}

/**
 * Return the archive of these entries, named by their hashes.
 *
 * @param {Part[]} parts
 */
export function pack(parts) {
  const first = block("BELENIOS", Buffer.from('{"version":1,"timestamp":"1795474251"}'));
  const rest = parts.map(({ kind, body }) => {
    const name = createHash("sha256").update(body).digest("hex");
    return block(`${name}.${kind}.json`, body);
  });
  return Buffer.concat([first, ...rest]);
}

/**
 * Return what the verifier says of an archive alone.
 *
 * @param {Uint8Array} archive
 * @param {{fingerprint?: string | null, sample?: number | null}} [asked]
 */
export function judge(archive, { fingerprint = null, sample = null } = {}) {
  const none = { boardFile: null, checkpoints: [], declaration: null, boardKey: null };
  const blob = new Blob([new Uint8Array(archive)]);
  return verify({ ...none, archive: blob, fingerprint, sample }, crew, () => undefined);
}

/** @param {string} name @param {Buffer} body */
function block(name, body) {
  const header = Buffer.alloc(BLOCK);
  const octal = (/** @type {number} */ number) => number.toString(8).padStart(11, "0");
  const owner = "0000000\0";
  header.write(name);
  header.write(`0000644\0${owner}${owner}${octal(body.length)}\0${octal(1795474251)}\0        0`, 100);
  const total = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${total.toString(8).padStart(6, "0")}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)]);
}
