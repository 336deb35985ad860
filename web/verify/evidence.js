/**
 * What lies beside an archive: board file, checkpoints and declaration.
 *
 * Promises that all that can be checked before the ballots is checked first: that the board file is in
 * step with the archive, the checkpoints with the board file, and that the declaration is the one that
 * the board has, rightly signed. Its figures are compared once the election is recounted.
 *
 * @module
 */

import { MAX_NOTE_BYTES, readCheckpoint } from "../protocol/checkpoint.js";
import { sha256Hex, writeHex } from "../protocol/hash.js";
import { MerkleRoot } from "../protocol/merkle.js";
import { readBoardFile } from "./board-file.js";
import { readDeclaration } from "./declaration.js";
import { Unreadable, blaming, demand } from "./faults.js";
import { readWhole } from "./source.js";
import { decode } from "./strict-json.js";

/** @typedef {import("./board-file.js").Posted} Posted */
/** @typedef {import("./chain.js").Contents} Contents */
/** @typedef {import("../protocol/checkpoint.js").Head} Head */
/** @typedef {import("./strict-json.js").Json} Json */
/**
 * The files that were given; with a declaration or a checkpoint a board file.
 *
 * @typedef {object} Files
 * @property {Blob | null} boardFile
 * @property {Blob[]} checkpoints  older ones too: the board must go on from each
 * @property {Blob | null} declaration
 * @property {string | null} boardKey  64 hex digits
 */
/**
 * A board that is in step with its archive, and the declaration on it, if it was given.
 *
 * @typedef {object} Held
 * @property {Posted} posted
 * @property {string} root  over all its lines
 * @property {string[]} unchecked  who signed the newest checkpoint with keys that nobody gave
 * @property {Record<string, Json> | null} declaration
 */

const MAX_BOARD_BYTES = 200_000_000;
const MAX_DECLARATION_BYTES = 1_000_000;
const BOARD = /** @type {const} */ ({ file: "board" });
const CHECKPOINT = /** @type {const} */ ({ file: "checkpoint" });
const DECLARATION = /** @type {const} */ ({ file: "declaration" });

/**
 * Return what the files show; null without a board file.
 *
 * @param {Files} files
 * @param {Contents} contents
 * @param {string} uuid
 * @param {Map<string, bigint>} weights
 * @returns {Promise<Held | null>}
 */
export async function demandEvidence(files, contents, uuid, weights) {
  demandCompanions(files);
  if (files.boardFile === null) return null;
  const raw = await readWhole(files.boardFile, MAX_BOARD_BYTES, BOARD);
  const posted = readBoardFile(raw, uuid, contents, weights);
  const heads = await Promise.all(files.checkpoints.map((one) => readHead(one, files, uuid)));
  const root = demandHeads(heads, posted.lines);
  const declaration = files.declaration ? await demandPosted(files.declaration, posted) : null;
  const newest = heads.filter(({ size }) => size === posted.lines.length);
  const unchecked = [...new Set(newest.flatMap((head) => head.unchecked))].sort();
  return { posted, root, unchecked, declaration };
}

/**
 * Nobody shall think that a file or a key was used that wasn't.
 *
 * @param {Files} files
 */
export function demandCompanions({ boardFile, checkpoints, declaration, boardKey }) {
  const isWithout = boardFile === null && (checkpoints.length > 0 || declaration !== null);
  if (isWithout) throw new Unreadable("needs-board-file", BOARD);
  const isIdle = boardKey !== null && checkpoints.length === 0;
  if (isIdle) throw new Unreadable("needs-checkpoint", CHECKPOINT);
}

/**
 * @param {Blob} blob
 * @param {Files} files
 * @param {string} uuid
 */
async function readHead(blob, { boardKey }, uuid) {
  const raw = await readWhole(blob, MAX_NOTE_BYTES, CHECKPOINT);
  return blaming(CHECKPOINT, () => readCheckpoint(decode(raw), boardKey, uuid));
}

/**
 * Each is of the first lines, and the newest of all; return the root of all lines.
 *
 * @param {Head[]} heads
 * @param {Uint8Array[]} lines
 */
function demandHeads(heads, lines) {
  const tree = new MerkleRoot();
  const roots = new Map([[0, writeHex(tree.value())]]);
  const sizes = new Set(heads.map((head) => head.size).concat(lines.length));
  for (const line of lines) {
    tree.add(line);
    if (sizes.has(tree.size)) roots.set(tree.size, writeHex(tree.value()));
  }
  blaming(CHECKPOINT, () => {
    for (const { size, root } of heads) {
      demand(size <= lines.length, "checkpoint-ahead", `${size} entries of ${lines.length}`);
      demand(roots.get(size) === writeHex(root), "checkpoint-of-others", `of ${size} entries`);
    }
    const isWhole = heads.length === 0 || heads.some(({ size }) => size === lines.length);
    demand(isWhole, "checkpoint-behind", `of fewer than ${lines.length} entries`);
  });
  return roots.get(lines.length) ?? "";
}

/**
 * Return the fields of the declaration that the board has.
 *
 * @param {Blob} blob
 * @param {Posted} posted
 */
async function demandPosted(blob, posted) {
  const raw = await readWhole(blob, MAX_DECLARATION_BYTES, DECLARATION);
  return blaming(DECLARATION, () => {
    demand(sha256Hex(raw) === posted.declaration, "not-on-board");
    return readDeclaration(raw, posted.keys.elections);
  });
}
