"""A copy of the board on this machine: its files, and whether they are one and the same board.

Promises that an opened copy is the signed head's own: its lines have the head's root, its archive
the ballots and events of the lines, and its list of credentials the root in the setup. Must never
say that a ballot's or a decryption's proof holds: that is for `castonce-verify`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from ballots import archive, ballot, board_entries, credentials, election, merkle, signed_note
from ballots.archive import Archive
from ballots.board_entries import Board
from ballots.election import Election
from ballots.errors import BallotError, NoteRefused
from ballots.signed_note import Checkpoint
from cli.board_client import BoardClient, setup_entry
from cli.screen import CliError

_HEX_KEY: Final = re.compile(r"[0-9a-f]{64}")
EVIDENCE: Final = "Keep the files: they are evidence. Tell the scrutineers."
_FETCH: Final = "Fetch the files with `castonce board fetch`."


@dataclass(frozen=True)
class Paths:
    """The files of one election's board in a folder."""

    archive: Path
    board: Path
    checkpoint: Path

    @classmethod
    def within(cls, folder: Path, election_id: str) -> Paths:
        """The paths as `castonce board fetch` writes them."""
        files = ("bel", "board", "checkpoint")
        return cls(*(folder / f"{election_id}.{ending}" for ending in files))

    @property
    def declaration(self) -> Path:
        """Beside the archive, once there is one."""
        return self.archive.with_suffix(".declaration.json")


@dataclass(frozen=True)
class Copy:
    """An opened copy; `archive` reads its ballots from a file that must stay open."""

    election: Election
    archive: Archive
    board: Board
    checkpoint: Checkpoint
    credentials: list[str]


def key_from(text: str) -> bytes:
    """The public key in 64 hex digits, or in a file that holds them; raises CliError."""
    try:
        found = text if _HEX_KEY.fullmatch(text) else Path(text).read_text("ascii").strip()
    except (OSError, ValueError):
        found = ""
    if _HEX_KEY.fullmatch(found) is None:
        raise CliError(
            f"{text!r} is no public key.", "Give its 64 hexadecimal digits, or a file with them."
        )
    return bytes.fromhex(found)


def opened_head(raw: bytes, election_id: str, board_key: bytes | None) -> Checkpoint:
    """The head in a signed note of this election; without a key its signature isn't looked at."""
    try:
        if board_key is not None:
            return signed_note.open_checkpoint(raw, board_key, election_id)
        head = signed_note.parse_checkpoint(signed_note.parse(raw).text)
        if not head.origin.endswith(f"/{election_id}"):
            raise NoteRefused("the checkpoint is that of another election's board")
        return head
    except BallotError as refusal:
        raise CliError(f"The checkpoint is refused: {refusal}.", EVIDENCE) from None


@contextmanager
def opened(
    paths: Paths,
    board_key: bytes | None,
    progress: Callable[[int], object] = lambda _: None,
) -> Iterator[Copy]:
    """The copy, checked to be one board; raises CliError that says which parts differ."""
    try:
        with paths.archive.open("rb") as source, paths.board.open("rb") as lines:
            read = archive.read(source, progress)
            parsed = election.parse(read.election)
            head = opened_head(paths.checkpoint.read_bytes(), parsed.uuid, board_key)
            listed = msgspec.json.decode(read.credentials, type=list[str])
            board, tree = folded(lines, parsed.uuid, frozenset(listed))
            require_head(tree, head)
            _require_same(board, read, listed)
            yield Copy(parsed, read, board, head, listed)
    except OSError as error:
        raise CliError(f"{error.filename} can't be read ({error.strerror}).", _FETCH) from None
    except (BallotError, msgspec.DecodeError) as refusal:
        raise CliError(f"The copy is refused: {refusal}.", EVIDENCE) from None


def folded(
    lines: BinaryIO, election_id: str, listed: Container[str] | None = None
) -> tuple[Board, merkle.MerkleTree]:
    """The fold of a board file, and the tree over its lines; raises BallotError.

    With `listed`, the public credentials, statements about others are refused too.
    """
    board, tree = Board(election_id, listed=listed), merkle.MerkleTree()
    for line in board_entries.lines(lines):
        board.add(line)
        tree.append(line)
    return board, tree


def require_head(tree: merkle.MerkleTree, head: Checkpoint) -> None:
    """Raise CliError unless the tree is the head's, leaf for leaf."""
    if tree.size != head.size:
        raise CliError(
            f"The board file has {tree.size} lines, the checkpoint is of {head.size}.", _FETCH
        )
    if tree.root() != head.root:
        raise CliError("The board file isn't what the checkpoint was signed over.", EVIDENCE)


def proven_setup(
    client: BoardClient, election_id: str, head: Checkpoint
) -> board_entries.SetupEntry:
    """The setup of a board that is elsewhere, proven to be the head's first entry."""
    line = client.first_line(election_id)
    first = merkle.leaf_hash(line)
    try:
        path = client.consistency(election_id, 1, head.size) if head.size > 1 else []
        merkle.verify_consistency(first, 1, head.root, head.size, path)
        return setup_entry(line)
    except BallotError as refusal:
        raise CliError(f"The board's setup isn't under its head: {refusal}.", EVIDENCE) from None


def _require_same(board: Board, read: Archive, listed: list[str]) -> None:
    """Raise CliError where archive and board file tell different stories."""
    setup = board.setup
    if setup is None or setup.event != read.setup_event:
        raise CliError("Archive and board file are of two different setups.", EVIDENCE)
    if list(board.trackers) != [ballot.tracker(raw) for raw in read.ballots()]:
        raise CliError("Archive and board file don't hold the same ballots in order.", EVIDENCE)
    if board.events != _events(read):
        raise CliError("Archive and board file don't tell the same events.", EVIDENCE)
    if credentials.sort_public(listed) != listed or (
        (credentials.merkle_root(listed), len(listed))
        != (setup.credentials_root, setup.credentials_size)
    ):
        raise CliError("The archive's credentials aren't those of the setup.", EVIDENCE)


def _events(read: Archive) -> list[tuple[str, str]]:
    events = [("end", read.end_event), ("tally", read.tally_event)]
    events += [("decryption", partial.event) for partial in read.partials]
    events.append(("result", read.result_event))
    return [(kind, event) for kind, event in events if event]
