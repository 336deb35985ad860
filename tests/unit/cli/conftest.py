"""A witness, its folder, and a board that it watches; other tests here make boards of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli import witness, witness_key
from tests.unit.cli import board_double as double
from tests.unit.cli.board_double import BOARD_KEY, BoardDouble
from tests.unit.cli.watching import Command, a_board


@pytest.fixture
def board() -> Iterator[BoardDouble]:
    """A served board with three entries."""
    with double.serving(a_board(0, 1)) as served:
        yield served


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A witness' key file."""
    path = tmp_path / "witness.key"
    witness_key.make(path, "example.org/witness")
    return path


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The witness' folder."""
    return tmp_path / "state"


@pytest.fixture
def look(key: Path, state: Path) -> Command:
    """`castonce witness URL... --once`, in which the word `follow` is left away."""

    def run(*urls: str, board_key: str = BOARD_KEY) -> Result:
        given = ["--state", str(state), "--key", str(key), "--board-key", board_key, "--once"]
        return CliRunner().invoke(witness.app, [*urls, *given])

    return run
