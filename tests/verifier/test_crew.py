"""Work shared between processes: all of it, in order, or a refusal to judge."""

import os
import signal

import pytest
from castonce_verifier.crew import Crew
from castonce_verifier.faults import Unreadable


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
