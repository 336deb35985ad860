"""Puts `votes` together: settings, adapters, the stream; nothing else builds adapters.

Votes has no API: nobody can call it. It reads one topic and answers on two.
"""

import os
from typing import Any

import asyncpg

from services.votes.config import VotesSettings
from services.votes.domain.ledger import Powers, Sign, arrange
from services.votes.ports import Verifier
from services.votes.store import DERIVED_TABLES
from services.votes.stream import stream_parts
from services.votes.verifiers import Verifiers
from shared.config import load
from shared.contracts.topics import BALLOTS
from shared.kafka import topics
from shared.kafka.lanes import Lanes
from shared.kafka.outbox import Outbox
from shared.kafka.stream import Stream
from shared.keys import Signer, read_public, verify
from shared.postgres.pool import connect, ping
from shared.replay import ReplayParts
from shared.service import Service

SETTINGS = VotesSettings
CONNECTIONS = 4
"""The stream's reading and writing, the outbox, and one to spare."""
LANES = 3
"""Connections to the broker: one for outcomes, two for decisions."""


async def main(verifier: Verifier | None = None) -> None:
    """Run until SIGTERM; `verifier` stands in for the real processes in a benchmark."""
    settings = load(VotesSettings, os.environ)
    signer = Signer(settings.secret("signing.key"))
    async with Service("votes", settings) as service:
        if verifier is None:
            verifier = await started_verifiers(service, settings)
        pool = await service.wait_for("PostgreSQL", lambda: connect(settings, CONNECTIONS))
        service.on_stop("pool", pool.close)
        service.add_check("postgres", lambda: ping(pool))
        await service.wait_for("Kafka", lambda: topics.check(settings.kafka))
        producer = Lanes(settings.kafka, settings.instance, LANES, lane)
        await service.wait_for("Kafka", producer.start)
        service.on_stop("producer", producer.stop)
        outbox = Outbox(pool, producer, signer, "votes")
        parts, screening = stream_parts(pool, powers(settings, signer.sign), verifier)
        stream = Stream(
            parts.consumer,
            parts.topics,
            parts.handlers,
            parts.store,
            pool,
            settings,
            outbox,
            prepare=parts.prepare,
            after_commit=screening.after_commit,
            trust=parts.trust,
            dedupe_events=parts.dedupe_events,
            on_malformed=parts.on_malformed,
            arrange=arrange,
        )
        service.add_task("outbox", outbox.run())
        service.add_task("stream", stream.run())
        service.add_check("outbox", outbox.status)
        service.add_check("stream", stream.status)
        await service.run_until_stopped()


async def started_verifiers(service: Service, settings: VotesSettings) -> Verifiers:
    """The processes that verify ballots, until the service stops."""
    verifiers = Verifiers(settings.verifiers)
    await verifiers.start()
    service.on_stop("verifiers", verifiers.stop)
    return verifiers


def powers(settings: VotesSettings, sign: Sign) -> Powers:
    """What the fold is lent: `elections` is the root of trust, everything else is in the log."""
    return Powers(read_public(settings.trust_dir, "elections"), verify, sign, {})


def lane(topic: str, partition: int) -> int:
    """Outcomes have a lane of their own: voters wait for them, and for no decision's flush."""
    return 0 if topic == BALLOTS.name else 1 + partition % (LANES - 1)


def refuse_to_sign(text: bytes) -> str:
    """Where a replay has its key: it says nothing, so it signs nothing."""
    raise RuntimeError("a replay must not sign")


def replay_parts(
    settings: VotesSettings, pool: "asyncpg.Pool[Any]", verifier: Verifier | None = None
) -> ReplayParts:
    """What `castonce replay` rebuilds: everything; `verifier` is for a benchmark."""
    verifiers = Verifiers(settings.verifiers)
    silent = powers(settings, refuse_to_sign)._replace(is_silent=True)
    parts, _ = stream_parts(pool, silent, verifier or verifiers, threads=settings.verifiers)
    return ReplayParts(streams=(parts,), derived=DERIVED_TABLES, close=verifiers.stop)
