/**
 * Bytes that are read piece by piece: a file of the reader's own, or a download.
 *
 * Promises never to hold more of a file than the piece asked for, and that no download grows beyond
 * the size it may have. A Blob may lie on the disk; that is the browser's affair.
 *
 * @module
 */

import { Unreadable } from "./faults.js";

/** @typedef {import("./faults.js").Place} Place */
/** @typedef {{done: number, of: number | null}} Portion */

const PIECE_BYTES = 4_000_000;

/** A Blob with the last piece read at hand: entries are small, and each `slice` is a round trip. */
export class Source {
  /** @param {Blob} blob */
  constructor(blob) {
    this._blob = blob;
    this._start = 0;
    this._piece = new Uint8Array();
  }

  /** How many bytes there are. */
  get size() {
    return this._blob.size;
  }

  /**
   * Return bytes from `start` on, fewer than `length` only at the end. Don't keep them: they may be
   * part of a larger piece.
   *
   * @param {number} start
   * @param {number} length
   * @returns {Promise<Uint8Array>}
   */
  async read(start, length) {
    const isAtHand = this._start <= start && start + length <= this._start + this._piece.length;
    if (!isAtHand) {
      const end = Math.min(start + Math.max(length, PIECE_BYTES), this.size);
      this._piece = await bytesOf(this._blob.slice(start, end));
      this._start = start;
    }
    const from = start - this._start;
    return this._piece.subarray(from, from + length);
  }

  /**
   * Return a copy of some bytes.
   *
   * @param {number} start
   * @param {number} length
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async copy(start, length) {
    return new Uint8Array(await this.read(start, length));
  }
}

/**
 * Return the whole content of a file; throws Unreadable if it is larger than it can be.
 *
 * @param {Blob} blob
 * @param {number} mostBytes
 * @param {Place} place
 */
export async function readWhole(blob, mostBytes, place) {
  if (blob.size > mostBytes) throw new Unreadable("too-large", place);
  return bytesOf(blob);
}

/**
 * Return what an address has, piece by piece, so that it needn't all be in memory.
 *
 * @param {string} url  of the page's own origin
 * @param {{mostBytes: number, place: Place, tell: (portion: Portion) => void, signal?: AbortSignal}} how
 * @returns {Promise<Blob>}
 */
export async function download(url, { mostBytes, place, tell, signal }) {
  const response = await fetchFile(url, place, signal);
  // Of a compressed response the length would be another one than what comes out.
  const isPlain = !response.headers.get("content-encoding");
  const said = isPlain ? Number(response.headers.get("content-length")) : 0;
  const of = said > 0 ? said : null;
  /** @type {Blob[]} */
  const pieces = [];
  let done = 0;
  for await (const chunk of chunksOf(response)) {
    done += chunk.length;
    if (done > mostBytes) throw new Unreadable("too-large", place);
    pieces.push(new Blob([chunk]));
    tell({ done, of });
  }
  if (of !== null && done !== of) throw new Unreadable("cut", place);
  return new Blob(pieces);
}

/**
 * @param {string} url
 * @param {Place} place
 * @param {AbortSignal | undefined} signal
 */
async function fetchFile(url, place, signal) {
  const options = { credentials: /** @type {const} */ ("omit"), signal: signal ?? null };
  let response;
  try {
    response = await fetch(url, options);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreadable("no-connection", place);
  }
  if (!response.ok) throw new Unreadable(response.status === 404 ? "not-there" : "busy", place);
  return response;
}

/**
 * @param {Response} response
 * @returns {AsyncGenerator<Uint8Array<ArrayBuffer>>}
 */
async function* chunksOf(response) {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

/** @param {Blob} blob */
async function bytesOf(blob) {
  return new Uint8Array(await blob.arrayBuffer());
}
