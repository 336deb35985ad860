"""votes on real Kafka and PostgreSQL: its own stream in this process, and a law written for it."""

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import asyncpg
import pytest

from deploy.local import keys
from deploy.local.stack import Stack
from services.votes import app
from services.votes.config import VotesSettings
from services.votes.domain.ledger import Ledger, arrange
from services.votes.stream import stream_parts
from services.votes.verifiers import Verifiers
from shared.consumer_types import Record
from shared.contracts.message import Message, Service, headers
from shared.contracts.topics import BALLOTS, DECISIONS, RIGHTS, Topic
from shared.contracts.votes import BallotAccepted
from shared.kafka import replay_shares
from shared.kafka.decoding import Decoder, Raw
from shared.kafka.outbox import Outbox
from shared.kafka.producer import Producer
from shared.kafka.replay import BrokerLog, Replay
from shared.kafka.replay_shares import Rebuilding
from shared.kafka.sealing import Sealed
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.stream import Stream
from shared.keys import Signer, read_secret
from shared.postgres import dump
from shared.postgres.offsets import Place
from shared.postgres.pool import connect
from shared.replay import Order
from shared.testing.law import Law

LIMIT_SECONDS = 60
_NUMBERS = itertools.count()


def settings_for(stack: Stack, database: str) -> VotesSettings:
    """votes with a database of its own on this stack."""
    return VotesSettings(
        instance="votes-court",  # the same for all, so that each takes the place of the one before
        kafka=stack.kafka_address,
        database_host="127.0.0.1",
        database_port=stack.ports.of("postgres"),
        database_name=database,
        database_user="votes_app",
        database_password_file=stack.home.password_file("votes", "database"),
        admin_port=0,
        secrets_dir=stack.home.secret_folder("votes"),
        trust_dir=stack.home.trust,
        verifiers=2,
    )


@dataclass
class Court:
    """A database for votes, a law on the broker, and what votes says about it."""

    stack: Stack
    database: str
    law: Law
    producer: Producer
    pool: Any
    settings: VotesSettings
    committed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def write(self, items: Iterable[Message | Record[Any] | Sealed]) -> None:
        """Append messages, records or raw bytes to the law."""
        await self.producer.publish([self.sealed(item) for item in items])

    def sealed(self, item: Message | Record[Any] | Sealed) -> Sealed:
        """What the broker is sent."""
        if isinstance(item, tuple):
            return item
        record = item if isinstance(item, Record) else self.law.record(item)
        producer = cast(Service, record.message.CONTRACT.producer)
        made = headers(record.message, record.event_id, producer, record.signature)
        return (RIGHTS.name, record.partition, b"", record.value, made)

    @contextlib.asynccontextmanager
    async def running(self, verifier: Any) -> AsyncIterator[Stream[Ledger]]:
        """The stream of votes, until the block ends."""
        signer = self.law.signers["votes"]
        outbox = Outbox(self.pool, self.producer, signer, "votes")
        parts, _ = stream_parts(self.pool, app.powers(self.settings, signer.sign), verifier)
        stream = Stream(
            parts.consumer, parts.topics, parts.handlers, parts.store, self.pool, self.settings,
            outbox, prepare=parts.prepare, after_commit=self._note, trust=parts.trust,
            dedupe_events=False, on_malformed=parts.on_malformed, arrange=arrange,
        )  # fmt: skip
        tasks = [asyncio.create_task(stream.run()), asyncio.create_task(outbox.run())]
        try:
            yield stream
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _note(self, work: Ledger, records: Sequence[Record[Any]]) -> None:
        async with self.committed:
            self.committed.notify_all()

    async def caught_up(self) -> None:
        """Return when every record of the law is applied and everything said about it published."""
        ends = await self.ends(RIGHTS)
        async with asyncio.timeout(LIMIT_SECONDS), self.committed:
            while await self.offsets() != {p: end for p, end in ends.items() if end}:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.committed.wait(), 0.5)
        async with asyncio.timeout(LIMIT_SECONDS):
            while await self.unpublished():  # noqa: ASYNC110  (a table can't call us)
                await asyncio.sleep(0.05)

    async def some_progress(self) -> None:
        """Return when one more record is applied, or none is left."""
        before, ends = await self.offsets(), await self.ends(RIGHTS)
        async with asyncio.timeout(LIMIT_SECONDS):
            while await self.offsets() in (before, {}):
                if before == {partition: end for partition, end in ends.items() if end}:
                    return
                await asyncio.sleep(0.02)

    async def unpublished(self) -> int:
        """How many outbox rows aren't known to be published."""
        waiting = "select count(*) from outbox where published_at is null"
        return int(await self.pool.fetchval(waiting))

    async def offsets(self) -> dict[int, int]:
        """How far each partition is applied."""
        rows = await self.pool.fetch(
            "select partition, next_offset from consumer_offsets where next_offset > 0"
        )
        return {row["partition"]: row["next_offset"] for row in rows}

    async def ends(self, topic: Topic) -> dict[int, int]:
        """Where each partition of a topic ends."""
        found = await BrokerLog(self.stack.kafka_address).ends([topic])
        return {partition: end for (_, partition), end in found.items()}

    async def raws(self, topic: Topic) -> list[Raw]:
        """Every record of a topic."""
        log, found = BrokerLog(self.stack.kafka_address), []
        for partition, end in (await self.ends(topic)).items():
            async for records in log.read((topic.name, partition), end, 1000):
                found += records
        return found

    async def said(self, topic: Topic, since: dict[int, int]) -> list[Message]:
        """What votes said on a topic since these offsets about this election, validly signed."""
        kinds = {DECISIONS.name: _kinds(DECISIONS), BALLOTS.name: _kinds(BALLOTS)}[topic.name]
        decoder = Decoder(kinds, SignaturePolicy(self.stack.home.trust))
        records = [
            decoder.decode(raw)
            for raw in await self.raws(topic)
            if raw.offset >= since[raw.partition]
        ]
        assert all(isinstance(record, Record) for record in records)
        mine = [record.message for record in records if isinstance(record, Record)]
        return [m for m in mine if getattr(m, "election_id", None) in (None, self.law.election_id)]

    async def stack_owner(self) -> "asyncpg.Connection[Any]":
        """A connection of who owns the tables: an administrator, or an intruder."""
        return await asyncpg.connect(self.stack.database_url("votes", "owner", self.database))

    async def digests(self, pool: Any = None) -> dict[str, dump.TableDigest]:
        """What the derived tables come to."""
        async with (pool or self.pool).acquire() as sql, sql.transaction():
            return await dump.digests(sql, app.DERIVED_TABLES)

    async def replayed(self, verifier: Any, order: Order) -> dict[str, dump.TableDigest]:
        """The same, of an empty database after a replay up to where this one stands."""
        async with self.empty_database() as (settings, pool):
            parts = app.replay_parts(settings, pool, verifier)
            replay = Replay(parts.streams[0], pool, "votes", order)
            await replay.run(BrokerLog(self.stack.kafka_address), await self.stands_at())
            return await self.digests(pool)

    async def replayed_in(self, processes: int, order: Order) -> dict[str, dump.TableDigest]:
        """The same, replayed by so many processes with verifiers of their own."""
        async with self.empty_database() as (settings, pool):
            parts, log = app.replay_parts(settings, pool), BrokerLog(self.stack.kafka_address)
            about = Rebuilding("votes", app.replay_parts, settings, log, order)
            ends = await self.stands_at()
            await replay_shares.run_in(processes, about, parts.streams[0], ends)
            return await self.digests(pool)

    async def stands_at(self) -> dict[Place, int]:
        """How far each partition is applied, as a replay wants to know it."""
        return {(RIGHTS.name, p): end for p, end in (await self.offsets()).items()}

    @contextlib.asynccontextmanager
    async def empty_database(self) -> AsyncIterator[tuple[VotesSettings, Any]]:
        """One more database of votes, and a pool of connections to it."""
        name = f"again_{next(_NUMBERS)}_{time.time_ns()}"
        database = await asyncio.to_thread(self.stack.add_database, "votes", name)
        settings = settings_for(self.stack, database)
        pool = await connect(settings, size=2)
        try:
            yield settings, pool
        finally:
            await pool.close()
            await asyncio.to_thread(self.stack.drop_database, database)


def _kinds(topic: Topic) -> set[type[Message]]:
    module = BallotAccepted.__module__
    return {
        kind
        for kind in vars(__import__(module, fromlist=["x"])).values()
        if isinstance(kind, type)
        and getattr(kind, "CONTRACT", None)
        and kind.CONTRACT.topic is topic
    }


@pytest.fixture(scope="session")
async def verifiers() -> AsyncIterator[Verifiers]:
    """Two verifying processes."""
    made = Verifiers(2)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def court(stack: Stack) -> AsyncIterator[Court]:
    """An election nobody else has heard of, and an empty database."""
    name = f"court_{next(_NUMBERS)}"
    database = await asyncio.to_thread(stack.add_database, "votes", name)
    try:
        async with court_in(stack, database) as made:
            yield made
    finally:
        await asyncio.to_thread(stack.drop_database, database)


@contextlib.asynccontextmanager
async def court_in(stack: Stack, database: str) -> AsyncIterator[Court]:
    """An election nobody else has heard of, and this database."""
    number = next(_NUMBERS)
    settings = settings_for(stack, database)
    pool = await connect(settings, size=4)
    signers = {
        name: Signer(read_secret(stack.home.secret_folder(name) / "signing.key"))
        for name in keys.SIGNERS
    }
    signers["gateway"] = Signer(secrets.token_hex(32))  # it has no key: a hacked one makes its own
    now_ms = time.time_ns() // 1_000_000
    law = Law(f"court {number} {now_ms}", signers=signers, stamp_ms=now_ms, partitions=6)
    producer = Producer(stack.kafka_address, f"law-{number}")
    await producer.start()
    try:
        yield Court(stack, database, law, producer, pool, settings)
    finally:
        await producer.stop()
        await pool.close()


@pytest.fixture
async def votes_connection(court: Court) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection with the rights of the process, and no more."""
    made = await asyncpg.connect(court.stack.database_url("votes", "app", court.database))
    yield made
    await made.close()
