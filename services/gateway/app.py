"""Puts the gateway together: settings, adapters, caches, doors; nothing else builds adapters."""

import asyncio
import os
from functools import partial

from services.gateway.api import Lobby, make_api
from services.gateway.ballots import Ballots
from services.gateway.config import GatewaySettings
from services.gateway.domain.directory import Directory
from services.gateway.domain.handed_over import HandedOver
from services.gateway.domain.outcomes import Outcomes
from services.gateway.domain.wariness import Wariness
from services.gateway.door import Door
from services.gateway.elections import Elections
from services.gateway.handover import Handover
from services.gateway.pages import Pages
from services.gateway.store import Sessions
from services.gateway.stream import ELECTION_TYPES, OUTCOME_TYPES, Outlook
from services.gateway.visits import ANSWERS, Visits
from services.gateway.waiting import Waiting
from shared.clock import Clock, SystemClock
from shared.config import load
from shared.contracts.permits import Receipt
from shared.contracts.topics import BALLOTS, ELECTIONS
from shared.errors import SettingsError
from shared.kafka import topics
from shared.kafka.lanes import Lanes
from shared.kafka.producer import Producer
from shared.kafka.requests import Requester
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.tail import Tail
from shared.keys import read_public, verify
from shared.logs import get_logger
from shared.postgres.pool import connect, is_transient, ping
from shared.service import Service
from shared.web.assets import Assets
from shared.web.front import Front
from shared.web.manifest import Manifest
from shared.web.pages import Site

SETTINGS = GatewaySettings
CONNECTIONS = 6
LANES = 3
"""Connections to the broker for ballots: it flushes the partitions of one in turn."""
FORGET_SECONDS = 60.0

log = get_logger()


async def main() -> None:
    """Run until SIGTERM."""
    settings = load(GatewaySettings, os.environ)
    clock = SystemClock()
    directory, wariness = Directory(), Wariness()
    votes_key = read_public(settings.trust_dir, "votes")
    outcomes = Outcomes(partial(_holds, votes_key))
    waiting = Waiting(outcomes, lambda: wariness.alarm(clock.now_ms()))
    door = Door(settings, clock.now_ms())
    outlook = Outlook(directory, waiting, wariness, votes_key=votes_key, clock=clock)
    trust = SignaturePolicy(settings.trust_dir)
    front = _front(settings)
    manifest = _manifest(settings, front)
    async with Service("gateway", settings) as service:
        pool = await service.wait_for("PostgreSQL", lambda: connect(settings, CONNECTIONS))
        service.on_stop("pool", pool.close)
        service.add_check("postgres", lambda: ping(pool))
        await service.wait_for("Kafka", lambda: topics.check(settings.kafka))
        # Ballots and questions have a client each: one that is stuck doesn't stop the other.
        ballots_out = Lanes(settings.kafka, f"{settings.instance}-ballots", LANES)
        questions_out = Producer(settings.kafka, f"{settings.instance}-questions")
        handover = Handover(ballots_out)
        for name, part, stop in (
            ("ballots out", ballots_out, handover.stop),
            ("questions out", questions_out, questions_out.stop),
        ):
            await service.wait_for("Kafka", part.start)
            service.on_stop(name, stop)
        sessions = Sessions(pool)
        requester = Requester(pool, questions_out, settings, answers=ANSWERS, clock=clock)
        read_elections = Tail(
            [ELECTIONS],
            True,
            outlook.election,
            settings=settings,
            trust=trust,
            types=ELECTION_TYPES,
        )
        decided = Tail(
            [BALLOTS],
            False,
            outlook.outcome,
            settings=settings,
            trust=SignaturePolicy.none(),
            types=OUTCOME_TYPES,
        )
        elections = Elections(directory, read_elections.status)
        lobby = Lobby(elections, door, clock)
        pages = Pages(elections, door, clock, front=front, manifest=manifest)
        visits = Visits(elections, sessions, requester, wariness=wariness, door=door, clock=clock)
        ballots = Ballots(
            elections,
            outcomes,
            waiting,
            handed_over=HandedOver(),
            handover=handover,
            wariness=wariness,
            door=door,
            clock=clock,
        )
        for name, reader in (
            ("elections", read_elections),
            ("outcomes", decided),
            ("requester", requester),
        ):
            service.add_task(name, reader.run())
            service.add_check(name, reader.status)
        service.add_task("handover", handover.watch())
        service.add_check("handover", handover.status)
        service.add_task("patience", waiting.watch())
        service.add_task("old sessions", _forget_old(sessions, clock))
        service.add_api(make_api(lobby, visits, ballots, pages).app())
        await service.run_until_stopped()


def _front(settings: GatewaySettings) -> Front:
    links = {"board": settings.board_url}
    assets = Assets.load("booth")
    return Front(Site(assets, "booth", zone=settings.zone(), is_tls=settings.is_tls, links=links))


def _manifest(settings: GatewaySettings, front: Front) -> bytes:
    """The release's manifest, if it says what is served here; without one, what is served here."""
    own = Manifest.of(front.site)
    if settings.booth_manifest is None:
        return own.encode()
    raw = settings.booth_manifest.read_bytes()
    if Manifest.parse(raw).signed_text() != own.signed_text():
        raise SettingsError(
            "CASTONCE_BOOTH_MANIFEST is of another release than the pages here. Take the file that"
            " was made with this release (castonce audit manifest)."
        )
    return raw


def _holds(votes_key: str, receipt: Receipt) -> bool:
    return verify(votes_key, receipt.signed_text(), receipt.signature)


async def _forget_old(sessions: Sessions, clock: Clock) -> None:
    """Delete the visits that are over, for ever."""
    while True:
        try:
            await sessions.forget_expired(clock.now_ms())
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("sessions_kept", reason=type(error).__name__)  # the next round deletes them
        await asyncio.sleep(FORGET_SECONDS)
