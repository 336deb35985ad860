"""The archives that the tests of the verifier start from."""

import lzma
from pathlib import Path

import pytest

from tests.verifier.boards import Shown, canvass, show
from tests.verifier.elections import Poll
from tests.verifier.forge import Record, unpack

VECTORS = Path(__file__).parents[1] / "vectors"


def vector(name: str) -> bytes:
    """A whole archive made by belenios-tool."""
    return lzma.decompress((VECTORS / name / "archive.bel.xz").read_bytes())


@pytest.fixture(scope="session")
def two_answers() -> bytes:
    """200 ballots, one question, two trustees."""
    return vector("two-answers")


@pytest.fixture(scope="session")
def mixed_questions() -> bytes:
    """Six ballots on four questions with blank votes; one of them sealed with no randomness."""
    return vector("mixed-questions")


@pytest.fixture(scope="session")
def committee() -> list[Record]:
    """The entries of an archive with weights, repeated votes, and two of three trustees."""
    return unpack(vector("committee"))


@pytest.fixture(scope="session")
def mixed(mixed_questions: bytes) -> list[Record]:
    """The entries of the archive with mixed questions."""
    return unpack(mixed_questions)


@pytest.fixture(scope="session")
def poll() -> Poll:
    """An election of ours with its secrets: three voters, three ballots, two trustees."""
    made = Poll("small")
    for voter, choices in enumerate(([1, 0], [0, 1], [1, 0])):
        made.cast(voter, choices)
    return made


@pytest.fixture(scope="session")
def small(poll: Poll) -> list[Record]:
    """The entries of that election's archive."""
    return poll.records()


@pytest.fixture(scope="session")
def canvassed() -> Poll:
    """An election of seven credentials, of which three voted; see `boards.said_of`."""
    return canvass("canvass")


@pytest.fixture(scope="session")
def shown(canvassed: Poll) -> Shown:
    """Its archive with all that lies beside it, and right."""
    return show(canvassed)
