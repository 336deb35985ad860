"""The one producer: idempotent, acks=all, linger 0, and thrown away when it is stuck.

Promises that what is published in one call reaches each partition in that order, and that a call
that failed leaves nothing behind that could be sent later and out of order. Must never be used to
announce what is not committed. Raw clients are forbidden elsewhere: their defaults lose messages.

    producer = Producer(settings.kafka, settings.instance)
    await producer.start()
    await producer.send(RIGHTS.name, value, key, partition, headers)
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerClosed
from aiokafka.structs import RecordMetadata

from shared.kafka import connections
from shared.kafka.consumer import end_tasks
from shared.kafka.errors import NotPublished
from shared.kafka.sealing import Header, Sealed
from shared.kafka.stopping import has_stopped

BATCH_BYTES = 950_000
"""Largest batch: below the broker's 1 MiB; one record may be 900,000 bytes (contracts.fields)."""
ACK_SECONDS = 10.0
"""Without an answer for so long the client counts as stuck (aiokafka #1017) and is made anew."""
REQUEST_MS = 30_000
"""Longer than ACK_SECONDS: a batch that expires by itself is overtaken by the next one."""
STOP_SECONDS = 2.0


class Publication(NamedTuple):
    """Records that are on their way to the log."""

    raw: AIOKafkaProducer
    acknowledged: "asyncio.Future[Any]"


class Producer:
    """Sends records; one per process is enough."""

    def __init__(self, bootstrap: str, instance: str) -> None:
        self._bootstrap = bootstrap
        self._instance = instance
        self._raw: AIOKafkaProducer | None = None
        self._opening = asyncio.Lock()
        connections.install()
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # we report outages ourselves

    async def start(self) -> None:
        """Connect; raises NotPublished while the broker is away."""
        try:
            await self._client()
        except (KafkaError, OSError, TimeoutError) as error:
            raise NotPublished(f"Kafka doesn't answer: {error!r}") from error

    async def stop(self) -> None:
        """Close the client; what was not acknowledged is not sent any more."""
        raw, self._raw = self._raw, None
        if raw is not None:
            await discard(raw)

    async def send(
        self,
        topic: str,
        value: bytes,
        key: bytes,
        partition: int,
        headers: Sequence[Header],
    ) -> RecordMetadata:
        """Send one record and wait for its place in the log; raises NotPublished.

        After NotPublished the record may be in the log or not: it was handed over.
        """
        future = await self.enqueue(topic, value, key, partition, headers)
        return await self._acknowledged(self._raw, future)

    async def enqueue(
        self,
        topic: str,
        value: bytes,
        key: bytes,
        partition: int,
        headers: Sequence[Header],
    ) -> "asyncio.Future[RecordMetadata]":
        """Hand one record over without waiting; raises NotPublished if it was not taken."""
        try:
            raw = self._raw or await self._client()
            future: asyncio.Future[RecordMetadata] = await raw.send(
                topic, value, key, partition, headers=headers
            )
        except (KafkaError, OSError, TimeoutError) as error:
            raise NotPublished(f"Kafka took no record: {error!r}") from error
        return future

    async def publish(self, records: Sequence[Sealed]) -> None:
        """Send these records, in order for each partition; return when all are in the log.

        Raises NotPublished when some may not be; the client that had them is gone by then, so they
        can be sent again in the same order. Must not be called twice at a time.
        """
        await self.confirm(await self.begin(records))

    async def begin(self, records: Sequence[Sealed]) -> "Publication":
        """Send these records as `publish` does, and return before they are in the log."""
        raw = None
        pending: list[asyncio.Future[Any]] = []
        try:
            raw = self._raw or await self._client()
            async with asyncio.timeout(ACK_SECONDS):
                for group in _by_partition(records):
                    await self._hand_over(raw, group, pending)
        except (KafkaError, OSError, TimeoutError) as error:
            raise await self._failed(raw, pending, error) from error
        return Publication(raw, asyncio.gather(*pending))

    async def confirm(self, begun: "Publication") -> None:
        """Return when all records of a publication are in the log; raises as `publish` does."""
        try:
            async with asyncio.timeout(ACK_SECONDS):
                await begun.acknowledged
        except (KafkaError, OSError, TimeoutError) as error:
            raise await self._failed(begun.raw, [begun.acknowledged], error) from error

    async def _failed(
        self,
        raw: AIOKafkaProducer | None,
        pending: "Iterable[asyncio.Future[Any]]",
        error: Exception,
    ) -> NotPublished:
        forget(pending)
        if raw is not None:
            await self._replace(raw)
        return NotPublished(f"Kafka confirmed not all records: {error!r}")

    async def _hand_over(
        self,
        raw: AIOKafkaProducer,
        group: Sequence[Sealed],
        futures: "list[asyncio.Future[Any]]",
    ) -> None:
        """Whole batches instead of single records: adds one future for each, not per record."""
        topic, partition = group[0][0], group[0][1]
        batch = raw.create_batch()
        for _, _, key, value, headers in group:
            if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
                futures.append(await raw.send_batch(batch, topic, partition=partition))
                batch = raw.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=headers)
        batch.close()
        futures.append(await raw.send_batch(batch, topic, partition=partition))

    async def _acknowledged(
        self, raw: AIOKafkaProducer | None, future: "asyncio.Future[RecordMetadata]"
    ) -> RecordMetadata:
        try:
            async with asyncio.timeout(ACK_SECONDS):
                return await future
        except (KafkaError, OSError, TimeoutError) as error:
            if raw is not None:
                await self._replace(raw)
            raise NotPublished(f"Kafka didn't confirm the record: {error!r}") from error

    async def _client(self) -> AIOKafkaProducer:
        async with self._opening:
            if self._raw is None:
                raw = self._build()
                try:
                    async with asyncio.timeout(ACK_SECONDS):
                        await raw.start()
                except BaseException:
                    await discard(raw)
                    raise
                self._raw = raw
            return self._raw

    def _build(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            client_id=f"{self._instance}-producer",
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=REQUEST_MS,
            retry_backoff_ms=100,
        )

    async def _replace(self, raw: AIOKafkaProducer) -> None:
        if self._raw is raw:
            self._raw = None
            await discard(raw)


def _by_partition(records: Sequence[Sealed]) -> list[list[Sealed]]:
    if len(records) == 1:
        return [list(records)]
    ordered = sorted(records, key=_place)  # stable: order within a partition stays
    return [list(group) for _, group in groupby(ordered, key=_place)]


def _place(record: Sealed) -> tuple[str, int]:
    return record[0], record[1]


def forget(futures: "Iterable[asyncio.Future[Any]]") -> None:
    """Nobody asks these any more: when one fails, that is known already, and isn't reported."""
    for future in futures:
        future.add_done_callback(_retrieve)


def _retrieve(future: "asyncio.Future[Any]") -> None:
    if not future.cancelled():
        future.exception()


async def discard(raw: AIOKafkaProducer) -> None:
    """End a client for good, even one that would wait for ever for its broker.

    Its unsent batches fail: none of them may reach the log after this returns.
    """
    if await has_stopped(raw.stop(), STOP_SECONDS):
        return
    if raw._sender.sender_task is not None:
        await end_tasks([raw._sender.sender_task])
    raw._message_accumulator.fail_all(ProducerClosed())
    await raw.client.close()
