"""Puts `elections` together: settings, adapters, stream, calendar, API; all adapters are here."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import asyncpg

from services.elections import ballot_stream
from services.elections.adding import Adding
from services.elections.api import ElectionsApi, make_api
from services.elections.api_end import EndApi
from services.elections.arrivals import Arrivals
from services.elections.calendar import Calendar, alarm_late_barriers
from services.elections.config import ElectionsSettings
from services.elections.course import Course
from services.elections.desk import Desk
from services.elections.end import End
from services.elections.handlers import HANDLERS
from services.elections.orders import Orders
from services.elections.store import DERIVED_TABLES
from services.elections.store.ballots import BallotStore, Sums
from services.elections.store.elections import Store
from services.elections.store.law import LawStore, Work
from services.elections.stream import CONSUMER, TOPICS, on_malformed
from shared.clock import SystemClock
from shared.config import load
from shared.consumer_types import Record
from shared.contracts.elections import ServiceKeys
from shared.contracts.topics import ELECTIONS
from shared.kafka import topics
from shared.kafka.lag import LagReader
from shared.kafka.outbox import Outbox
from shared.kafka.producer import Producer
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.stream import Stream
from shared.keys import Signer, read_public
from shared.postgres.pool import connect, ping
from shared.replay import ReplayParts, ReplayStream
from shared.service import Service
from shared.staff import StaffList

W = TypeVar("W")
SETTINGS = ElectionsSettings
GATHER_SECONDS = 0.25
"""Four transactions a second at most, while votes have PostgreSQL to themselves."""
GATHER_IDLE_SECONDS = 0.1
"""So long a step may have to wait to be read back, for a tenth of the transactions."""
CONNECTIONS = 8
"""The stream, the outbox, the calendar, and some officials."""


async def main() -> None:
    """Run until SIGTERM."""
    settings = load(ElectionsSettings, os.environ)
    signer = Signer(settings.secret("signing.key"))
    keys, answers_key = _service_keys(settings), read_public(settings.trust_dir, "identity.sealing")
    staff = StaffList(settings.required_staff_file())
    clock, arrivals, store = SystemClock(), Arrivals(), Store()

    def after_commit(work: Work, _: object) -> None:
        alarm_late_barriers(work)
        arrivals.note()

    def after_ballots(work: Sums, records: Sequence[Record[Any]]) -> None:
        ballot_stream.alarm_set_aside(work, records)
        arrivals.note()

    async with Service("elections", settings) as service:
        pool = await service.wait_for("PostgreSQL", lambda: connect(settings, CONNECTIONS))
        service.on_stop("pool", pool.close)
        service.add_check("postgres", lambda: ping(pool))
        await service.wait_for("Kafka", lambda: topics.check(settings.kafka))
        producer = Producer(settings.kafka, settings.instance)
        await service.wait_for("Kafka", producer.start)
        service.on_stop("producer", producer.stop)
        election_log = LagReader(settings.kafka, [ELECTIONS])
        await service.wait_for("Kafka", election_log.start)
        service.on_stop("election log", election_log.stop)
        outbox = Outbox(pool, producer, signer, "elections", row_by_row=True)
        adapters = (pool, settings, outbox)
        stream = _live(_stream(settings), *adapters, gather=_gather_idle, after_commit=after_commit)
        ballots = _live(
            _ballots(settings, Adding(pool, election_log)),
            *adapters,
            gather=_gather,
            after_commit=after_ballots,
        )
        orders = Orders(store, outbox, clock)
        course = Course(store, orders, keys, answers_key)
        end = End(store, orders, signer)
        calendar = Calendar(pool, store, course, end, outbox=outbox, arrivals=arrivals, clock=clock)
        desk = Desk(pool, store, outbox, arrivals)
        api = make_api(ElectionsApi(desk, store, course, end), EndApi(desk, store, end), staff)
        service.add_task("outbox", outbox.run())
        service.add_task("stream", stream.run())
        service.add_task("ballots", ballots.run())
        service.add_task("calendar", calendar.run())
        service.add_check("outbox", outbox.status)
        service.add_check("stream", stream.status)
        service.add_check("ballots", ballots.status)
        service.add_api(api.app())
        await service.run_until_stopped()


def replay_parts(settings: ElectionsSettings, pool: "asyncpg.Pool[Any]") -> ReplayParts:
    """The streams and the tables that follow from the law topics alone.

    The ballots after the elections: a ballot waits for its election.
    """
    ballots = _ballots(settings, Adding(pool))
    return ReplayParts(streams=(_stream(settings), ballots), derived=DERIVED_TABLES)


def _stream(settings: ElectionsSettings) -> ReplayStream[Work]:
    return ReplayStream(
        CONSUMER,
        TOPICS,
        HANDLERS,
        LawStore(),
        trust=SignaturePolicy(settings.trust_dir),
        on_malformed=on_malformed,
    )


def _ballots(settings: ElectionsSettings, adding: Adding) -> ReplayStream[Sums]:
    return ReplayStream(
        ballot_stream.CONSUMER,
        ballot_stream.TOPICS,
        ballot_stream.handlers(adding),
        BallotStore(adding),
        trust=SignaturePolicy(settings.trust_dir),
        prepare=adding.prepare,
        dedupe_events=False,
    )


def _live(
    replayed: ReplayStream[W],
    pool: "asyncpg.Pool[Any]",
    settings: ElectionsSettings,
    outbox: Outbox,
    *,
    gather: Callable[[Sequence[Record[Any]]], Awaitable[None]],
    after_commit: Callable[[W, Sequence[Record[Any]]], None],
) -> Stream[W]:
    """The stream that a replay would run, on the live log; `gather` waits before anything else."""

    async def prepare(records: Sequence[Record[Any]]) -> None:
        await gather(records)
        if replayed.prepare is not None and (prepared := replayed.prepare(records)) is not None:
            await prepared

    return Stream(
        replayed.consumer,
        replayed.topics,
        replayed.handlers,
        replayed.store,
        pool,
        settings,
        outbox,
        trust=replayed.trust,
        on_malformed=replayed.on_malformed,
        dedupe_events=replayed.dedupe_events,
        prepare=prepare,
        after_commit=after_commit,
    )


async def _gather(records: Sequence[Record[Any]]) -> None:
    """Let more ballots come: nobody waits for the sum, and one transaction does for all."""
    await asyncio.sleep(GATHER_SECONDS)


async def _gather_idle(records: Sequence[Record[Any]]) -> None:
    """Let more records come while none of them says anything to us: they are only hashed."""
    if not records:
        await asyncio.sleep(GATHER_IDLE_SECONDS)


def _service_keys(settings: ElectionsSettings) -> ServiceKeys:
    names = ("identity", "codes", "postal", "votes")
    return ServiceKeys(**{name: read_public(settings.trust_dir, name) for name in names})
