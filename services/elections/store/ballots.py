"""The encrypted sum of each election's accepted ballots, carried on with each fetch.

Promises that a ballot is in the sum once, however often it stands in the log, that the sum is
written once per fetch and election, and that what is in no sum is written down with its reason.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

import msgspec

from ballots import election
from ballots.election import Election
from services.elections.domain.acceptances import Aside
from shared.consumer_types import Record, Sql
from shared.contracts.elections import ServiceKeys
from shared.contracts.votes import BallotAccepted

_LOOK = """
    select elections.election_id, election, keys, encrypted_sums from elections
      left join tallies using (election_id) where election_id = any($1::text[])
"""
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
_SET_ASIDE = """
    insert into set_aside_ballots (partition_number, log_offset, election_id, reason)
    values ($1, $2, $3, $4)
"""


class Polled(NamedTuple):
    """What the sum of an election needs to know of it: `sums` is None before the first ballot."""

    about: Election
    votes_key: str
    sums: str | None


@dataclass
class Sums:
    """What the ballots of one fetch are added to, and which they are."""

    polled: dict[str, Polled]
    known: set[tuple[str, str]]
    ballots: dict[str, dict[str, bytes]] = field(default_factory=dict)
    """New ones, by election and tracker."""
    aside: list[tuple[int, int, str, Aside]] = field(default_factory=list)
    """Partition, offset, election and reason of acceptances that are in no sum."""

    def is_new(self, accepted: BallotAccepted) -> bool:
        """Whether this ballot is in no sum yet, nor about to be."""
        name, tracker = accepted.election_id, accepted.tracker
        return (name, tracker) not in self.known and tracker not in self.ballots.get(name, ())

    def add(self, accepted: BallotAccepted) -> None:
        """A ballot is to be in the sum; one that is in it already stays in it once."""
        if self.is_new(accepted):
            of_election = self.ballots.setdefault(accepted.election_id, {})
            of_election[accepted.tracker] = bytes(accepted.ballot)

    def set_aside(self, record: Record[BallotAccepted], reason: Aside) -> None:
        """This acceptance is in no sum, for ever."""
        place = (record.partition, record.offset)
        self.aside.append((*place, record.message.election_id, reason))


class Adder(Protocol):
    """Adds ballots to a sum, beside the event loop."""

    async def added(self, polled: Polled, ballots: Mapping[str, bytes]) -> str:
        """The sum with these ballots, each of which can be added."""
        ...


class BallotStore:
    """The unit of work of the stream of ballots."""

    def __init__(self, adder: Adder) -> None:
        self._adder = adder

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> Sums:
        """The sums of the elections that these ballots are of, and which are in them."""
        return await look(sql, [one.message for one in records])

    async def save(self, sql: Sql, work: Sums) -> None:
        """Add each election's new ballots to its sum, and write down what is in none."""
        for name, ballots in sorted(work.ballots.items()):
            sums = await self._adder.added(work.polled[name], ballots)
            await sql.execute(_WRITE, name, len(ballots), sums)
            await sql.execute(_REMEMBER, [name] * len(ballots), list(ballots))
        if work.aside:
            await sql.executemany(_SET_ASIDE, work.aside)


async def look(sql: Sql, accepted: Sequence[BallotAccepted]) -> Sums:
    """The sums of the elections that these ballots are of, and which of them are in them."""
    rows = await sql.fetch(_LOOK, sorted({one.election_id for one in accepted}))
    polled = {row["election_id"]: _polled(row) for row in rows}
    return Sums(polled, await _known(sql, accepted))


async def running(sql: Sql, election_id: str) -> tuple[int, str | None]:
    """How many ballots are in the sum, and the sum; 0 and None before the first."""
    row = await sql.fetchrow(
        "select ballots, encrypted_sums from tallies where election_id = $1", election_id
    )
    return (0, None) if row is None else (row["ballots"], row["encrypted_sums"])


async def set_aside(sql: Sql, election_id: str) -> dict[str, int]:
    """Acceptances of an election that are in no sum, counted by reason."""
    rows = await sql.fetch(
        "select reason, count(*) as count from set_aside_ballots where election_id = $1"
        " group by reason order by reason",
        election_id,
    )
    return {row["reason"]: row["count"] for row in rows}


async def _known(sql: Sql, asked: Iterable[BallotAccepted]) -> set[tuple[str, str]]:
    rows = await sql.fetch(
        _KNOWN, [one.election_id for one in asked], [one.tracker for one in asked]
    )
    return {(row["election_id"], row["tracker"]) for row in rows}


def _polled(row: Any) -> Polled:
    about, votes_key = _parsed(row["election"], row["keys"])
    return Polled(about, votes_key, row["encrypted_sums"])


@lru_cache(maxsize=64)
def _parsed(raw: str, keys: str) -> tuple[Election, str]:
    return election.parse(raw.encode()), msgspec.json.decode(keys, type=ServiceKeys).votes
