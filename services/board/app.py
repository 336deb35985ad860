"""Puts `board` together: settings, adapters, two streams, the files, the public listener."""

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import IO, Any

import asyncpg

from services.board import metrics
from services.board.announced import TOPICS, TYPES, Announced
from services.board.api import BoardApi
from services.board.config import BoardSettings
from services.board.door import Door
from services.board.endings import Endings
from services.board.files import lock_folder
from services.board.lease import Lease
from services.board.lookup import Lookup
from services.board.pages.handlers import Pages
from services.board.public import Notary, PublicBoards
from services.board.publishing import Publishing
from services.board.routes import make_api
from services.board.store import entries, sequencing
from services.board.stream import DERIVED_TABLES, entries_parts, sequencing_parts
from shared.clock import SystemClock
from shared.config import load
from shared.consumer_types import Record
from shared.kafka import topics
from shared.kafka.outbox import Outbox
from shared.kafka.producer import Producer
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.stream import AfterCommit, Stream
from shared.kafka.tail import Tail
from shared.keys import Signer, read_public
from shared.logs import get_logger
from shared.postgres.pool import connect, ping
from shared.replay import ReplayParts, ReplayStream
from shared.service import Service
from shared.web.assets import Assets
from shared.web.front import Front
from shared.web.pages import Site

SETTINGS = BoardSettings
CONNECTIONS, READERS = 6, 4
"""For two streams, the outbox and the files; and apart from these for what the public asks."""
log = get_logger()


async def main() -> None:
    """Run until SIGTERM."""
    settings = load(BoardSettings, os.environ)
    signer = Signer(settings.secret("signing.key"))
    boards = PublicBoards(Notary(settings.board_name, settings.secret("checkpoint.key")))
    trust, elections_key = _trusted(settings)
    front = _front(settings)
    async with Service("board", settings) as service:
        pool = await service.wait_for("PostgreSQL", lambda: connect(settings, CONNECTIONS))
        service.on_stop("pool", pool.close)
        service.add_check("postgres", lambda: ping(pool))
        lease = Lease(settings)
        service.on_stop("lease", lease.close)
        await service.wait_for("the right to write the board", lease.hold)
        _lock = await service.wait_for("the archive folder", lambda: _locked(settings))
        await service.wait_for("Kafka", lambda: topics.check(settings.kafka))
        producer = Producer(settings.kafka, settings.instance)
        await service.wait_for("Kafka", producer.start)
        service.on_stop("producer", producer.stop)
        outbox = Outbox(pool, producer, signer, "board")
        publishing = Publishing(pool, lease, boards, outbox, settings.archive_dir)
        await service.wait_for("the public files", publishing.publish)
        told = _stream(sequencing_parts(pool, trust, elections_key), pool, settings, outbox, alarm)
        back = _stream(entries_parts(trust), pool, settings, outbox, _waking(publishing))
        for name, part in (
            ("outbox", outbox),
            ("stream", told),
            ("entries", back),
            ("files", publishing),
        ):
            service.add_task(name, part.run())
            service.add_check(name, part.status)
        service.add_task("endings", Endings(pool).run())
        readers = await service.wait_for(
            "PostgreSQL", lambda: connect(settings.of_readers(), READERS)
        )
        service.on_stop("readers", readers.close)
        lookup, door = Lookup(readers, settings.archive_dir), Door(settings, SystemClock())
        announced = Announced()
        said = Tail(TOPICS, True, announced.take, settings=settings, trust=trust, types=TYPES)
        service.add_task("announcements", said.run())
        service.add_check("announcements", said.status)
        pages = Pages(
            boards, lookup, door, front=front, announced=announced, address=settings.address()
        )
        service.add_api(make_api(BoardApi(boards, lookup, door), pages, front).app())
        await service.run_until_stopped()


def replay_parts(settings: BoardSettings, pool: "asyncpg.Pool[Any]") -> ReplayParts:
    """Both streams; the bytes of the files are compared through the hashes in `entries`."""
    trust, elections_key = _trusted(settings)
    streams = (sequencing_parts(pool, trust, elections_key), entries_parts(trust))
    return ReplayParts(streams=streams, derived=DERIVED_TABLES)


def _front(settings: BoardSettings) -> Front:
    assets, links = Assets.load("board"), {"booth": settings.booth_url}
    return Front(Site(assets, "board", zone=settings.zone(), is_tls=settings.is_tls, links=links))


async def _locked(settings: BoardSettings) -> IO[str]:
    return await asyncio.to_thread(lock_folder, settings.archive_dir)


def _trusted(settings: BoardSettings) -> tuple[SignaturePolicy, str]:
    return SignaturePolicy(settings.trust_dir), read_public(settings.trust_dir, "elections")


def _stream(
    parts: ReplayStream[Any],
    pool: "asyncpg.Pool[Any]",
    settings: BoardSettings,
    outbox: Outbox,
    after_commit: AfterCommit[Any],
) -> Stream[Any]:
    return Stream(
        parts.consumer,
        parts.topics,
        parts.handlers,
        parts.store,
        pool,
        settings,
        outbox,
        prepare=parts.prepare,
        after_commit=after_commit,
        trust=parts.trust,
        dedupe_events=parts.dedupe_events,
    )


def _waking(publishing: Publishing) -> Callable[[entries.Work, Sequence[Record[Any]]], None]:
    def after_commit(_: entries.Work, __: Sequence[Record[Any]]) -> None:
        publishing.wake()

    return after_commit


def alarm(work: sequencing.Work, _: Sequence[Record[Any]]) -> None:
    """Tell operators what only a person can explain."""
    for refused in work.refused:
        metrics.REFUSED.labels(refused.topic, refused.reason).inc()
        log.error("record_refused", **refused._asdict())
    for election_id in work.changed:
        known = work.sheets[election_id]
        metrics.SURPLUS.labels(election_id).set(known.surplus)
        metrics.OTHER_LIST.labels(election_id).set(known.is_other_list)
        metrics.OVERSTATED.labels(election_id).set(known.is_overstated)
        if known.is_overstated:
            log.error("credentials_overstated", election=election_id)
        if known.surplus:
            log.error("surplus_ballots", election=election_id, ballots=known.surplus)
        if known.is_other_list:
            log.error("other_credential_list", election=election_id)
