"""The board as its own topic tells it: each message becomes one entry, or has no place.

Promises that the entries, and every byte of both files, follow from the messages in their order
alone. Must never know what a ballot or a result says, nor let one stand where the order of an
election has no place for it. Trusts its own signature on the messages, and nothing else.
"""

import hashlib
from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec
from msgspec import Struct

from ballots import archive, ballot, board_entries, credentials, election, merkle
from ballots.archive import ArchiveWriter
from ballots.errors import BallotError
from services.board.domain import frontier, states
from shared.contracts.board import (
    BallotPosted,
    BallotsEnded,
    DeclarationPosted,
    DecryptionPosted,
    ResultPosted,
    SetupPosted,
    StatesPosted,
    TallyPosted,
)

EntryKind = Literal[
    "setup", "ballot", "states", "end", "tally", "decryption", "result", "declaration"
]
Posted = (
    BallotPosted
    | BallotsEnded
    | DeclarationPosted
    | DecryptionPosted
    | ResultPosted
    | StatesPosted
    | TallyPosted
)


class NoPlace(Exception):
    """The message can't become an entry here; `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Board(Struct, frozen=True, kw_only=True):
    """How far a board reaches: its archive's writer, its file, and the edge of its tree."""

    election_id: str
    title: str
    fingerprint: str
    credentials_root: str
    credentials_size: int
    keys: board_entries.Keys
    archive: archive.State
    board_bytes: int = 0
    entries: int = 0
    ballots: int = 0
    peaks: bytes = b""
    is_declared: bool = False


class Entry(NamedTuple):
    """One entry: the line (without newline) and what it adds to the archive, and where both go."""

    election_id: str
    number: int
    kind: EntryKind
    tracker: str | None
    line: bytes
    line_start: int
    archive: bytes
    archive_start: int

    @property
    def leaf(self) -> bytes:
        """The hash of the line as a leaf of the tree."""
        return merkle.leaf_hash(self.line)

    @property
    def archive_sha256(self) -> bytes:
        """The hash of what the entry adds to the archive."""
        return hashlib.sha256(self.archive).digest()


class _Made(NamedTuple):
    kind: EntryKind
    line: board_entries.Entry
    archive: bytes = b""
    tracker: str | None = None


class _Named(Struct):
    name: str


def opened(
    message: SetupPosted, stamp_ms: int, listed: Sequence[Sequence[str]]
) -> tuple[Board, Entry]:
    """The board of an election with its first entry; raises NoPlace.

    `listed` are the parts of the list in order; the archive's time is the message's broker stamp.
    """
    public = [credential for part in listed for credential in part]
    if len(public) != message.credentials_size:
        raise NoPlace("list_incomplete")
    raw = message.election.encode()
    board = Board(
        election_id=message.election_id,
        title=_title(raw),
        fingerprint=election.fingerprint(raw),
        credentials_root=message.credentials_root,
        credentials_size=message.credentials_size,
        keys=board_entries.Keys(message.keys.codes, message.keys.elections, message.keys.votes),
        archive=archive.State(uuid=message.election_id),
    )
    writer = ArchiveWriter(board.archive)
    try:
        begun = writer.begin(stamp_ms // 1000)
        added = writer.setup(raw, message.trustees.encode(), credentials.encode_list(public))
    except BallotError as error:
        raise NoPlace(error.code) from error
    line = board_entries.SetupEntry(
        added.event, message.credentials_root, message.credentials_size, board.keys
    )
    return _with(board, writer.state, _Made("setup", line, begun.raw + added.raw))


def extended(board: Board, message: Posted) -> tuple[Board, Entry]:
    """The board with one more entry; raises NoPlace."""
    if board.is_declared:
        raise NoPlace("already_declared")
    writer = ArchiveWriter(board.archive)
    try:
        made = _made(board, writer, message)
    except BallotError as error:
        raise NoPlace(error.code) from error
    return _with(board, writer.state, made)


def _made(board: Board, writer: ArchiveWriter, message: Posted) -> _Made:
    match message:
        case BallotPosted():
            return _ballot(writer, message)
        case StatesPosted():
            _require(board.archive.stage == "open", "ballots_ended")
            _require(states.is_sorted(message.credentials), "states_not_sorted")
            entry = board_entries.StatesEntry(message.state, message.credentials, message.signature)
            return _Made("states", entry)
        case BallotsEnded():
            _require(message.ballots == board.ballots, "ballots_missing")
            added = writer.end_ballots()
            return _Made("end", board_entries.EndEntry(added.event), added.raw)
        case TallyPosted():
            _require(message.ballots == board.ballots, "ballots_missing")
            content = message.encrypted_tally.encode()
            added = writer.tally(content, message.ballots, message.ballots)
            return _Made("tally", board_entries.TallyEntry(added.event), added.raw)
        case DecryptionPosted():
            added = writer.partial_decryption(message.owner, message.partial_decryption.encode())
            return _Made("decryption", board_entries.DecryptionEntry(added.event), added.raw)
        case ResultPosted():
            added = writer.result(message.result.encode())
            return _Made("result", board_entries.ResultEntry(added.event), added.raw)
        case DeclarationPosted():
            _require(board.archive.stage == "done", "no_result")
            digest = hashlib.sha256(message.declaration.encode()).hexdigest()
            return _Made("declaration", board_entries.DeclarationEntry(digest))


def _ballot(writer: ArchiveWriter, message: BallotPosted) -> _Made:
    raw = bytes(message.ballot)
    _require(ballot.tracker(raw) == message.tracker, "tracker_differs")
    added = writer.ballot(raw)
    return _Made("ballot", board_entries.BallotEntry(message.tracker), added.raw, message.tracker)


def _with(board: Board, state: archive.State, made: _Made) -> tuple[Board, Entry]:
    line = board_entries.encode(made.line)
    entry = Entry(
        board.election_id,
        board.entries,
        made.kind,
        made.tracker,
        line,
        board.board_bytes,
        made.archive,
        board.archive.size,
    )
    after = msgspec.structs.replace(
        board,
        archive=state,
        board_bytes=board.board_bytes + len(line) + 1,
        entries=board.entries + 1,
        ballots=board.ballots + (made.kind == "ballot"),
        peaks=frontier.grown(board.peaks, board.entries, [entry.leaf]),
        is_declared=made.kind == "declaration",
    )
    return after, entry


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise NoPlace(reason)


def _title(raw: bytes) -> str:
    try:
        return msgspec.json.decode(raw, type=_Named).name
    except msgspec.MsgspecError:
        raise NoPlace("no_election") from None
