"""The encrypted sum of each election's accepted ballots, carried on with each fetch.

Promises that a ballot is in the sum once, however often it stands in the log, and that the sum is
written once per fetch and election.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import msgspec

from ballots import election, tally
from ballots.election import Election
from ballots.tally import EncryptedTally
from shared.consumer_types import Record, Sql
from shared.contracts.votes import BallotAccepted

_TOTALS: Final = msgspec.json.Decoder(EncryptedTally)
_KNOWN = """
    select election_id, tracker from tallied_ballots
     where (election_id, tracker) in (select * from unnest($1::text[], $2::text[]))
"""
_REMEMBER = """
    insert into tallied_ballots (election_id, tracker)
    select * from unnest($1::text[], $2::text[])
"""
_WRITE = """
    insert into tallies (election_id, ballots, encrypted_sums) values ($1, $2, $3)
    on conflict (election_id) do update
    set ballots = tallies.ballots + excluded.ballots, encrypted_sums = excluded.encrypted_sums
"""


@dataclass
class Sums:
    """What the ballots of one fetch are added to, and which they are."""

    elections: dict[str, Election]
    totals: dict[str, EncryptedTally]
    known: set[tuple[str, str]]
    ballots: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """New ones, by election and tracker."""

    def add(self, accepted: BallotAccepted) -> None:
        """A ballot is to be in the sum; one that is in it already stays in it once."""
        if (accepted.election_id, accepted.tracker) not in self.known:
            of_election = self.ballots.setdefault(accepted.election_id, {})
            of_election[accepted.tracker] = bytes(accepted.ballot)


class BallotStore:
    """The unit of work of the stream of ballots."""

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> Sums:
        """The sums of the elections that these ballots are of, and which are in them."""
        accepted = [one.message for one in records]
        names = sorted({one.election_id for one in accepted})
        rows = await sql.fetch(
            "select elections.election_id, election, encrypted_sums from elections"
            " left join tallies using (election_id) where election_id = any($1::text[])",
            names,
        )
        elections = {row["election_id"]: _parsed(row["election"]) for row in rows}
        totals = {
            row["election_id"]: _totals(elections[row["election_id"]], row["encrypted_sums"])
            for row in rows
        }
        return Sums(elections, totals, await _known(sql, accepted))

    async def save(self, sql: Sql, work: Sums) -> None:
        """Add each election's new ballots to its sum; raises BallotError for one of no use."""
        for name, ballots in sorted(work.ballots.items()):
            totals = tally.add(work.elections[name], work.totals[name], ballots.values())
            await sql.execute(_WRITE, name, len(ballots), tally.encode(totals).decode())
            await sql.execute(_REMEMBER, [name] * len(ballots), list(ballots))


async def running(sql: Sql, election_id: str) -> tuple[int, str | None]:
    """How many ballots are in the sum, and the sum; 0 and None before the first."""
    row = await sql.fetchrow(
        "select ballots, encrypted_sums from tallies where election_id = $1", election_id
    )
    return (0, None) if row is None else (row["ballots"], row["encrypted_sums"])


async def _known(sql: Sql, accepted: Iterable[BallotAccepted]) -> set[tuple[str, str]]:
    asked = list(accepted)
    rows = await sql.fetch(
        _KNOWN, [one.election_id for one in asked], [one.tracker for one in asked]
    )
    return {(row["election_id"], row["tracker"]) for row in rows}


@lru_cache(maxsize=64)
def _parsed(raw: str) -> Election:
    return election.parse(raw.encode())


def _totals(about: Election, kept: str | None) -> EncryptedTally:
    # `tally.add` checks shape and points of what it adds to.
    return tally.nothing(about) if kept is None else _TOTALS.decode(kept)
