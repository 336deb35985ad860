"""How fast votes folds its law again: as `castonce replay` does, on all cores, saying nothing.

The part of the log that is read holds ballots only, each the first of its right. The clock runs
from the first records that were applied: starting processes isn't measured.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from typing import Any

import asyncpg
from msgspec import Struct

from deploy.local import services
from services.votes.config import VotesSettings
from shared.config import load
from shared.contracts.topics import RIGHTS
from shared.kafka import replay_shares
from shared.kafka.replay import BrokerLog
from shared.kafka.replay_shares import Rebuilding
from shared.postgres.pool import connect
from shared.replay import Order
from tests.bench import cpu
from tests.bench.room import Room
from tests.bench.stubbed_votes import REPLAYS, Believed

MOST = 500
"""Records of one partition in a fetch, as the service has of all."""
CORES = os.cpu_count() or 1
REAPED_SECONDS = 0.5
"""Until PostgreSQL counts the time of connections that were closed."""


class Replayed(Struct, frozen=True):
    """One replay."""

    records: int
    seconds: float
    cpu_us: dict[str, float]
    """Microseconds of CPU per record."""

    @property
    def per_second(self) -> float:
        """Records per second."""
        return self.records / self.seconds


class _Clock:
    """Runs from the first step that is told; its records were applied before and don't count."""

    def __init__(self, room: Room) -> None:
        self._pids = room.infrastructure_pids()
        self._others = cpu.own_children()
        self._ended_before = cpu.ended_seconds()
        self._before: dict[str, float] | None = None
        self._began = 0.0
        self._count = 0

    def tell(self, count: int) -> None:
        """A process has applied so many records."""
        if self._before is None:
            so_far = sum(map(cpu.used_seconds, cpu.own_children() - self._others))
            self._before = {"votes": so_far, **cpu.snapshot(self._pids)}
            self._began = time.perf_counter()
        else:
            self._count += count

    async def stop(self) -> Replayed:
        """Everything is applied, and every process has ended."""
        seconds = time.perf_counter() - self._began
        await asyncio.sleep(REAPED_SECONDS)
        used = {"votes": cpu.ended_seconds() - self._ended_before, **cpu.snapshot(self._pids)}
        before = self._before or {}
        each = {name: (used[name] - before[name]) * 1e6 / self._count for name in used}
        return Replayed(self._count, seconds, each)


async def replay(
    room: Room, database: str, ends: Mapping[int, int], believed: Believed
) -> Replayed:
    """Fold what lies between where the database stands and these ends."""
    settings = load(VotesSettings, _environment(room, database))
    pool = await connect(settings)
    parts = REPLAYS[believed](settings, pool)
    log = BrokerLog(room.stack.kafka_address)
    about = Rebuilding("votes", REPLAYS[believed], settings, log, Order(seed=1, most=MOST))
    until = {(RIGHTS.name, partition): end for partition, end in ends.items()}
    try:
        begins = await pool.fetchval("select sum(next_offset) from consumer_offsets")
        clock = _Clock(room)
        await replay_shares.run_in(CORES, about, parts.streams[0], until, clock.tell)
        found = await clock.stop()
        await _require_all_accepted(pool, sum(ends.values()) - int(begins))
    finally:
        await pool.close()
    return found


async def _require_all_accepted(pool: "asyncpg.Pool[Any]", count: int) -> None:
    accepted = await pool.fetchval("select count(*) from ballots")
    if accepted != count:
        raise RuntimeError(f"a replay of {count} ballots accepted {accepted}")


def _environment(room: Room, database: str) -> Mapping[str, str]:
    extra = {"CASTONCE_DATABASE_NAME": database}
    return services.spec(room.home, room.stack.ports, "votes", extra).environment
