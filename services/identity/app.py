"""Puts `identity` together: settings, adapters, streams, API; nothing else builds adapters."""

import os
from typing import Any

import asyncpg

from services.identity.accounting import Accounting
from services.identity.api import IdentityApi, make_api
from services.identity.config import IdentitySettings
from services.identity.domain.sealed import SealingKey
from services.identity.handlers import AnswersHandler
from services.identity.importing import RollImporter
from services.identity.officials import Officials
from services.identity.store import DERIVED_TABLES
from services.identity.store.answers import AnswersStore
from services.identity.store.law import LawStore, LawWork
from services.identity.stream import (
    ANSWERS_CONSUMER,
    ANSWERS_TOPICS,
    LAW_CONSUMER,
    LAW_HANDLERS,
    LAW_TOPICS,
    answers_handlers,
)
from shared.clock import SystemClock
from shared.config import load
from shared.kafka import topics
from shared.kafka.outbox import Outbox
from shared.kafka.producer import Producer
from shared.kafka.replies import remember_replies
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.stream import Stream
from shared.keys import Signer, read_public
from shared.postgres.pool import connect, ping
from shared.replay import ReplayParts, ReplayStream
from shared.service import Service
from shared.staff import StaffList

SETTINGS = IdentitySettings
CONNECTIONS = 8
"""Two streams, the outbox, an import, and some officials."""


async def main() -> None:
    """Run until SIGTERM."""
    settings = load(IdentitySettings, os.environ)
    signer = Signer(settings.secret("signing.key"))
    answers_secret = bytes.fromhex(settings.secret("answers.key"))
    judge = AnswersHandler(
        codes_public=read_public(settings.trust_dir, "codes"),
        sealing=SealingKey.from_hex(settings.secret("sealing.key")),
        answers_secret=answers_secret,
        signer=signer,
        clock=SystemClock(),
    )
    staff = StaffList(settings.required_staff_file())
    async with Service("identity", settings) as service:
        pool = await service.wait_for("PostgreSQL", lambda: connect(settings, CONNECTIONS))
        service.on_stop("pool", pool.close)
        service.add_check("postgres", lambda: ping(pool))
        await service.wait_for("Kafka", lambda: topics.check(settings.kafka))
        producer = Producer(settings.kafka, settings.instance)
        await service.wait_for("Kafka", producer.start)
        service.on_stop("producer", producer.stop)
        outbox = Outbox(pool, producer, signer, "identity")
        accounting = Accounting(pool, outbox, answers_secret)
        replayed = law_stream(settings)
        law = Stream(
            replayed.consumer,
            replayed.topics,
            replayed.handlers,
            replayed.store,
            pool,
            settings,
            outbox,
            after_commit=accounting.note,
            trust=replayed.trust,
        )
        # A repeated request gets the same reply; a repeated attempt isn't counted again either way.
        answering, answers_store = remember_replies(answers_handlers(judge), AnswersStore())
        answers = Stream(
            ANSWERS_CONSUMER,
            ANSWERS_TOPICS,
            answering,
            answers_store,
            pool,
            settings,
            outbox,
            trust=replayed.trust,
            dedupe_events=False,
        )
        importer = RollImporter(pool, outbox, answers_secret, SystemClock())
        handlers = IdentityApi(pool, outbox, importer, Officials(outbox, SystemClock()))
        service.add_task("outbox", outbox.run())
        service.add_task("law", law.run())
        service.add_task("answers", answers.run())
        service.add_task("accounts", accounting.run())
        service.add_check("outbox", outbox.status)
        service.add_check("law", law.status)
        service.add_check("answers", answers.status)
        service.add_check("accounts", accounting.status)
        service.add_api(make_api(handlers, staff).app())
        await service.run_until_stopped()


def law_stream(settings: IdentitySettings) -> ReplayStream[LawWork]:
    """The consumer of the law topics, as it runs and as it is replayed."""
    return ReplayStream(
        LAW_CONSUMER,
        LAW_TOPICS,
        LAW_HANDLERS,
        LawStore(),
        trust=SignaturePolicy(settings.trust_dir),
    )


def replay_parts(settings: IdentitySettings, pool: "asyncpg.Pool[Any]") -> ReplayParts:
    """What `castonce replay` rebuilds; the roll, attempts and locks are source and left alone."""
    return ReplayParts(streams=(law_stream(settings),), derived=DERIVED_TABLES)
