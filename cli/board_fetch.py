"""Brings a copy of a board up to date, and keeps what proves that a board took something back.

Promises that a new head takes an old one's place only if the copied lines show that it adds to it.
Otherwise the copy stays as it was, and the new head is kept beside it: two signed heads that can't
both be true. Must never cut off what a head in hand covers, nor delete before a replacement is
there.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO, NamedTuple, NoReturn

from ballots import archive_blocks, archive_records, board_entries, merkle
from ballots.board_entries import Board
from ballots.errors import BallotError
from ballots.signed_note import Checkpoint
from cli import board_copy
from cli.board_client import BoardClient
from cli.board_copy import EVIDENCE, Paths
from cli.screen import CliError, progress_bar, show_warning


class Signed(NamedTuple):
    """A head as the board signed it, and what it says."""

    raw: bytes
    head: Checkpoint


def fetch(client: BoardClient, election_id: str, paths: Paths, key: bytes | None) -> None:
    """Bring all files to the state of one signed head, and keep that head last.

    Raises CliError; for a head that takes something back, after it was kept beside the copy.
    """
    raw = client.checkpoint(election_id)
    head = board_copy.opened_head(raw, election_id, key)
    kept = _kept_head(paths, election_id, key)
    if kept is not None and head.size < kept.size:
        _conflict(paths, Signed(raw, head), f"is of {head.size} entries, and was of {kept.size}")
    with progress_bar("Board") as bar:
        had = paths.board.stat().st_size if paths.board.exists() else 0
        client.download(election_id, "board", paths.board, lambda *n: bar.show("Board", *n))
        try:
            board, tree = _folded(paths, election_id, head)
            _require_growth(tree, kept, Signed(raw, head), paths)
        except CliError:
            if kept is not None:
                _cut_back(paths.board, had)
            raise
        client.download(election_id, "archive", paths.archive, lambda *n: bar.show("Archive", *n))
        _cut_archive(paths.archive, board)
    _fetch_declaration(client, election_id, paths, board)
    _replace(paths.checkpoint, raw)


def _kept_head(paths: Paths, election_id: str, key: bytes | None) -> Checkpoint | None:
    """The head of the copy that is there, if any; raises CliError for one that isn't signed."""
    if not paths.checkpoint.exists():
        return None
    return board_copy.opened_head(paths.checkpoint.read_bytes(), election_id, key)


def _require_growth(
    tree: merkle.MerkleTree, kept: Checkpoint | None, shown: Signed, paths: Paths
) -> None:
    """Raise CliError unless the copied lines are the new head's, and begin with the kept one's."""
    is_kept, is_shown = kept is None or _is_of(tree, kept), _is_of(tree, shown.head)
    if is_kept and is_shown:
        return
    if is_kept or is_shown:
        if kept is None or tree.size < shown.head.size:
            board_copy.require_head(tree, shown.head)
        _conflict(paths, shown, "doesn't add to the one of your copy")
    raise CliError(
        "The copied board file isn't what its own checkpoint was signed over.",
        "It was changed here, or was cut off. Keep it, and fetch into another folder.",
    )


def _is_of(tree: merkle.MerkleTree, head: Checkpoint) -> bool:
    return tree.size >= head.size and tree.root(head.size) == head.root


def _conflict(paths: Paths, shown: Signed, why: str) -> NoReturn:
    head = shown.head
    name = f"{paths.checkpoint.name}.conflict-{head.size}-{head.root.hex()[:12]}"
    kept = paths.checkpoint.with_name(name)
    _replace(kept, shown.raw)
    raise CliError(
        f"A board must only grow, and this one's head {why}: your copy was left as it is.",
        f"{EVIDENCE} The new head is in {kept}, the one of your copy in {paths.checkpoint}.",
    )


def _fetch_declaration(client: BoardClient, election_id: str, paths: Paths, board: Board) -> None:
    if not board.declaration_sha256:
        if paths.declaration.exists():
            show_warning(f"{paths.declaration} isn't of this board: it has no declaration yet.")
        return
    raw = client.declaration(election_id)
    if hashlib.sha256(raw).hexdigest() != board.declaration_sha256:
        raise CliError("The declaration isn't the one on the board.", EVIDENCE)
    _replace(paths.declaration, raw)


def _folded(paths: Paths, election_id: str, head: Checkpoint) -> tuple[Board, merkle.MerkleTree]:
    """The lines up to the head; those after it are left off, and fetched again with a later one."""
    with paths.board.open("r+b") as stream:
        _cut_after_line(stream, head.size)
        stream.seek(0)
        try:
            return board_copy.folded(stream, election_id)
        except BallotError as refusal:
            raise CliError(f"The board is refused: {refusal}.", EVIDENCE) from None


def _cut_after_line(stream: BinaryIO, count: int) -> None:
    for _ in range(count):
        if not stream.readline(board_entries.MAX_LINE_BYTES + 1):
            return
    stream.truncate()


def _cut_back(path: Path, size: int) -> None:
    """Put a copy back to what it was before lines came that are no part of it."""
    with path.open("r+b") as stream:
        stream.truncate(min(size, path.stat().st_size))


def _cut_archive(path: Path, board: Board) -> None:
    """Leave off what was archived after the head, so that archive and lines are one story."""
    left = 1 + len(board.trackers) + len(board.events)
    with path.open("r+b") as stream:
        try:
            for block in archive_blocks.read(stream, None):
                left -= block.name.endswith(archive_records.EVENT_SUFFIX)
                if left == 0:
                    stream.truncate()
                    return
        except BallotError as refusal:
            raise CliError(f"The archive is refused: {refusal}.", EVIDENCE) from None
    raise CliError("The archive is behind the board's head.", "Repeat the command in a moment.")


def _replace(path: Path, content: bytes) -> None:
    """A file's new content, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
