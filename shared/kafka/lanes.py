"""Several producers side by side, since a broker handles one connection's requests in turn.

Promises what `Producer` promises: a partition always takes the same lane, so its order stays. What
the broker flushes for one lane (each write to a law topic, DESIGN section 4) holds up no other. The
first lane goes ahead: it is for what somebody waits for.

    lanes = Lanes(settings.kafka, settings.instance, 3)
    await lanes.start()
    await lanes.publish(records)
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from aiokafka.structs import RecordMetadata

from shared.kafka.producer import Producer, forget
from shared.kafka.sealing import Header, Sealed

Lane = Callable[[str, int], int]
"""From topic and partition to a number, of which the remainder is the lane."""
HEAD_START_SECONDS = 0.003
"""So long at most the first lane's records have the broker and its disk to themselves: a flush
takes less on a quiet machine, and on a busy one the others mustn't wait for it."""


def by_partition(_topic: str, partition: int) -> int:
    """Neighbouring partitions apart: for one topic that is written to all over."""
    return partition


class Lanes:
    """Producers that share out partitions among them."""

    def __init__(
        self, bootstrap: str, instance: str, count: int, lane: Lane = by_partition
    ) -> None:
        """`count` connections to the broker; `lane` says which one a partition takes."""
        self._producers = [Producer(bootstrap, f"{instance}-{at}") for at in range(count)]
        self._lane = lane

    async def start(self) -> None:
        """Connect all; raises NotPublished while the broker is away."""
        for producer in self._producers:
            await producer.start()

    async def stop(self) -> None:
        """Close all, each whatever becomes of the others; see `Producer.stop`."""
        _require_ends(
            await asyncio.gather(
                *(producer.stop() for producer in self._producers), return_exceptions=True
            )
        )

    async def enqueue(
        self, topic: str, value: bytes, key: bytes, partition: int, headers: Sequence[Header]
    ) -> "asyncio.Future[RecordMetadata]":
        """See `Producer.enqueue`."""
        producer = self._producers[self._at(topic, partition)]
        return await producer.enqueue(topic, value, key, partition, headers)

    async def publish(self, records: Sequence[Sealed]) -> None:
        """See `Producer.publish`; raises NotPublished when all lanes have come to an end."""
        shares: dict[int, list[Sealed]] = {}
        for record in records:
            shares.setdefault(self._at(record[0], record[1]), []).append(record)
        urgent = shares.pop(0, None)
        ends = [] if urgent is None else [await self._begin(urgent)]
        ends += [self._producers[lane].publish(share) for lane, share in shares.items()]
        _require_ends(await asyncio.gather(*ends, return_exceptions=True))

    async def _begin(self, urgent: Sequence[Sealed]) -> Awaitable[None]:
        """Send what somebody waits for; the rest follows when it is there, or soon after."""
        first = self._producers[0]
        begun = await first.begin(urgent)
        try:
            await asyncio.wait([begun.acknowledged], timeout=HEAD_START_SECONDS)
        except BaseException:
            forget([begun.acknowledged])
            raise
        return first.confirm(begun)

    def _at(self, topic: str, partition: int) -> int:
        return self._lane(topic, partition) % len(self._producers)


def _require_ends(ends: Sequence[BaseException | None]) -> None:
    """Raise the first error, now that every lane has come to an end."""
    for end in ends:
        if end is not None:
            raise end
