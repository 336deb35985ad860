"""Watching a board of the test's own: what the tests of `castonce witness` share."""

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

from tests.unit.cli.board_double import UUID, BoardDouble

Command = Callable[..., Result]
ALARMED = 3


def a_board(*numbers: int) -> BoardDouble:
    """A board with a setup and these ballots; two with the same numbers are the same."""
    made = BoardDouble()
    made.setup()
    made.cast(*numbers)
    return made


def words_of(done: Result) -> str:
    """What was shown, in one line."""
    return " ".join((done.stdout + done.stderr).split())


def alarm_of(state: Path) -> str:
    """The one alarm's text."""
    [path] = (state / UUID).glob("ALARM-*.txt")
    return path.read_text()
