"""Tells those who wait that something came back through the log.

Promises that nothing which arrives between looking and waiting is missed. What is waited for is
read from the tables: this only says when to look again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Arrivals:
    """One event per commit; whoever waits looks again."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def note(self) -> None:
        """Something was committed: wake everybody who waits."""
        arrived, self._event = self._event, asyncio.Event()
        arrived.set()

    async def next(self, within_seconds: float) -> None:
        """Return at the next commit, or when the time is over."""
        await _within(self._event, within_seconds)

    async def until(self, look: Callable[[], Awaitable[T | None]], seconds: float) -> T | None:
        """What `look` finds, looking again after each commit; None if it finds nothing in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            event = self._event
            if (found := await look()) is not None:
                return found
            if loop.time() >= deadline:
                return None
            await _within(event, deadline - loop.time())


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
