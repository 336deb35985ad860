"""Who is believed about what: an acceptance for its receipt, a statement for its signature.

Promises that a ballot whose receipt doesn't hold under the election's own key of `votes`, or is
about another ballot, never gets near the board, whoever wrote it into the log. The ballot itself is
not looked at: that it is a valid one is for `votes` to say, and for everybody to check.

Verification takes most of the time of a ballot here: it is done before the transaction, outside of
the event loop, for all elections whose keys are known; the others wait for their setup anyway.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg

from ballots.ballot import tracker
from shared.consumer_types import Record
from shared.contracts.codes import CredentialsChanged, states_text
from shared.contracts.votes import BallotAccepted
from shared.keys import verify
from shared.postgres.pool import connection

Offset = int
"""A ballot's place on castonce.ballots.v1, which has one partition."""


class Receipts:
    """The verdicts on the ballots of the fetch at hand."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._votes_keys: dict[str, str] = {}
        self._verdicts: Mapping[Offset, bool] = {}

    async def prepare(self, records: Sequence[Record[Any]]) -> None:
        """Check the receipts of a fetch, where the election is known by now."""
        offered = [record for record in records if isinstance(record.message, BallotAccepted)]
        await self._learn_keys({record.message.election_id for record in offered})
        known = [record for record in offered if record.message.election_id in self._votes_keys]
        self._verdicts = await asyncio.to_thread(self._verified, known) if known else {}

    def _verified(self, records: Iterable[Record[BallotAccepted]]) -> dict[Offset, bool]:
        return {
            record.offset: is_accepted(record.message, self._votes_keys[record.message.election_id])
            for record in records
        }

    async def _learn_keys(self, named: set[str]) -> None:
        # The first creation counts, so a key that is known stays the same.
        unknown = named - self._votes_keys.keys()
        if unknown:
            async with connection(self._pool) as sql:
                rows = await sql.fetch(
                    "select election_id, votes_key from elections"
                    " where election_id = any($1) and votes_key is not null",
                    list(unknown),
                )
            self._votes_keys |= {row["election_id"]: row["votes_key"] for row in rows}

    def of(self, record: Record[BallotAccepted], votes_key: str) -> bool:
        """Whether this acceptance is believed; worked out now if it wasn't before."""
        known = self._verdicts.get(record.offset)
        return is_accepted(record.message, votes_key) if known is None else known


def is_accepted(said: BallotAccepted, votes_key: str) -> bool:
    """Whether `votes` accepted this very ballot in this election."""
    receipt = said.receipt
    return (
        (receipt.election_id, receipt.tracker) == (said.election_id, said.tracker)
        and tracker(bytes(said.ballot)) == said.tracker
        and verify(votes_key, receipt.signed_text(), receipt.signature)
    )


def is_stated(said: CredentialsChanged, codes_key: str) -> bool:
    """Whether `codes` made this statement about credentials."""
    text = states_text(said.election_id, said.state, said.credentials)
    return verify(codes_key, text, said.signature)
