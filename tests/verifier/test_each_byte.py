"""Each byte of an archive, a board file, a checkpoint and a declaration, changed by itself.

Once by its last bit and once to another value by chance: the verifier must never end with status 0.
"""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from castonce_verifier.archive import Archive
from castonce_verifier.board import Board, read_board
from castonce_verifier.checkpoint import Signers
from castonce_verifier.election import Election, read_credentials, read_election
from castonce_verifier.evidence import Evidence, require_evidence
from castonce_verifier.faults import Refused, Unreadable

from tests.verifier.boards import BOARD_KEY, WITNESS_KEY, Shown, check, cosigned

WITNESSED = Signers(BOARD_KEY, (WITNESS_KEY,))


def changes(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Every place with the content as it is after a change of this one byte."""
    dice = random.Random(len(raw))
    for place, byte in enumerate(raw):
        for other in (byte ^ 1, byte ^ dice.randrange(2, 256)):
            yield place, raw[:place] + bytes([other]) + raw[place + 1 :]


@pytest.fixture(scope="module")
def witnessed(shown: Shown) -> Shown:
    """All that there is, and a witness' cosignature on the checkpoint."""
    return replace(shown, checkpoints=[cosigned(shown.checkpoints[0])], signers=WITNESSED)


def test_no_byte_of_an_archive_is_idle(witnessed: Shown) -> None:
    """Headers, names, contents, padding: the file itself shows it, before anything is read."""
    assert check(witnessed).result == [[2, 1]]
    for place, raw in changes(witnessed.archive):
        try:
            check(replace(witnessed, archive=raw))
        except (Refused, Unreadable):
            continue
        raise AssertionError(f"byte {place} of the archive can be changed")


@pytest.fixture(scope="module")
def opened(witnessed: Shown) -> tuple[Board, Election, dict[str, int]]:
    """The archive as it is read once, in front of the files beside it."""
    archive = Archive(witnessed.archive)
    board = read_board(archive)
    election = read_election(archive.content(board.election))
    return board, election, read_credentials(archive.content(board.credentials))


@pytest.mark.parametrize("name", ["board_file", "checkpoint", "declaration"])
def test_no_byte_beside_an_archive_is_idle(
    witnessed: Shown, opened: tuple[Board, Election, dict[str, int]], name: str
) -> None:
    """Each is refused before a single ballot is checked."""
    right = witnessed.evidence()
    assert require_evidence(right, *opened)
    for place, raw in changes(content_of(right, name)):
        try:
            require_evidence(with_content(right, name, raw), *opened)
        except (Refused, Unreadable):
            continue
        raise AssertionError(f"byte {place} of the {name} can be changed")


def content_of(evidence: Evidence, name: str) -> bytes:
    """The file of this name."""
    content = evidence.checkpoints[0] if name == "checkpoint" else getattr(evidence, name)
    assert isinstance(content, bytes)
    return content


def with_content(evidence: Evidence, name: str, raw: bytes) -> Evidence:
    """The same files with another one of this name."""
    if name == "checkpoint":
        return replace(evidence, checkpoints=[raw])
    return replace(evidence, **{name: raw})
