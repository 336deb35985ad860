"""Who waits for the outcome of which ballot: one dict of futures, and one sweep for their patience.

Promises that every waiter gets the outcome when it comes, or None when its patience is over, and
that two who wait for the same ballot share one future. Must never hold a ballot.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from services.gateway.domain.outcomes import Outcome, Outcomes
from services.gateway.metrics import WAITING

PATIENCE_SECONDS = 8.0
"""Then the answer is 202: the ballot was handed over, its outcome isn't known yet."""
SWEEP_SECONDS = 0.25

Future = asyncio.Future[Outcome | None]


class Waiting:
    """The ballots in the air."""

    def __init__(
        self,
        outcomes: Outcomes,
        on_silence: Callable[[], None],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """`on_silence` is called when the patience for handed-over ballots ended."""
        self._outcomes = outcomes
        self._on_silence = on_silence
        self._patience_seconds = patience_seconds
        self._futures: dict[str, Future] = {}
        self._deadlines: deque[tuple[float, str, Future]] = deque()

    def begin(self, tracker: str) -> tuple[Future, bool]:
        """The future of this ballot's outcome, and whether nobody waited for it before."""
        future = self._futures.get(tracker)
        if future is not None:
            return future, False
        loop = asyncio.get_running_loop()
        future = self._futures[tracker] = loop.create_future()
        self._deadlines.append((loop.time() + self._patience_seconds, tracker, future))
        return future, True

    def is_waited_for(self, tracker: str) -> bool:
        """Whether this ballot is in the air."""
        return tracker in self._futures

    def arrived(self, tracker: str, outcome: Outcome) -> None:
        """An outcome was seen: remember it, and wake whoever waits for it."""
        stands = self._outcomes.keep(tracker, outcome)
        future = self._futures.pop(tracker, None)
        if future is not None and not future.done():
            future.set_result(stands)

    def give_up(self, tracker: str) -> None:
        """The ballot was not handed over after all: whoever else waits for it learns nothing."""
        future = self._futures.pop(tracker, None)
        if future is not None and not future.done():
            future.set_result(None)

    def sweep(self, now: float) -> None:
        """End the patience of those who waited long enough."""
        deadlines, is_silent = self._deadlines, False
        while deadlines and (deadlines[0][0] <= now or deadlines[0][2].done()):
            _, tracker, future = deadlines.popleft()
            if not future.done():
                future.set_result(None)
                is_silent = True
            if self._futures.get(tracker) is future:
                del self._futures[tracker]
        WAITING.set(len(self._futures))
        if is_silent:
            self._on_silence()

    async def watch(self) -> None:
        """Sweep for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            self.sweep(loop.time())
