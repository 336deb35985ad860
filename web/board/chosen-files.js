/**
 * Which of a reader's files is which, by their names' ends.
 *
 * @module
 */

/** @typedef {{archive: Blob, boardFile: Blob | null, checkpoints: Blob[], declaration: Blob | null}} Chosen */

/**
 * Return the files by what they are; null without exactly one archive, or with a file of no known name.
 *
 * @param {File[]} files
 * @returns {Chosen | null}
 */
export function chosenFiles(files) {
  const ending = (/** @type {string} */ end) => files.filter((file) => file.name.endsWith(end));
  const [archives, boards] = [ending(".bel"), ending(".board")];
  const [checkpoints, declarations] = [ending(".checkpoint"), ending(".json")];
  const known = archives.length + boards.length + checkpoints.length + declarations.length;
  const [archive] = archives;
  const isEachOnce = archives.length === 1 && boards.length <= 1 && declarations.length <= 1;
  if (archive === undefined || !isEachOnce || known !== files.length) return null;
  return {
    archive,
    boardFile: boards[0] ?? null,
    checkpoints,
    declaration: declarations[0] ?? null,
  };
}
