"""Puts `elections` together: settings, adapters, stream, calendar, API; all adapters are here."""

import os
from typing import Any

import asyncpg

from services.elections.api import ElectionsApi, make_api
from services.elections.arrivals import Arrivals
from services.elections.calendar import Calendar, alarm_late_barriers
from services.elections.config import ElectionsSettings
from services.elections.course import Course
from services.elections.handlers import HANDLERS
from services.elections.store import DERIVED_TABLES, Store, Work
from services.elections.stream import CONSUMER, TOPICS, on_malformed
from shared.clock import SystemClock
from shared.config import load
from shared.contracts.elections import ServiceKeys
from shared.kafka import topics
from shared.kafka.outbox import Outbox
from shared.kafka.producer import Producer
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.stream import Stream
from shared.keys import Signer, read_public
from shared.postgres.pool import connect, ping
from shared.replay import ReplayParts, ReplayStream
from shared.service import Service
from shared.staff import StaffList

SETTINGS = ElectionsSettings
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

    async with Service("elections", settings) as service:
        pool = await service.wait_for("PostgreSQL", lambda: connect(settings, CONNECTIONS))
        service.on_stop("pool", pool.close)
        service.add_check("postgres", lambda: ping(pool))
        await service.wait_for("Kafka", lambda: topics.check(settings.kafka))
        producer = Producer(settings.kafka, settings.instance)
        await service.wait_for("Kafka", producer.start)
        service.on_stop("producer", producer.stop)
        outbox = Outbox(pool, producer, signer, "elections", row_by_row=True)
        replayed = _stream(settings, store)
        stream = Stream(
            replayed.consumer,
            replayed.topics,
            replayed.handlers,
            replayed.store,
            pool,
            settings,
            outbox,
            trust=replayed.trust,
            on_malformed=replayed.on_malformed,
            after_commit=after_commit,
        )
        course = Course(store, outbox, clock, keys, answers_key)
        calendar = Calendar(pool, store, course, outbox=outbox, arrivals=arrivals, clock=clock)
        handlers = ElectionsApi(pool, store, course, outbox, arrivals)
        service.add_task("outbox", outbox.run())
        service.add_task("stream", stream.run())
        service.add_task("calendar", calendar.run())
        service.add_check("outbox", outbox.status)
        service.add_check("stream", stream.status)
        service.add_api(make_api(handlers, staff).app())
        await service.run_until_stopped()


def replay_parts(settings: ElectionsSettings, pool: "asyncpg.Pool[Any]") -> ReplayParts:
    """The stream and the tables that follow from the law topics alone."""
    return ReplayParts(streams=(_stream(settings, Store()),), derived=DERIVED_TABLES)


def _stream(settings: ElectionsSettings, store: Store) -> ReplayStream[Work]:
    return ReplayStream(
        CONSUMER,
        TOPICS,
        HANDLERS,
        store,
        trust=SignaturePolicy(settings.trust_dir),
        on_malformed=on_malformed,
    )


def _service_keys(settings: ElectionsSettings) -> ServiceKeys:
    names = ("identity", "codes", "postal", "votes")
    return ServiceKeys(**{name: read_public(settings.trust_dir, name) for name in names})
