"""Gives ballots to Kafka, and knows when it had better not.

Promises that "try again" is only said of a ballot that was never handed to the producer (P4): while
the broker confirms nothing, new ballots are refused at the door. A ballot that was handed over is
"not known yet", whatever becomes of the connection. A client that failed is made anew (P15), and
nothing is given to it any more: aiokafka fails every later record once it failed one.
"""

import asyncio
import time
from collections import deque
from typing import Any

from services.gateway.errors import Away
from shared.contracts.gateway import BallotSubmitted
from shared.contracts.message import encode, headers
from shared.contracts.topics import RIGHTS, partition_of_right
from shared.kafka.errors import NotPublished
from shared.kafka.lanes import Lanes
from shared.kafka.producer import Producer, forget
from shared.logs import get_logger
from shared.service import AWAY

SILENT_SECONDS = 3.0
"""Without a confirmation for so long no further ballot is taken."""
STUCK_SECONDS = 20.0
"""Without one for so long the client is made anew; what it held is "not known yet" for good."""

log = get_logger()


class Handover:
    """One producer, and what it hasn't confirmed yet."""

    def __init__(self, producer: Producer | Lanes) -> None:
        self._producer = producer
        self._unconfirmed: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._clients = 0
        """How many clients there were before this one."""
        self._is_silent = False
        self._has_failed = False
        """The client took a ballot and failed it, or didn't take one: it is to be replaced."""
        self._is_cut = False
        """The client is ended, and no other one has found the broker yet."""

    async def give(self, tracker: str, message: BallotSubmitted) -> None:
        """Hand a ballot over; raises Away if it was not handed over."""
        if self._is_silent:
            raise Away()
        right_id, client = message.right_id, self._clients
        try:
            future = await self._producer.enqueue(
                RIGHTS.name,
                encode(message),
                right_id.encode(),
                partition_of_right(right_id),
                headers(message, tracker, "gateway"),
            )
        except NotPublished as error:
            self._refused_by(client)
            raise Away() from error
        if client == self._clients:
            self._unconfirmed.append((time.monotonic(), future))
        else:
            forget([future])

    async def watch(self) -> None:
        """Look every half second whether the broker still confirms."""
        while True:
            await asyncio.sleep(0.5)
            await self.look(time.monotonic())

    async def look(self, now: float) -> None:
        """Forget what is confirmed; shut or open the door; replace a client that is of no use."""
        age = self._longest_wait(now)
        if self._has_failed or age > STUCK_SECONDS:
            await self._cut_off()
        if self._is_cut:
            await self._reconnect()
        self._show(self._is_cut or self._has_failed or age > SILENT_SECONDS)

    async def stop(self) -> None:
        """End the client; what it didn't confirm is "not known yet"."""
        self._show(True)
        await self._end_client()

    def status(self) -> str | None:
        """None while ballots are taken, else why not."""
        return "Kafka confirms nothing" if self._is_silent else None

    def _longest_wait(self, now: float) -> float:
        """The age of the oldest ballot that is neither confirmed nor failed; notes failures."""
        waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        for given in self._unconfirmed:
            future = given[1]
            if not future.done():
                waiting.append(given)
            elif future.cancelled() or future.exception() is not None:
                self._has_failed = True  # its voter was told "not known yet"
        self._unconfirmed = waiting
        return now - waiting[0][0] if waiting else 0.0

    def _refused_by(self, client: int) -> None:
        # One that is replaced already says nothing about the one that took its place.
        if client == self._clients:
            self._has_failed = True
            self._show(True)

    async def _cut_off(self) -> None:
        log.warning("producer_replaced", unconfirmed=len(self._unconfirmed))
        self._show(True)  # first of all: nothing more goes to a client that is ended
        self._is_cut, self._has_failed = True, False
        await self._end_client()

    async def _end_client(self) -> None:
        self._clients += 1
        left, self._unconfirmed = self._unconfirmed, deque()
        forget(future for _, future in left)
        await self._producer.stop()

    async def _reconnect(self) -> None:
        """The door stays shut until a new client has found the broker."""
        try:
            await self._producer.start()
        except AWAY as error:
            log.info("kafka_is_away", reason=type(error).__name__)
        else:
            self._is_cut = False

    def _show(self, is_silent: bool) -> None:
        if is_silent and not self._is_silent:
            log.warning("ballots_refused", reason="kafka confirms nothing")
        elif self._is_silent and not is_silent:
            log.info("ballots_taken_again")
        self._is_silent = is_silent
