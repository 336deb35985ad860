"""The paper count: entered by two officers, each alone, and said to the log once they agree.

Promises that nothing is counted before every partition is closed, when the admitted envelopes are
final; that the second entry is another person's and has the same figures; and that a confirmed
count never changes. Must never show the first entry to whoever makes the second.
"""

from typing import Any, Literal

import asyncpg
from msgspec import Struct

from services.postal.domain.balance import balance
from services.postal.domain.papers import Figures, PapersGiven, differences, figures_of
from services.postal.errors import (
    CountRefused,
    ElectionUnknown,
    NotTaken,
    PapersUncounted,
)
from services.postal.store import accounts, scans
from services.postal.store import papers as store
from services.postal.store.papers import Entry, PaperElection
from shared.consumer_types import Emission, Sql
from shared.contracts.message import derived_event_id
from shared.contracts.postal import PapersCounted
from shared.kafka.outbox import Outbox
from shared.postgres.pool import connection


class PapersSeen(Struct, frozen=True, kw_only=True):
    """`pending`: another officer must enter the same figures; `confirmed`: here they are."""

    election_id: str
    state: Literal["pending", "confirmed"]
    first_official: str
    second_official: str | None = None
    figures: Figures | None = None


class Counting:
    """What officers do about papers."""

    def __init__(self, pool: "asyncpg.Pool[Any]", outbox: Outbox) -> None:
        self._pool = pool
        self._outbox = outbox

    async def enter(
        self, sql: Sql, election_id: str, given: PapersGiven, official: str
    ) -> tuple[int, PapersSeen]:
        """Enter a count, or confirm one, in the caller's transaction: 202 pending, or 200.

        Raises ElectionUnknown, NotTaken, PapersRefused or CountRefused.
        """
        await store.lock(sql, election_id)
        election = await self._open_election(sql, election_id)
        total, _ = balance(
            (g.batch, g.state, g.envelopes) for g in await scans.groups(sql, election_id)
        )
        figures = figures_of(given, election.questions, total.admitted)
        known = await store.entry(sql, election_id)
        if known is None or _may_replace(known, official, given):
            await store.enter(sql, election_id, figures, official)
            return 202, papers_seen(election_id, Entry(figures, official, None))
        _require_same(known, figures, election)
        if known.second_official is not None:
            return 200, papers_seen(election_id, known)
        await store.confirm(sql, election_id, official)
        confirmed = Entry(figures, known.first_official, official)
        await self._outbox.add(sql, [_counted(election_id, confirmed)])
        return 200, papers_seen(election_id, confirmed)

    @staticmethod
    async def _open_election(sql: Sql, election_id: str) -> PaperElection:
        election = await store.election(sql, election_id)
        if election is None:
            raise ElectionUnknown()
        if not election.takes_post:
            raise NotTaken("This election has no postal channel.", code="no_postal_channel")
        if not await accounts.is_closed(sql, election_id):
            raise CountRefused(
                "The post isn't closed on every partition yet, so an envelope could still be "
                "admitted: close the post, and try again in a moment.",
                code="not_closed",
            )
        return election

    async def show(self, election_id: str) -> PapersSeen:
        """The paper count; raises PapersUncounted."""
        async with connection(self._pool) as sql:
            known = await store.entry(sql, election_id)
        if known is None:
            raise PapersUncounted()
        return papers_seen(election_id, known)


def _may_replace(known: Entry, official: str, given: PapersGiven) -> bool:
    is_theirs = known.first_official == official
    return known.second_official is None and (is_theirs or given.anew)


def _require_same(known: Entry, figures: Figures, election: PaperElection) -> None:
    differing = differences(known.figures, figures, election.questions)
    if not differing:
        return
    where = "; ".join(differing)
    if known.second_official is not None:
        raise CountRefused(
            f"The papers were counted and confirmed with other figures ({where}). A confirmed "
            "count never changes.",
            code="already_counted",
        )
    raise CountRefused(
        f"The first entry, by {known.first_official}, has other figures: {where}. Count again "
        "what differs; who was wrong enters it again. If the first entry was wrong and its "
        "author is away, enter yours anew, and another officer confirms it.",
        code="entries_differ",
    )


def papers_seen(election_id: str, known: Entry) -> PapersSeen:
    """What is shown of a count: no figure before it is confirmed."""
    is_confirmed = known.second_official is not None
    return PapersSeen(
        election_id=election_id,
        state="confirmed" if is_confirmed else "pending",
        first_official=known.first_official,
        second_official=known.second_official,
        figures=known.figures if is_confirmed else None,
    )


def _counted(election_id: str, confirmed: Entry) -> Emission:
    figures = confirmed.figures
    message = PapersCounted(
        election_id=election_id,
        valid=figures.valid,
        rejected=figures.rejected,
        questions=figures.questions,
        officials=[confirmed.first_official, confirmed.second_official or ""],
    )
    return Emission(message, derived_event_id(election_id, "PapersCounted"), election_id)
