"""The paper count: entered by two officers, each alone, and said to the log once they agree.

Promises that nothing is counted before every partition is closed, when the admitted envelopes are
final; that the second entry is another person's and has the same figures; and that a confirmed
count stays until two officers correct it, each with a reason, before the declaration. Must never
show the first entry to whoever makes the second.
"""

from typing import Any, Literal

import asyncpg
from msgspec import Struct
from msgspec.structs import asdict

from services.postal.domain.balance import balance
from services.postal.domain.papers import Figures, PapersGiven, differences, figures_of
from services.postal.domain.rules import joint_correction_reason
from services.postal.errors import (
    CountRefused,
    ElectionUnknown,
    NotTaken,
    PapersUncounted,
)
from services.postal.metrics import DIFFERING_ENTRIES
from services.postal.store import accounts, scans
from services.postal.store import papers as store
from services.postal.store.papers import Entry, PaperElection
from shared.consumer_types import Emission, Sql
from shared.contracts.message import statement_event_id
from shared.contracts.postal import PapersCorrected, PapersCounted
from shared.kafka.outbox import Outbox
from shared.logs import get_logger
from shared.postgres.pool import connection

log = get_logger()


class PapersSeen(Struct, frozen=True, kw_only=True):
    """`pending`: another officer must enter the same figures; `confirmed`: here they are.

    `correction` is the number of the correction that stands, 0 for the first count;
    `pending_correction` names who has begun another one.
    """

    election_id: str
    state: Literal["pending", "confirmed"]
    first_official: str
    second_official: str | None = None
    figures: Figures | None = None
    correction: int = 0
    pending_correction: str | None = None


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
        known = await store.entries(sql, election_id)
        if known and known[0].is_confirmed:
            status = await self._after_the_first(sql, election, known, given, (figures, official))
        else:
            status = await self._first(sql, election, known, given, (figures, official))
        return status, papers_seen(election_id, await store.entries(sql, election_id))

    async def _first(
        self,
        sql: Sql,
        election: PaperElection,
        known: list[Entry],
        given: PapersGiven,
        entered: tuple[Figures, str],
    ) -> int:
        """Enter the count, or confirm it."""
        figures, official = entered
        if given.correct:
            raise CountRefused(
                "There is no confirmed count to correct: enter it without --correct.",
                code="nothing_to_correct",
            )
        if not known or _may_replace(known[0], official, given):
            await store.enter(sql, election.election_id, figures, official)
            return 202
        _require_same(known[0], figures, election)
        await store.confirm(sql, election.election_id, official)
        await self._say(sql, _counted(election.election_id, known[0], official))
        return 200

    async def _after_the_first(
        self,
        sql: Sql,
        election: PaperElection,
        known: list[Entry],
        given: PapersGiven,
        entered: tuple[Figures, str],
    ) -> int:
        """Correct the count that stands, or hear that these are its figures."""
        figures, official = entered
        stands = [entry for entry in known if entry.is_confirmed][-1]
        if figures == stands.figures:
            return 200
        if not given.correct:
            where = "; ".join(differences(stands.figures, figures, election.questions))
            raise CountRefused(
                f"The papers were counted and confirmed with other figures ({where}). If they are"
                " wrong, two officers correct them: --correct, and --reason.",
                code="already_counted",
            )
        if not given.reason.strip():
            raise CountRefused("Say why the count is corrected: reason.", code="reason_missing")
        if election.phase == "declared":
            raise CountRefused(
                "The election is declared: its paper count can't be corrected any more.",
                code="declared",
            )
        return await self._correct(sql, election, known[-1], given, (figures, official))

    async def _correct(
        self,
        sql: Sql,
        election: PaperElection,
        last: Entry,
        given: PapersGiven,
        entered: tuple[Figures, str],
    ) -> int:
        figures, official = entered
        if last.is_confirmed or _may_replace(last, official, given):
            number = last.correction + last.is_confirmed
            begun = Entry(figures, official, None, number, given.reason)
            await store.enter_correction(sql, election.election_id, begun)
            return 202
        _require_same(last, figures, election)
        await store.confirm_correction(
            sql, election.election_id, last.correction, official, given.reason
        )
        reason = joint_correction_reason(last.reason, given.reason)
        counted = asdict(_counted(election.election_id, last, official))
        await self._say(sql, PapersCorrected(**counted, correction=last.correction, reason=reason))
        return 200

    async def _say(self, sql: Sql, said: PapersCounted | PapersCorrected) -> None:
        event_id = statement_event_id(said.election_id, said)
        await self._outbox.add(sql, [Emission(said, event_id, said.election_id)])

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
            known = await store.entries(sql, election_id)
        if not known:
            raise PapersUncounted()
        return papers_seen(election_id, known)


def _may_replace(known: Entry, official: str, given: PapersGiven) -> bool:
    return known.first_official == official or given.anew


def _require_same(first: Entry, figures: Figures, election: PaperElection) -> None:
    differing = differences(first.figures, figures, election.questions)
    if not differing:
        return
    # Where they differ is told, so many tries could fit the second count to the first: they show.
    DIFFERING_ENTRIES.inc()
    log.warning("paper_counts_differ", election=election.election_id, figures=len(differing))
    raise CountRefused(
        f"The first entry, by {first.first_official}, has other figures: {'; '.join(differing)}."
        " Count again what differs; who was wrong enters it again. If the first entry was wrong"
        " and its author is away, enter yours anew, and another officer confirms it.",
        code="entries_differ",
    )


def papers_seen(election_id: str, known: list[Entry]) -> PapersSeen:
    """What is shown of a count: no figure before it is confirmed."""
    confirmed = [entry for entry in known if entry.is_confirmed]
    shown = confirmed[-1] if confirmed else known[0]
    begun = known[-1] if confirmed and not known[-1].is_confirmed else None
    return PapersSeen(
        election_id=election_id,
        state="confirmed" if confirmed else "pending",
        first_official=shown.first_official,
        second_official=shown.second_official,
        figures=shown.figures if confirmed else None,
        correction=shown.correction,
        pending_correction=None if begun is None else begun.first_official,
    )


def _counted(election_id: str, first: Entry, second: str) -> PapersCounted:
    figures = first.figures
    return PapersCounted(
        election_id=election_id,
        valid=figures.valid,
        rejected=figures.rejected,
        questions=figures.questions,
        officials=[first.first_official, second],
    )
