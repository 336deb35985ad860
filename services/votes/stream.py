"""What votes reads and how: `castonce.rights.v1`, screened and verified before each transaction.

Promises that a ballot costs a verification only if it has a valid permit and names the credential
that stands for its right, and that every verdict is there before the fold asks. Only records and
books go into a verdict: no clock, no other topic.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from msgspec import structs

from services.votes import metrics
from services.votes.config import VotesSettings
from services.votes.domain import fold
from services.votes.domain.ledger import Books, Ledger, Powers
from services.votes.domain.state import VerdictKey
from services.votes.handlers import HANDLERS, refuse
from services.votes.ports import Verifier
from services.votes.signatures import CORES, Signatures
from services.votes.store import VotesStore
from shared.consumer_types import Record
from shared.contracts.topics import RIGHTS
from shared.kafka.signatures import SignaturePolicy
from shared.postgres.pool import connection
from shared.replay import ReplayStream

CONSUMER = "votes"


class Screening:
    """Works out the verdicts of a fetch before its transaction; implements `ports.Verdicts`."""

    def __init__(
        self, pool: "asyncpg.Pool[Any]", powers: Powers, verifier: Verifier, signatures: Signatures
    ) -> None:
        self._pool = pool
        self._powers = powers
        self._verifier = verifier
        self._signatures = signatures
        self._known: Mapping[VerdictKey, bool] = {}
        self.store = VotesStore(powers, self)

    def known(self) -> Mapping[VerdictKey, bool]:
        """The verdicts on the fetch at hand."""
        return self._known

    async def prepare(self, records: Sequence[Record[Any]]) -> None:
        """Read the books, find out which ballots' proofs matter, and have them verified."""
        reading = asyncio.create_task(self._read(records))
        await asyncio.sleep(0)  # the question is on its way to PostgreSQL
        try:
            await self._signatures.check(self.store.known_before, self._powers, records)
        finally:
            books = await reading
        wanted = fold.wanted_verdicts(books, self._powers, records)
        self._known = await self._verifier.verify(wanted) if wanted else {}

    async def _read(self, records: Sequence[Record[Any]]) -> Books:
        async with connection(self._pool) as sql:
            return await self.store.books(sql, records)

    def after_commit(self, work: Ledger, records: Sequence[Record[Any]]) -> None:
        """Count what was decided."""
        metrics.count(work)


def stream_parts(
    pool: "asyncpg.Pool[Any]", powers: Powers, verifier: Verifier, threads: int = CORES
) -> tuple[ReplayStream[Ledger], Screening]:
    """The one stream of votes, for the service and for a replay alike; `threads` check permits."""
    signatures = Signatures(powers.verify, threads)
    remembering = powers._replace(verify=signatures.verify)
    screening = Screening(pool, remembering, verifier, signatures)
    parts = ReplayStream(
        CONSUMER,
        (RIGHTS,),
        HANDLERS,
        screening.store,
        trust=SignaturePolicy.none(),
        prepare=screening.prepare,
        on_malformed=refuse,
        dedupe_events=False,
        divide=settings_of_one,
    )
    return parts, screening


def settings_of_one(settings: VotesSettings, processes: int) -> VotesSettings:
    """For one of so many processes that replay some partitions each: its part of the cores."""
    return structs.replace(settings, verifiers=max(1, settings.verifiers // processes))
