"""Puts `codes` together: settings, adapters, streams, API; nothing else builds adapters."""

import os
from typing import Any

import asyncpg

from services.codes.accounting import Accounting
from services.codes.api import CodesApi, make_api
from services.codes.config import CodesSettings
from services.codes.domain.challenges import Keys, Secrets
from services.codes.granting import Granting
from services.codes.handlers import RequestHandlers
from services.codes.registering import Registering
from services.codes.replacing import Replacing
from services.codes.stating import Statements
from services.codes.store.law import DERIVED_TABLES, LawStore
from services.codes.store.requests import RequestsStore
from services.codes.stream import (
    LAW_CONSUMER,
    LAW_HANDLERS,
    LAW_TOPICS,
    REQUESTS_CONSUMER,
    REQUESTS_TOPICS,
    request_handlers,
)
from shared.config import ServiceSettings, load
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

CONNECTIONS = 8
"""Two streams, the outbox, an import, and some officials."""

SETTINGS: type[ServiceSettings] = CodesSettings


async def main() -> None:
    """Run until SIGTERM."""
    settings = load(CodesSettings, os.environ)
    signer = Signer(settings.secret("signing.key"))
    answering = RequestHandlers(
        secrets=Secrets(settings.secret("nonce.key"), settings.secret("decoy.key")),
        signer=signer,
        keys=Keys(signer.public_hex, read_public(settings.trust_dir, "identity")),
    )
    staff = StaffList(settings.required_staff_file())
    async with Service("codes", settings) as service:
        pool = await service.wait_for("PostgreSQL", lambda: connect(settings, CONNECTIONS))
        service.on_stop("pool", pool.close)
        service.add_check("postgres", lambda: ping(pool))
        await service.wait_for("Kafka", lambda: topics.check(settings.kafka))
        producer = Producer(settings.kafka, settings.instance)
        await service.wait_for("Kafka", producer.start)
        service.on_stop("producer", producer.stop)
        outbox = Outbox(pool, producer, signer, "codes")
        statements = Statements(signer)
        accounting = Accounting(pool, outbox, statements)
        law = _law(_law_parts(settings), settings, pool, outbox, accounting)
        requests = Stream(
            REQUESTS_CONSUMER,
            REQUESTS_TOPICS,
            request_handlers(answering),
            RequestsStore(),
            pool,
            settings,
            outbox,
            trust=SignaturePolicy(settings.trust_dir),
            dedupe_events=False,
        )
        granting = Granting(pool, outbox, statements)
        registering = Registering(pool, outbox, granting)
        handlers = CodesApi(pool, outbox, registering, Replacing(pool, outbox, granting))
        await service.wait_for("PostgreSQL", granting.finish_all)
        tasks: dict[str, Any] = {
            "outbox": outbox,
            "law": law,
            "requests": requests,
            "accounts": accounting,
        }
        for name, part in tasks.items():
            service.add_task(name, part.run())
            service.add_check(name, part.status)
        service.add_api(make_api(handlers, staff).app())
        await service.run_until_stopped()


def _law(
    part: ReplayStream[Any],
    settings: CodesSettings,
    pool: "asyncpg.Pool[Any]",
    outbox: Outbox,
    accounting: Accounting,
) -> Stream[Any]:
    return Stream(
        part.consumer,
        part.topics,
        part.handlers,
        part.store,
        pool,
        settings,
        outbox,
        after_commit=accounting.note,
        trust=part.trust,
        dedupe_events=part.dedupe_events,
    )


def _law_parts(settings: CodesSettings) -> ReplayStream[Any]:
    """What both the running stream and a replay are built from."""
    return ReplayStream(
        LAW_CONSUMER,
        LAW_TOPICS,
        LAW_HANDLERS,
        LawStore(),
        SignaturePolicy(settings.trust_dir),
        dedupe_events=False,
    )


def replay_parts(settings: CodesSettings, pool: "asyncpg.Pool[Any]") -> ReplayParts:
    """What a replay of the law rebuilds; no table depends on a source table."""
    return ReplayParts(streams=(_law_parts(settings),), derived=DERIVED_TABLES)
