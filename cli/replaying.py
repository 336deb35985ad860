"""Rebuilds a service's derived tables from the law, beside the live ones, and compares.

Promises that the live database is only read, in one snapshot; that the law is only read; and that
what is made for it is removed again. Must never publish a record. Trusts each service's
`replay_parts` to say what is derived.
"""

from __future__ import annotations

import asyncio
import importlib
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from deploy.local import services as local
from deploy.local.home import CHECKOUT
from deploy.local.stack import Stack
from shared.config import ServiceSettings, load
from shared.kafka import replay_shares
from shared.kafka.replay import Log, Replay
from shared.kafka.replay_shares import Rebuilding
from shared.postgres import dump
from shared.postgres.dump import TableDigest
from shared.postgres.offsets import Place
from shared.postgres.pool import connect
from shared.replay import Order, ReplayParts

Tell = Callable[[int], None]
Digests = Mapping[str, TableDigest]


@dataclass(frozen=True)
class Snapshot:
    """What the live database holds at one moment."""

    ends: Mapping[str, Mapping[Place, int]]
    """By consumer: how far each partition is applied."""
    tables: Digests

    @property
    def records(self) -> int:
        """How many records a replay has to apply."""
        return sum(end for ends in self.ends.values() for end in ends.values())


@dataclass(frozen=True)
class Outcome:
    """One service's derived tables, live and rebuilt."""

    service: str
    live: Digests
    rebuilt: Digests
    records: int
    seconds: float

    @property
    def differing(self) -> list[str]:
        """Names of tables that don't come out the same."""
        return [name for name, found in self.rebuilt.items() if self.live[name] != found]


def replayable() -> list[str]:
    """Every service of this checkout that has derived tables to rebuild."""
    return [
        name
        for name in local.WITH_DATABASE
        if (CHECKOUT / "services" / name / "app.py").exists()
        and hasattr(_app(name), "replay_parts")
    ]


def _app(service: str) -> Any:
    return importlib.import_module(f"services.{service}.app")


class Replaying:
    """One service's replay into a temporary database of its own."""

    def __init__(self, stack: Stack, service: str, order: Order, processes: int | None) -> None:
        """At most so many `processes`; None: as many as its records are worth."""
        self._stack = stack
        self._service = service
        self._order = order
        self._processes = processes

    async def run(self, log: Log, tell: Callable[[int], Tell]) -> Outcome:
        """Rebuild up to where the live database stands; `tell` is asked for a counter first."""
        suffix = f"replay_{time.time_ns()}"
        database = await asyncio.to_thread(self._stack.add_database, self._service, suffix)
        try:
            return await self._run_in(database, log, tell)
        finally:
            await asyncio.to_thread(self._stack.drop_database, database)

    async def _run_in(self, database: str, log: Log, tell: Callable[[int], Tell]) -> Outcome:
        settings, parts_of = self._settings(database), _app(self._service).replay_parts
        pool = await connect(settings, size=3)
        parts: ReplayParts = parts_of(settings, pool)
        about = Rebuilding(self._service, parts_of, settings, log, self._order)
        began = time.monotonic()
        try:
            live = await self._snapshot(parts, database)
            told = tell(live.records)
            for stream in parts.streams:
                ends = live.ends[stream.consumer]
                processes = self._processes or replay_shares.worthwhile(sum(ends.values()))
                if stream.divide is None or processes == 1:
                    again = Replay(stream, pool, self._service, self._order)
                    await again.run(log, ends, told)
                else:
                    await replay_shares.run_in(processes, about, stream, ends, told)
            async with pool.acquire() as sql, sql.transaction():
                rebuilt = await dump.digests(sql, parts.derived)
        finally:
            if parts.close is not None:
                await parts.close()
            await pool.close()
        seconds = time.monotonic() - began
        return Outcome(self._service, live.tables, rebuilt, live.records, seconds)

    def _settings(self, database: str) -> ServiceSettings:
        spec = local.spec(self._stack.home, self._stack.ports, self._service)
        environment = dict(spec.environment)
        environment["CASTONCE_DATABASE_NAME"] = database
        settings: ServiceSettings = load(_app(self._service).SETTINGS, environment)
        return settings

    async def _snapshot(self, parts: ReplayParts, database: str) -> Snapshot:
        async with (
            self._owner() as live,
            self._owner(database) as empty,
            live.transaction(isolation="repeatable_read", readonly=True),
        ):
            ends = {stream.consumer: await _ends(live, stream) for stream in parts.streams}
            tables = await dump.digests(live, parts.derived)
            await _copy(live, empty, parts.sources)
        return Snapshot(ends, tables)

    @asynccontextmanager
    async def _owner(self, database: str | None = None) -> AsyncIterator[asyncpg.Connection[Any]]:
        url = self._stack.database_url(self._service, "owner", database)
        made = await asyncpg.connect(url)
        try:
            yield made
        finally:
            await made.close()


async def _ends(live: asyncpg.Connection[Any], stream: Any) -> dict[Place, int]:
    rows = await live.fetch(
        "select topic, partition, next_offset from consumer_offsets"
        " where consumer = $1 and topic = any($2::text[])",
        stream.consumer,
        [topic.name for topic in stream.topics],
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def _copy(
    live: asyncpg.Connection[Any], empty: asyncpg.Connection[Any], tables: Sequence[str]
) -> None:
    for table in tables:
        with tempfile.TemporaryFile() as file:
            await live.copy_from_table(table, output=file, format="binary")
            file.seek(0)
            await empty.copy_to_table(table, source=file, format="binary")
