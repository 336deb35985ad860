"""Puts `postal` together: settings, adapters, stream, API; nothing else builds adapters."""

import os
from collections.abc import Sequence
from typing import Any

import asyncpg

from services.postal.accounting import Accounting
from services.postal.api import PostalApi, make_api
from services.postal.arrivals import Arrivals
from services.postal.batching import Batching
from services.postal.config import PostalSettings
from services.postal.counting import Counting
from services.postal.scanning import Scanning
from services.postal.store.law import DERIVED_TABLES, LawStore, LawWork
from services.postal.stream import CONSUMER, HANDLERS, TOPICS
from services.postal.voiding import Voiding
from shared.config import ServiceSettings, load
from shared.consumer_types import Record
from shared.contracts.topics import PACKS
from shared.kafka import topics
from shared.kafka.lag import LagReader
from shared.kafka.outbox import Outbox
from shared.kafka.producer import Producer
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.stream import Stream
from shared.keys import Signer
from shared.postgres.pool import connect, ping
from shared.replay import ReplayParts, ReplayStream
from shared.service import Service
from shared.staff import StaffList

CONNECTIONS = 12
"""The stream, the outbox, and a scanning room."""

SETTINGS: type[ServiceSettings] = PostalSettings


async def main() -> None:
    """Run until SIGTERM."""
    settings = load(PostalSettings, os.environ)
    signer = Signer(settings.secret("signing.key"))
    staff = StaffList(settings.required_staff_file())
    async with Service("postal", settings) as service:
        pool = await service.wait_for("PostgreSQL", lambda: connect(settings, CONNECTIONS))
        service.on_stop("pool", pool.close)
        service.add_check("postgres", lambda: ping(pool))
        await service.wait_for("Kafka", lambda: topics.check(settings.kafka))
        producer = Producer(settings.kafka, settings.instance)
        await service.wait_for("Kafka", producer.start)
        service.on_stop("producer", producer.stop)
        outbox = Outbox(pool, producer, signer, "postal")
        packs = LagReader(settings.kafka, [PACKS])
        await service.wait_for("Kafka", packs.start)
        service.on_stop("pack log", packs.stop)
        arrivals = Arrivals()
        accounting = Accounting(pool, outbox)
        law = _law(settings, pool, outbox, arrivals, accounting)
        handlers = PostalApi(
            pool,
            outbox,
            Scanning(pool, outbox, arrivals, packs),
            Voiding(pool, outbox, arrivals),
            Batching(pool),
            counting=Counting(pool, outbox),
        )
        for name, part in (("outbox", outbox), ("law", law)):
            service.add_task(name, part.run())
            service.add_check(name, part.status)
        service.add_task("accounts", accounting.run())
        service.add_check("accounts", accounting.status)
        service.add_api(make_api(handlers, staff).app())
        await service.run_until_stopped()


def _law(
    settings: PostalSettings,
    pool: "asyncpg.Pool[Any]",
    outbox: Outbox,
    arrivals: Arrivals,
    accounting: Accounting,
) -> Stream[LawWork]:
    def wake(work: LawWork, records: Sequence[Record[Any]]) -> None:
        arrivals.note()
        accounting.note(work, records)

    part = _law_parts(settings)
    return Stream(
        part.consumer,
        part.topics,
        part.handlers,
        part.store,
        pool,
        settings,
        outbox,
        after_commit=wake,
        trust=part.trust,
        dedupe_events=part.dedupe_events,
    )


def _law_parts(settings: PostalSettings) -> ReplayStream[LawWork]:
    """What both the running stream and a replay are built from."""
    return ReplayStream(
        CONSUMER,
        TOPICS,
        HANDLERS,
        LawStore(),
        SignaturePolicy(settings.trust_dir),
        dedupe_events=False,
    )


def replay_parts(settings: PostalSettings, pool: "asyncpg.Pool[Any]") -> ReplayParts:
    """What a replay of the law rebuilds; scans, voids and batches are read to answer the close."""
    return ReplayParts(
        streams=(_law_parts(settings),),
        derived=DERIVED_TABLES,
        sources=("scans", "voids", "batches"),
    )
