"""The two public files of an election: `UUID.bel`, the archive, and `UUID.board`, its lines.

Promises that a byte which is in a file is compared and never written again, that what is added is
on the disk before this returns, and that a difference stops everything with its place. Must never
make a file shorter. Blocking: call it in a thread.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, NamedTuple

from shared.errors import CastonceError, NotNow

_PIECE_BYTES = 1024 * 1024


def archive_path(folder: Path, election_id: str) -> Path:
    """Where an election's archive lies."""
    return folder / f"{election_id}.bel"


def lines_path(folder: Path, election_id: str) -> Path:
    """Where an election's board file lies."""
    return folder / f"{election_id}.board"


class FolderTaken(NotNow):
    """Another process writes the public files: this one waits until it has ended."""


def lock_folder(folder: Path) -> IO[str]:
    """The right to write in a folder, as long as what is returned is open.

    Raises FolderTaken while another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / ".lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise FolderTaken() from None
    return lock


class FileDiffers(CastonceError):
    """A public file isn't what the board's topic makes of it: the sentence says where."""

    code = "file_differs"


class Piece(NamedTuple):
    """Bytes of a file: where they begin, how many, their digest, and what they are if known."""

    start: int
    length: int
    digest: bytes
    content: bytes | None


class PublicFile:
    """One file that only grows."""

    def __init__(self, path: Path, digest_of: Callable[[bytes], bytes]) -> None:
        """`digest_of`: how the digests of this file's pieces are made."""
        self.path = path
        self._digest_of = digest_of
        self._hash = hashlib.sha256()
        self._held = 0

    def hold(self, pieces: list[Piece]) -> None:
        """Have these pieces in the file: appended where it ends, compared where it has them.

        Raises FileDiffers; OSError of the disk, after which the same pieces can be held again.
        """
        is_new = not self.path.exists()
        contents: list[bytes] = []
        with self.path.open("ab+") as stream:
            end = stream.seek(0, os.SEEK_END)
            for piece in pieces:
                contents.append(self._extend(stream.fileno(), piece, end))
                end = max(end, piece.start + piece.length)
            os.fsync(stream.fileno())
        if is_new:
            _sync_folder(self.path.parent)
        for piece, content in zip(pieces, contents, strict=True):
            if piece.start == self._held:
                self._hash.update(content)
                self._held += piece.length

    def sha256(self) -> str:
        """The hash of all pieces that were held, which is that of the file up to there."""
        return self._hash.hexdigest()

    def _extend(self, descriptor: int, piece: Piece, end: int) -> bytes:
        there = os.pread(descriptor, piece.length, piece.start)
        if len(there) == piece.length:
            self._require_same(piece, there)
            return there
        if piece.content is None or end < piece.start:
            raise FileDiffers(
                f"{self.path.name} ends at byte {end}, but has been written up to"
                f" {piece.start + piece.length}: put back a copy that is whole, or let the board"
                " build it anew from an empty database."
            )
        if piece.content[: len(there)] != there:
            raise self._difference(piece)
        _write(descriptor, piece.content[len(there) :])
        return piece.content

    def _require_same(self, piece: Piece, there: bytes) -> None:
        if self._digest_of(there) != piece.digest:
            raise self._difference(piece)

    def _difference(self, piece: Piece) -> FileDiffers:
        return FileDiffers(
            f"{self.path.name} has other bytes than the board's topic between {piece.start} and"
            f" {piece.start + piece.length}: keep it as evidence, and put a true copy in its place."
        )


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left[:_PIECE_BYTES]) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
