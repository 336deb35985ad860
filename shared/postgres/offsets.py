"""How far a consumer has applied each partition, as its database remembers it.

Promises compare-and-set: an offset moves only from the value that this process read, so a forgotten
twin of the process fails instead of applying records twice.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.consumer_types import Sql

Place = tuple[str, int]
"""(topic, partition)."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What is stored for one partition: the next offset, and the hash of the record before it."""

    next_offset: int = 0
    last_hash: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class FetchOffsets:
    """The offsets of one fetch, as columns: the six arguments of the SQL `advance_offsets(...)`."""

    consumer: str
    topics: list[str] = field(default_factory=list)
    partitions: list[int] = field(default_factory=list)
    expected: list[int] = field(default_factory=list)
    following: list[int] = field(default_factory=list)
    hashes: list[bytes] = field(default_factory=list)

    def add(self, place: Place, expected: int, following: int, last_hash: bytes) -> None:
        """Move this partition from `expected` to `following`."""
        self.topics.append(place[0])
        self.partitions.append(place[1])
        self.expected.append(expected)
        self.following.append(following)
        self.hashes.append(last_hash)

    def arguments(self) -> tuple[Any, ...]:
        """`select advance_offsets($1, $2, $3, $4, $5, $6)`."""
        return (
            self.consumer,
            self.topics,
            self.partitions,
            self.expected,
            self.following,
            self.hashes,
        )


async def read(sql: Sql, consumer: str, places: Iterable[Place]) -> Mapping[Place, Applied]:
    """What is stored for these partitions; a partition that is new to the consumer gets its row."""
    wanted = sorted(places)
    topics, partitions = [topic for topic, _ in wanted], [partition for _, partition in wanted]
    await sql.execute(
        "insert into consumer_offsets (consumer, topic, partition)"
        " select $1, * from unnest($2::text[], $3::int[]) on conflict do nothing",
        consumer,
        topics,
        partitions,
    )
    rows = await sql.fetch(
        "select topic, partition, next_offset, last_hash from consumer_offsets"
        " where consumer = $1 and (topic, partition) in"
        " (select * from unnest($2::text[], $3::int[]))",
        consumer,
        topics,
        partitions,
    )
    return {
        (row["topic"], row["partition"]): Applied(row["next_offset"], row["last_hash"])
        for row in rows
    }


async def finish(sql: Sql, offsets: FetchOffsets, outbox_row: bytes | None) -> int | None:
    """Advance the offsets and write the outbox row; the row's id, or None without one.

    Raises a PostgresError for which `pool.is_stale` holds when another process was there first.
    """
    row_id: int | None = await sql.fetchval(
        "select finish_fetch($1, $2, $3, $4, $5, $6, $7)", *offsets.arguments(), outbox_row
    )
    return row_id
