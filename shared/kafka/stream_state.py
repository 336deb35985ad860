"""What a stream knows of its own health, and the offsets it tells Kafka when it has time."""

import asyncio
import contextlib
import time
from collections.abc import Mapping

from aiokafka.errors import KafkaError

from shared.kafka.consumer import GroupConsumer
from shared.kafka.cursors import Cursor
from shared.logs import get_logger
from shared.metrics import gauge
from shared.postgres.offsets import Place

COMMIT_SECONDS = 1.0
SAID_AGAIN_SECONDS = 10.0
"""The same trouble is written to the log this often at most."""
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.05, 1.0

_HALTED = gauge(
    "castonce_halted_partitions", "Partitions that halted and need a person.", "consumer"
)
_RETRIED = gauge(
    "castonce_retried_partitions",
    "Partitions whose next record has been tried again for seconds.",
    "consumer",
)
log = get_logger()


class StreamState:
    """Health of one stream: what readiness answers and the log says once."""

    def __init__(self, consumer: str) -> None:
        self._consumer = consumer
        self._trouble: str | None = "it has no partitions yet"
        self._said_at = 0.0
        self._failures = 0

    def trouble(self, reason: str) -> None:
        """Something is away; said once per SAID_AGAIN_SECONDS."""
        self._trouble = reason
        if time.monotonic() - self._said_at > SAID_AGAIN_SECONDS:
            self._said_at = time.monotonic()
            log.warning("stream_waits", consumer=self._consumer, reason=reason)

    def placed(self) -> None:
        """Every partition was placed: records can come."""
        if self._trouble:
            log.info("stream_reads", consumer=self._consumer)
        self._trouble = None

    def committed(self) -> None:
        """A fetch is in the database."""
        self._trouble = None
        self._failures = 0

    def next_backoff(self) -> float:
        """Seconds to wait after one more failed transaction; grows until one is committed."""
        pause = min(_FIRST_BACKOFF * 2**self._failures, _LONGEST_BACKOFF)
        self._failures += 1
        return float(pause)

    def halted(self, cursor: Cursor) -> None:
        """A partition halted: a person must look."""
        log.error(
            "partition_halted",
            consumer=self._consumer,
            topic=cursor.place[0],
            partition=cursor.place[1],
            offset=cursor.next_offset,
            reason=cursor.halted,
        )

    def reason(self, cursors: Mapping[Place, Cursor]) -> str | None:
        """Why the stream isn't ready, or None."""
        now = time.monotonic()
        halted = [cursor for cursor in cursors.values() if cursor.halted]
        retried = [c for c in cursors.values() if not c.halted and c.is_tried_in_vain(now)]
        _HALTED.labels(self._consumer).set(len(halted))
        _RETRIED.labels(self._consumer).set(len(retried))
        reasons = [f"{_name(c)} halted: {c.halted}" for c in halted]
        reasons += [f"{_name(c)} waits at {c.next_offset}: {c.retry_reason}" for c in retried]
        return "; ".join(reasons) or self._trouble


def _name(cursor: Cursor) -> str:
    return f"{cursor.place[0]}[{cursor.place[1]}]"


class LazyCommit:
    """Commits offsets to Kafka once a second, for lag tools only."""

    def __init__(self, consumer: GroupConsumer) -> None:
        self._consumer = consumer
        self._noted: dict[Place, int] = {}
        self._task: asyncio.Task[None] | None = None

    def note(self, offsets: Mapping[Place, int]) -> None:
        """These offsets are in PostgreSQL."""
        self._noted.update(offsets)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit_later())

    async def stop(self) -> None:
        """Commit what is noted, if Kafka answers at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._commit()

    async def _commit_later(self) -> None:
        await asyncio.sleep(COMMIT_SECONDS)
        await self._commit()

    async def _commit(self) -> None:
        if self._noted:
            noted, self._noted = self._noted, {}
            # A lost commit costs nothing: the next one says more, and PostgreSQL decides anyway.
            with contextlib.suppress(KafkaError, TimeoutError, OSError):
                await self._consumer.commit(noted)
