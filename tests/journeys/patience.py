"""Waiting for a condition with a deadline, and officials who repeat what wasn't answered.

Promises that nothing here sleeps to get something done: every wait looks for its condition. A
deadline is long, since it ends a test that has failed already; it is never what a test measures.
"""

import asyncio
import inspect
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from cli.client import InternalApi, new_key
from cli.screen import CliError

T = TypeVar("T")
LONGEST_SECONDS = 60.0
LOOK_SECONDS = 0.05
_CUT_OFF = "The answer was cut off."
_PASSING = (_CUT_OFF, "did not answer", "nothing was changed", "The answer is no JSON")


class NeverHappened(AssertionError):
    """What was waited for didn't come."""


async def until(
    look: Callable[[], T | Awaitable[T]],
    is_so: Callable[[T], bool] = bool,
    *,
    what: str,
    seconds: float = LONGEST_SECONDS,
) -> T:
    """What `look` sees once it is so; raises NeverHappened with what was seen last."""
    deadline = time.monotonic() + seconds
    while True:
        seen: Any = look()
        if inspect.isawaitable(seen):
            seen = await seen
        if is_so(seen):
            return seen
        if time.monotonic() > deadline:
            raise NeverHappened(f"{what} didn't happen in {seconds:.0f} s; last seen: {seen!r}")
        await asyncio.sleep(LOOK_SECONDS)


def say(text: str) -> None:
    """Show a seed or a figure with the test's output, so that a failure can be run again."""
    sys.stdout.write(f"{text}\n")


class PatientApi(InternalApi):
    """An official who repeats a command, under the same key, until it is answered."""

    def post(
        self,
        path: str,
        json: object = None,
        content: bytes | None = None,
        idempotency_key: str | None = None,
        params: Any = None,
    ) -> Any:
        """As InternalApi.post, again and again while nobody answers."""
        key = idempotency_key or new_key()
        return _again(lambda: super(PatientApi, self).post(path, json, content, key, params))

    def get(self, path: str, params: Any = None) -> Any:
        """As InternalApi.get, again and again while nobody answers."""
        return _again(lambda: super(PatientApi, self).get(path, params))

    def stream(self, path: str, **arguments: Any) -> Iterator[Any]:
        """As InternalApi.stream; all lines of the first answer that came whole."""
        lines_of = super().stream

        def whole() -> list[Any]:
            lines = list(lines_of(path, **arguments))
            if not lines or not {"report", "end"} & set(lines[-1]):
                raise CliError(_CUT_OFF)  # the service died while it spoke
            return lines

        yield from _again(whole)


def _again(ask: Callable[[], T]) -> T:
    deadline = time.monotonic() + LONGEST_SECONDS
    while True:
        try:
            return ask()
        except CliError as error:
            if time.monotonic() > deadline or not is_passing(error):
                raise
        time.sleep(LOOK_SECONDS)


def is_passing(error: CliError) -> bool:
    """Whether a service was away rather than refusing: repeating the command is the answer."""
    return any(words in str(error) for words in _PASSING)
