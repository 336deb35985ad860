"""How fast votes folds its law again: its own stream and store, into empty tables, saying nothing.

The part of the log that is read holds ballots only, each the first of its right.
"""

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition  # noqa: TID251  (see _Span)
from msgspec import Struct

from deploy.local import services
from services.votes import app
from services.votes.config import VotesSettings
from services.votes.ports import Verifier
from shared.config import load
from shared.contracts.topics import RIGHTS
from shared.kafka import replay as replays
from shared.kafka.consumer import discard, settings_of_every_consumer
from shared.kafka.cursors import Cursor
from shared.kafka.decoding import Raw
from shared.kafka.replay import Replay
from shared.postgres.offsets import Place
from shared.postgres.pool import connect
from shared.replay import ReplayStream
from tests.bench import cpu
from tests.bench.room import Room
from tests.bench.stubbed_votes import Believing

MOST = 500
"""Records of one partition in a fetch, as the service has of all."""
TABLES = ("claims", "ballots", "outcomes", "refused_records")


class Replayed(Struct, frozen=True):
    """One replay."""

    records: int
    seconds: float
    cpu_us: float
    """Of this process, per record."""

    @property
    def per_second(self) -> float:
        """Records per second."""
        return self.records / self.seconds


class _Span:
    """The log between two points, read as `shared.kafka.replay.BrokerLog` reads a whole one."""

    def __init__(self, bootstrap: str, begins: Mapping[int, int]) -> None:
        self._bootstrap = bootstrap
        self._begins = begins

    async def read(self, place: Place, end: int, most: int) -> AsyncIterator[Sequence[Raw]]:
        """See `shared.kafka.replay.Log`."""
        partition = TopicPartition(*place)
        raw = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, **settings_of_every_consumer())
        await raw.start()
        try:
            raw.assign([partition])
            following = self._begins[place[1]]
            raw.seek(partition, following)
            while following < end:
                found = await raw.getmany(
                    partition, timeout_ms=5000, max_records=min(most, end - following)
                )
                records = found[partition]
                following = records[-1].offset + 1
                yield records
        finally:
            await discard(raw)


class _SpanReplay(Replay):
    """A replay into tables that hold everything before the span."""

    def __init__(self, stream: ReplayStream[Any], pool: Any, begins: Mapping[int, int]) -> None:
        super().__init__(stream, pool, "votes", seed=1, most=MOST)
        self._begins = begins

    async def run_span(self, log: replays.Log, ends: Mapping[Place, int]) -> int:
        """Apply every record of the span."""
        parts = {}
        for place, end in ends.items():
            begin = self._begins[place[1]]
            if begin < end:
                parts[place] = replays._Part(place, log.read(place, end, self._most))
                parts[place].cursor = Cursor(place, begin, begin)
        while parts:
            await self._step(parts)
        return sum(end - self._begins[place[1]] for place, end in ends.items())


async def replay(
    room: Room,
    database: str,
    begins: Mapping[int, int],
    ends: Mapping[int, int],
    *,
    is_stubbed: bool,
) -> Replayed:
    """Fold the span into a database that stands at its beginning."""
    settings = load(VotesSettings, _environment(room, database))
    pool = await connect(settings)
    verifier: Verifier | None = Believing() if is_stubbed else None
    parts = app.replay_parts(settings, pool, verifier)
    try:
        again = _SpanReplay(parts.streams[0], pool, begins)
        log = _Span(room.stack.kafka_address, begins)
        used, began = cpu.own_seconds(), time.perf_counter()
        count = await again.run_span(log, {(RIGHTS.name, at): end for at, end in ends.items()})
        seconds = time.perf_counter() - began
        spent = (cpu.own_seconds() - used) * 1e6 / count
        await _require_all_accepted(pool, count)
    finally:
        if parts.close is not None:
            await parts.close()
        await pool.close()
    return Replayed(count, seconds, spent)


async def _require_all_accepted(pool: "asyncpg.Pool[Any]", count: int) -> None:
    accepted = await pool.fetchval("select count(*) from ballots")
    if accepted != count:
        raise RuntimeError(f"a replay of {count} ballots accepted {accepted}")


def _environment(room: Room, database: str) -> Mapping[str, str]:
    extra = {"CASTONCE_DATABASE_NAME": database}
    return services.spec(room.home, room.stack.ports, "votes", extra).environment
