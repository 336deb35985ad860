"""Notices a client that is stuck: there are records, and it hands out none.

After a broker's restart aiokafka can wait for ever (#1154, #1017). Promises that a silent client is
compared with the log's end, and declared stuck if it is behind and stays where it is.
"""

import time
from collections.abc import Mapping

from aiokafka.errors import KafkaError

from shared.kafka.consumer import GroupConsumer
from shared.kafka.cursors import Cursor
from shared.kafka.errors import ClientStuck
from shared.postgres.offsets import Place

SILENT_SECONDS = 3.0
"""After so long without a record the end of the log is asked for."""
_STRIKES = 2


class Watchdog:
    """Watches one client."""

    def __init__(self, consumer: GroupConsumer) -> None:
        self._consumer = consumer
        self._heard_at = time.monotonic()
        self._strikes = 0

    def saw_records(self) -> None:
        """The client handed out something."""
        self._heard_at = time.monotonic()
        self._strikes = 0

    async def look(self, cursors: Mapping[Place, Cursor]) -> None:
        """Raise ClientStuck if there was something to hand out for SILENT_SECONDS, twice."""
        if time.monotonic() - self._heard_at < SILENT_SECONDS:
            return
        self._heard_at = time.monotonic()
        moving = [cursor for cursor in cursors.values() if not cursor.stands_still]
        if moving and await self._is_behind(moving):
            self._strikes += 1
            if self._strikes >= _STRIKES:
                raise ClientStuck("the client hands out nothing, though there are records")
        else:
            self._strikes = 0

    async def _is_behind(self, moving: list[Cursor]) -> bool:
        try:
            bounds = await self._consumer.bounds(cursor.place for cursor in moving)
        except KafkaError as error:
            raise ClientStuck(f"the broker doesn't answer: {error!r}") from error
        return any(bounds[cursor.place][1] > cursor.next_offset for cursor in moving)
