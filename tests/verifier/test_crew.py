"""Work shared between processes: all of it, in order, or a refusal to judge."""

import os
import select
import signal
from pathlib import Path

import pytest
from castonce_verifier.crew import Crew
from castonce_verifier.faults import Unreadable

LONG_SECONDS = 30


def end_here(_: int) -> None:
    """What the system does to a process when memory is short."""
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_answers_come_in_order_however_many_share_the_work(size: int) -> None:
    """Also many times more pieces than are handed out at once."""
    for pieces in (range(0), range(-1, 0), range(-100, 0)):
        with Crew(size) as crew:
            assert list(crew.work(abs, pieces)) == [-piece for piece in pieces]


def test_a_process_that_is_killed_ends_the_work() -> None:
    """Nothing may be called right of which a part was never looked at."""
    with Crew(2) as crew, pytest.raises(Unreadable, match="was killed"):
        list(crew.work(end_here, range(50)))


def test_the_first_pieces_begin_before_anybody_asks_for_answers(tmp_path: Path) -> None:
    """Other processes work while this one reads what lies beside the archive."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with Crew(2) as crew:
        answers = crew.work(write_to, [pipe])
        readable, _, _ = select.select([reading], [], [], LONG_SECONDS)
        assert (bool(readable), list(answers)) == (True, [5])
    os.close(reading)


def write_to(pipe: Path) -> int:
    """Tell whoever reads the pipe."""
    return pipe.write_text("begun")
