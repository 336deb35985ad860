"""Gives ballots to Kafka, and knows when it had better not.

Promises that "try again" is only said of a ballot that was never handed to the producer (P4): while
the broker confirms nothing, new ballots are refused at the door. A ballot that was handed over is
"not known yet", whatever becomes of the connection.
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
from shared.kafka.producer import Producer
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
        self._is_silent = False
        self._is_cut = False

    async def give(self, tracker: str, message: BallotSubmitted) -> None:
        """Hand a ballot over; raises Away if it was not handed over."""
        if self._is_silent:
            raise Away()
        right_id = message.right_id
        try:
            future = await self._producer.enqueue(
                RIGHTS.name,
                encode(message),
                right_id.encode(),
                partition_of_right(right_id),
                headers(message, tracker, "gateway"),
            )
        except NotPublished as error:
            raise Away() from error
        self._unconfirmed.append((time.monotonic(), future))

    async def watch(self) -> None:
        """Look every half second whether the broker still confirms."""
        while True:
            await asyncio.sleep(0.5)
            await self.look(time.monotonic())

    async def look(self, now: float) -> None:
        """Forget what is confirmed; shut or open the door; replace a client that is stuck."""
        waiting = self._unconfirmed
        while waiting and waiting[0][1].done():
            _, future = waiting.popleft()
            if not future.cancelled():
                future.exception()  # its voter was told "not known yet"
        age = now - waiting[0][0] if waiting else 0.0
        if age > STUCK_SECONDS:
            log.warning("producer_replaced", unconfirmed=len(waiting))
            self._is_cut = True
            await self._producer.stop()
        if self._is_cut:
            await self._reconnect()
        self._show(self._is_cut or age > SILENT_SECONDS)

    async def _reconnect(self) -> None:
        """The door stays shut until a new client has found the broker."""
        try:
            await self._producer.start()
        except AWAY as error:
            log.info("kafka_is_away", reason=type(error).__name__)
        else:
            self._is_cut = False

    def status(self) -> str | None:
        """None while ballots are taken, else why not."""
        return "Kafka confirms nothing" if self._is_silent else None

    def _show(self, is_silent: bool) -> None:
        if is_silent and not self._is_silent:
            log.warning("ballots_refused", reason="kafka confirms nothing")
        elif self._is_silent and not is_silent:
            log.info("ballots_taken_again")
        self._is_silent = is_silent
