"""Work shared between processes, with the answers in the order of the questions.

Promises that at most a few pieces of work are held at a time, however many there are, and that a
process that is killed ends the work with an error rather than leaving it waiting.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from types import TracebackType
from typing import Final, Self, TypeVar

from castonce_verifier.faults import Unreadable

AHEAD: Final = 4

Work = TypeVar("Work")
Answer = TypeVar("Answer")


def cores() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Not on every system.
        return os.cpu_count() or 1


class Crew:
    """A number of processes; with one, this process does the work itself."""

    def __init__(self, size: int) -> None:
        """Start nothing yet: processes begin with the first piece of work."""
        self._size = size
        self._pool = ProcessPoolExecutor(size, initializer=_leave_interrupts) if size > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool:
            self._pool.shutdown(cancel_futures=True)

    def work(self, function: Callable[[Work], Answer], pieces: Iterable[Work]) -> Iterator[Answer]:
        """Return the answers in order; with several processes the first pieces begin at once."""
        if self._pool is None:
            return map(function, pieces)
        submit = self._pool.submit
        begun = (submit(function, piece) for piece in pieces)
        with _whole():
            ahead = deque(islice(begun, self._size * AHEAD))
        return self._answers(ahead, begun)

    def _answers(
        self, ahead: deque[Future[Answer]], begun: Iterator[Future[Answer]]
    ) -> Iterator[Answer]:
        with _whole():
            for future in begun:
                ahead.append(future)
                yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()


@contextmanager
def _whole() -> Iterator[None]:
    """Turn the end of a process into the end of the whole check."""
    try:
        yield
    except BrokenProcessPool as error:
        raise Unreadable("the check was cut short: a process of it was killed") from error


def _leave_interrupts() -> None:
    """Ctrl-C is for the process that a person started; it ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
