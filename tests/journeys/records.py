"""Topics as a stranger on the network would see them: raw records in, raw records out.

Promises every byte as it stands, with nothing decoded, and records that no service would send.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # noqa: TID251 (a stranger)

from shared.contracts.topics import TOPICS, Topic
from shared.kafka.consumer import discard, settings_of_every_consumer

Header = tuple[str, bytes]
FETCH_MS = 500


@dataclass(frozen=True)
class Seen:
    """One record."""

    topic: str
    partition: int
    offset: int
    stamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...]

    @property
    def type_name(self) -> str:
        """The short name of the message's type, such as `BallotSubmitted`."""
        parts = dict(self.headers).get("ce_type", b"").decode(errors="replace").split(".")
        return parts[1] if len(parts) == 3 else ""

    def everything(self) -> bytes:
        """Key, value and headers as one string of bytes."""
        parts = [self.key or b"", self.value or b""]
        for name, value in self.headers:
            parts += [name.encode(), value or b""]
        return b"\n".join(parts)


def _seen(raw: Any) -> Seen:
    return Seen(
        raw.topic,
        raw.partition,
        raw.offset,
        raw.timestamp,
        raw.key,
        raw.value,
        tuple((name, value) for name, value in raw.headers),
    )


@asynccontextmanager
async def _reader(
    address: str, topics: Sequence[Topic]
) -> AsyncIterator[tuple[AIOKafkaConsumer, list[TopicPartition]]]:
    raw = AIOKafkaConsumer(bootstrap_servers=address, **settings_of_every_consumer())
    await raw.start()
    try:
        places = [TopicPartition(t.name, number) for t in topics for number in range(t.partitions)]
        raw.assign(places)
        yield raw, places
    finally:
        await discard(raw)


async def read_all(address: str, topics: Sequence[Topic] = TOPICS) -> list[Seen]:
    """Every record of these topics up to their present ends, in log order by partition."""
    found: list[Seen] = []
    async with _reader(address, topics) as (raw, places):
        begins, ends = await raw.beginning_offsets(places), await raw.end_offsets(places)
        for place in places:
            raw.seek(place, begins[place])
        waiting = {place for place in places if ends[place] > begins[place]}
        while waiting:
            for place, records in (await raw.getmany(timeout_ms=FETCH_MS)).items():
                found += [_seen(one) for one in records if one.offset < ends[place]]
                if records[-1].offset >= ends[place] - 1:
                    waiting.discard(place)
    return sorted(found, key=lambda one: (one.topic, one.partition, one.offset))


async def follow(address: str, topics: Sequence[Topic]) -> AsyncIterator[Seen]:
    """Every record of these topics from now on, for ever."""
    async with _reader(address, topics) as (raw, places):
        ends = await raw.end_offsets(places)
        for place in places:
            raw.seek(place, ends[place])
        while True:
            for records in (await raw.getmany(timeout_ms=FETCH_MS)).values():
                for one in records:
                    yield _seen(one)


@asynccontextmanager
async def writer(address: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer without any of our rules."""
    raw = AIOKafkaProducer(bootstrap_servers=address, max_request_size=5_000_000)
    await raw.start()
    try:
        yield raw
    finally:
        await raw.stop()
