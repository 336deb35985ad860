"""The board read back: each message one entry, in the only lawful order, the same bytes always."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ballots import archive, board_entries
from ballots.merkle import MerkleTree, verify_consistency, verify_inclusion
from ballots.signed_note import open_checkpoint
from services.board.domain import entries, frontier
from services.board.domain.entries import Board, NoPlace
from services.board.public import About, Notary, PublicBoard, Step
from shared.contracts.board import (
    ArchiveCompleted,
    BallotPosted,
    BallotsEnded,
    BoardKeys,
    CredentialsPosted,
    DeclarationPosted,
    DecryptionPosted,
    ResultPosted,
    SetupPosted,
    StatesPosted,
    TallyPosted,
)
from shared.contracts.message import Message
from shared.testing.board import Polls
from shared.testing.promises import promise
from tests.unit.board.conftest import STAMP_MS, Desk, read_back

POLLS = Polls("entries", voters=3)
NOTARY = Notary("castonce.test/board", "17" * 32)


@pytest.fixture(scope="module")
async def course() -> list[Message]:
    """What the board's topic holds of a whole election, without its declaration."""
    desk = Desk(POLLS)
    await desk.take(POLLS.created(), POLLS.list_fixed(), *POLLS.published(), POLLS.changed())
    await desk.take(*POLLS.all_accepted(), *POLLS.closing())
    return [emission.message for emission in desk.said]


def declaration() -> DeclarationPosted:
    """The declaration."""
    completed = ArchiveCompleted(
        election_id=POLLS.election_id,
        archive_sha256="ab" * 32,
        archive_bytes=1,
        entries=1,
        root="cd" * 32,
    )
    declared = POLLS.declared(completed).declaration
    return DeclarationPosted(election_id=POLLS.election_id, declaration=declared)


@promise("P3", "P9")
async def test_the_files_are_an_archive_and_a_board(course: list[Message]) -> None:
    """What the entries add up to is read strictly by those who read them later."""
    board, made = read_back([*course, declaration()])
    raw = b"".join(entry.archive for entry in made)
    lines = b"".join(entry.line + b"\n" for entry in made)
    read = archive.read(raw)
    assert read.election == POLLS.law.election.encode()
    folded = board_entries.read(lines, POLLS.election_id)
    assert (folded.size, folded.is_ended) == (len(made), True)
    assert list(folded.trackers) == [one.tracker for one in POLLS.all_accepted()]
    assert (board.archive.size, board.board_bytes) == (len(raw), len(lines))
    for entry in made:
        assert raw[entry.archive_start :].startswith(entry.archive)
        assert lines[entry.line_start :].startswith(entry.line + b"\n")
        assert hashlib.sha256(entry.archive).digest() == entry.archive_sha256
    tree = MerkleTree(entry.line for entry in made)
    assert frontier.root(board.peaks) == tree.root()


async def test_the_archive_has_the_stamp_of_its_setup(course: list[Message]) -> None:
    """Time in the archive is the broker's, in whole seconds, and the same in every replay."""
    _, made = read_back(course)
    assert b'"timestamp":"%d"' % (STAMP_MS // 1000) in made[0].archive[:1024]


async def board_before(course: list[Message], kind: type[Message]) -> Board:
    """The board before the first message of a type."""
    at = [type(message) for message in course].index(kind)
    return read_back(course[:at])[0]


LAST = {
    "a ballot behind the end": (TallyPosted, BallotPosted),
    "a second end": (TallyPosted, BallotsEnded),
    "a tally before the end": (BallotsEnded, TallyPosted),
    "a decryption before the tally": (TallyPosted, DecryptionPosted),
    "a result before the tally": (TallyPosted, ResultPosted),
    "an end before the last ballot": (BallotPosted, BallotsEnded),
    "a second tally": (DecryptionPosted, TallyPosted),
}


@pytest.mark.parametrize("name", LAST)
@promise("P3")
async def test_what_is_out_of_order_has_no_place(course: list[Message], name: str) -> None:
    """An entry that an election's order has no place for changes nothing."""
    before, kind = LAST[name]
    board = await board_before(course, before)
    [message] = [one for one in course if type(one) is kind][:1]
    with pytest.raises(NoPlace):
        entries.extended(board, message)  # type: ignore[arg-type]


async def test_nothing_follows_the_declaration(course: list[Message]) -> None:
    """The declaration is the last entry, and comes after the result only."""
    with pytest.raises(NoPlace, match="no_result"):
        entries.extended(read_back(course[:-1])[0], declaration())
    board, _ = read_back([*course, declaration()])
    for late in (declaration(), next(one for one in course if type(one) is StatesPosted)):
        with pytest.raises(NoPlace, match="already_declared"):
            entries.extended(board, late)


@promise("P9")
async def test_no_statement_follows_the_last_ballot(course: list[Message]) -> None:
    """Under our own signature neither: nor one that isn't in the list's order."""
    said = next(one for one in course if type(one) is StatesPosted)
    with pytest.raises(NoPlace, match="ballots_ended"):
        entries.extended(await board_before(course, TallyPosted), said)
    turned = msgspec.structs.replace(said, credentials=said.credentials[::-1])
    with pytest.raises(NoPlace, match="states_not_sorted"):
        entries.extended(await board_before(course, BallotPosted), turned)


async def test_a_ballot_under_another_tracker_has_no_place(course: list[Message]) -> None:
    """A tracker is the hash of the ballot beside it, or there is no entry."""
    board = await board_before(course, BallotPosted)
    [first, second] = [one for one in course if isinstance(one, BallotPosted)][:2]
    with pytest.raises(NoPlace, match="tracker_differs"):
        entries.extended(board, msgspec.structs.replace(first, tracker=second.tracker))


CHANGES: dict[str, Callable[[SetupPosted], SetupPosted]] = {
    "list_incomplete": lambda setup: msgspec.structs.replace(setup, credentials_size=9),
    "no_election": lambda setup: msgspec.structs.replace(setup, election="{}"),
    "wrong-election": lambda setup: msgspec.structs.replace(setup, election_id="78jtVeEwZkgRBC"),
}


@pytest.mark.parametrize("reason", CHANGES)
async def test_a_setup_must_be_whole(course: list[Message], reason: str) -> None:
    """A list that isn't all there, no election, another one's text: no board begins."""
    listed = [one.credentials for one in course if isinstance(one, CredentialsPosted)]
    setup = next(one for one in course if isinstance(one, SetupPosted))
    with pytest.raises(NoPlace, match=reason):
        entries.opened(CHANGES[reason](setup), STAMP_MS, listed)


def public(made: list[Any]) -> PublicBoard:
    """A board that shows these entries, one at a time."""
    keys = BoardKeys(codes="ab" * 32, elections="ab" * 32, votes="ab" * 32)
    about = About(POLLS.election_id, "Leader", "A" * 43, "ab" * 32, 8, keys, 1)
    board = PublicBoard(about, NOTARY)
    for entry in made:
        line_bytes = len(entry.line) + 1
        board.grow([Step(entry.kind, entry.leaf, len(entry.archive), line_bytes)])
    return board


@promise("P3")
async def test_every_head_is_signed_and_follows_from_the_one_before(
    course: list[Message],
) -> None:
    """Checkpoints open under the board's key alone, and proofs lead from one to the next."""
    _, made = read_back(course)
    key = bytes.fromhex(NOTARY.public_hex)
    heads = [
        open_checkpoint(public(made[:size]).head.checkpoint, key, POLLS.election_id)
        for size in range(1, len(made) + 1)
    ]
    whole = public(made)
    for old in heads:
        path = whole.tree.consistency_path(old.size)
        verify_consistency(old.root, old.size, heads[-1].root, len(made), path)
    for index, entry in enumerate(made):
        path = whole.tree.inclusion_path(index)
        verify_inclusion(heads[-1].root, index, len(made), entry.line, path)
    assert heads[-1].origin == f"castonce.test/board/{POLLS.election_id}"
    assert (whole.head.phase, whole.head.ballots) == ("decrypted", 3)


async def test_a_head_is_the_same_however_it_was_batched(course: list[Message]) -> None:
    """One batch or many: the same root, and the very same checkpoint."""
    _, made = read_back(course)
    singly, at_once = public(made), public([])
    at_once.grow([Step(e.kind, e.leaf, len(e.archive), len(e.line) + 1) for e in made])
    assert at_once.head == singly.head
