"""Batches of envelopes, and the balance of envelopes.

Promises that a closed batch takes nothing in and has no scan without a decision, so that its paper
count can be compared with a number that doesn't move.
"""

from typing import Any

import asyncpg
from msgspec import Struct

from services.postal.counting import PapersSeen, papers_seen
from services.postal.domain.balance import Balance, balance
from services.postal.domain.rules import require_counting
from services.postal.errors import BatchRefused, BatchUnknown, ElectionUnknown
from services.postal.store import accounts, papers
from services.postal.store import scans as store
from shared.consumer_types import Sql
from shared.postgres.pool import connection


class EnvelopeCounts(Struct, frozen=True, kw_only=True):
    """Envelopes by state: received = admitted + set aside + voided + undecided."""

    received: int
    admitted: int
    set_aside: dict[str, int]
    voided: int
    undecided: int
    is_balanced: bool


class BatchSeen(Struct, frozen=True, kw_only=True):
    """One batch with its envelopes."""

    number: int
    is_open: bool
    envelopes: EnvelopeCounts


class EnvelopeBalance(EnvelopeCounts, frozen=True, kw_only=True):
    """The balance of an election, in total and by batch (P11).

    `unrecorded`: envelopes that `votes` decided about and no scan here accounts for; always 0,
    unless this database was restored from an older copy. `packs_known`: serials of this election
    that postal has been told of; scanning begins when that is every pack that was sent out.
    `is_final`: the election is over, and these figures were said of it. `papers`: their count, None
    before the first entry.
    """

    election_id: str
    phase: str
    batches: list[BatchSeen]
    unrecorded: int
    packs_known: int
    is_final: bool
    papers: PapersSeen | None


class ElectionLine(Struct, frozen=True):
    """An election and its phase."""

    election_id: str
    phase: str


class ElectionList(Struct, frozen=True):
    """Elections with a postal channel."""

    elections: list[ElectionLine]


class Batching:
    """What officials do with batches."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def elections(self) -> ElectionList:
        """Elections with a postal channel."""
        async with connection(self._pool) as sql:
            found = await store.elections(sql)
        return ElectionList([ElectionLine(*one) for one in found])

    async def close(self, sql: Sql, election_id: str, number: int, official: str) -> BatchSeen:
        """Close a batch, in the caller's transaction; raises BatchUnknown or BatchRefused."""
        if await store.lock_batch(sql, election_id, number) is None:
            raise BatchUnknown()
        undecided = await store.undecided_in(sql, election_id, number)
        if undecided:
            raise BatchRefused(
                f"{undecided} scans of batch {number} await their decision: try again in a moment.",
                code="batch_undecided",
                undecided=undecided,
            )
        await store.set_batch(sql, election_id, number, False, official)
        return await _seen(sql, election_id, number)

    async def reopen(self, sql: Sql, election_id: str, number: int, official: str) -> BatchSeen:
        """Open a batch again; raises BatchUnknown, ElectionUnknown or NotTaken."""
        election = await store.election(sql, election_id)
        if election is None:
            raise ElectionUnknown()
        require_counting(election.phase)
        if await store.lock_batch(sql, election_id, number) is None:
            raise BatchUnknown()
        await store.set_batch(sql, election_id, number, True, official)
        return await _seen(sql, election_id, number)

    async def balance(self, election_id: str) -> EnvelopeBalance:
        """Where every envelope of the election has ended up; raises ElectionUnknown."""
        async with connection(self._pool) as sql:
            election = await store.election(sql, election_id)
            if election is None:
                raise ElectionUnknown()
            groups = await store.groups(sql, election_id)
            known = await store.batches(sql, election_id)
            packs_known = await store.count_packs(sql, election_id)
            is_final = await accounts.is_accounted(sql, election_id)
            entries = await papers.entries(sql, election_id)
        total, by_batch = balance((g.batch, g.state, g.envelopes) for g in groups)
        return EnvelopeBalance(
            election_id=election_id,
            phase=election.phase,
            **_figures(total),
            batches=[
                BatchSeen(
                    number=number,
                    is_open=is_open,
                    envelopes=_counts(by_batch.get(number, Balance())),
                )
                for number, is_open in known.items()
            ],
            unrecorded=sum(g.envelopes for g in groups if not g.is_recorded),
            packs_known=packs_known,
            is_final=is_final,
            papers=papers_seen(election_id, entries) if entries else None,
        )


async def _seen(sql: Sql, election_id: str, number: int) -> BatchSeen:
    known = await store.batches(sql, election_id)
    groups = await store.groups(sql, election_id)
    _, by_batch = balance((g.batch, g.state, g.envelopes) for g in groups)
    counts = _counts(by_batch.get(number, Balance()))
    return BatchSeen(number=number, is_open=known[number], envelopes=counts)


def _counts(counted: Balance) -> EnvelopeCounts:
    return EnvelopeCounts(**_figures(counted))


def _figures(counted: Balance) -> dict[str, Any]:
    return {
        "received": counted.received,
        "admitted": counted.admitted,
        "set_aside": dict(sorted(counted.set_aside.items())),
        "voided": counted.voided,
        "undecided": counted.undecided,
        "is_balanced": counted.is_balanced,
    }
