"""Tells clerks' requests that wait for a decision when to look again.

Promises that nothing which arrives between looking and waiting is missed. What is waited for is
read from the tables: this only says when.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class Arrivals:
    """One event per commit of decisions; whoever waits looks again."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def note(self) -> None:
        """Something was committed: wake everybody who waits."""
        arrived, self._event = self._event, asyncio.Event()
        arrived.set()

    async def until(
        self, look: Callable[[], Awaitable[T]], is_enough: Callable[[T], bool], seconds: float
    ) -> T:
        """What `look` found when it was enough, or when the time was over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            event = self._event
            found = await look()
            remaining = deadline - loop.time()
            if is_enough(found) or remaining <= 0:
                return found
            try:
                async with asyncio.timeout(remaining):
                    await event.wait()
            except TimeoutError:
                return await look()
