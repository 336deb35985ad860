"""SQL of what the topics told: facts about elections, and what waits for an election's setup.

Promises that rows are facts that add up to the same in whatever order topics are read, written with
the offsets of the records that told them. Nothing here says what was sent: that follows.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

import msgspec

from ballots.board_entries import FinalState
from services.board.domain.sheet import Kind, Later, Place, Sheet
from services.board.store import sheets
from shared.consumer_types import Record, Sql
from shared.contracts.codes import CredentialsChanged, CredentialsPublished, CredentialState
from shared.contracts.elections import (
    CredentialListFixed,
    DecryptionReceived,
    ElectionCreated,
    ElectionDeclared,
    ResultPublished,
    TallyPublished,
)
from shared.contracts.message import decode
from shared.contracts.topics import BALLOTS, CREDENTIALS
from shared.contracts.votes import BallotAccepted
from shared.replay import DerivedTable

DERIVED_TABLES: Final = (
    DerivedTable("elections", key=("election_id",)),
    DerivedTable("sequenced_ballots", key=("election_id", "tracker")),
    DerivedTable("known_credentials", key=("election_id", "credential")),
    DerivedTable("waiting_records", key=("topic", "log_offset")),
    DerivedTable("later_records", key=("election_id", "kind", "owner")),
    DerivedTable("refused_records", key=("topic", "log_offset")),
)
MOST_WAITING: Final = 2_000
"""Ballots of one election that wait for its setup: they are released in one transaction."""
_LATER_TYPES = (TallyPublished, DecryptionReceived, ResultPublished, ElectionDeclared)


class Waiting(NamedTuple):
    """A record that came before its election's setup; `value` is the message's bytes."""

    topic: str
    offset: int
    election_id: str
    value: bytes


class Refused(NamedTuple):
    """A record that nobody believes."""

    topic: str
    offset: int
    reason: str


@dataclass
class Work:
    """What the handlers of one fetch read and change."""

    sheets: dict[str, Sheet] = field(default_factory=dict)
    sequenced: set[tuple[str, str]] = field(default_factory=set)
    waiting: dict[str, list[Waiting]] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    new_ballots: list[tuple[str, str, bytes | None]] = field(default_factory=list)
    states: dict[str, dict[str, FinalState]] = field(default_factory=dict)
    voted: dict[str, set[str]] = field(default_factory=dict)
    new_listed: list[tuple[str, Sequence[str]]] = field(default_factory=list)
    restated: dict[tuple[str, str], CredentialState] = field(default_factory=dict)
    ballots_waiting: Counter[str] = field(default_factory=Counter)
    new_waiting: list[Waiting] = field(default_factory=list)
    released: set[str] = field(default_factory=set)
    new_later: list[tuple[str, Place, Later]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def sheet(self, election_id: str) -> Sheet:
        """What is known of an election; nothing yet of one that no topic has named."""
        return self.sheets.get(election_id) or Sheet(election_id=election_id)

    def change(self, sheet: Sheet) -> None:
        """More is known of an election."""
        self.sheets[sheet.election_id] = sheet
        self.changed.add(sheet.election_id)

    def has_room(self, election_id: str) -> bool:
        """Whether one more ballot may wait for this election's setup."""
        return self.ballots_waiting[election_id] < MOST_WAITING

    def wait(self, record: Record[Any]) -> None:
        """Keep a record until its election's setup stands."""
        election_id = record.message.election_id
        kept = Waiting(record.topic, record.offset, election_id, record.value)
        self.waiting.setdefault(election_id, []).append(kept)
        self.new_waiting.append(kept)
        self.ballots_waiting[election_id] += record.topic == BALLOTS.name

    def release(self, election_id: str) -> list[Waiting]:
        """What waited for this setup, topic by topic in log order; it waits no more."""
        self.released.add(election_id)
        self.new_waiting = [one for one in self.new_waiting if one.election_id != election_id]
        return sorted(self.waiting.pop(election_id, []))

    def list_credentials(self, election_id: str, credentials: Sequence[str]) -> None:
        """The list has these: nothing was said of them yet."""
        self.new_listed.append((election_id, credentials))
        self.states_of(election_id).update(dict.fromkeys(credentials, "spare"))

    def states_of(self, election_id: str) -> dict[str, FinalState]:
        """Listed credentials that this fetch is about, with the strongest state said of each."""
        return self.states.setdefault(election_id, {})

    def restate(self, election_id: str, credentials: Iterable[str], state: CredentialState) -> None:
        """These credentials have a stronger state."""
        for credential in credentials:
            self.states_of(election_id)[credential] = state
            self.restated[election_id, credential] = state

    def sequence(self, election_id: str, tracker: str, credential: str | None) -> None:
        """A ballot counts from here on; `credential` is None if it names none."""
        self.sequenced.add((election_id, tracker))
        raw = None if credential is None else bytes.fromhex(credential)
        self.new_ballots.append((election_id, tracker, raw))
        if credential is not None:
            self.voted_of(election_id).add(credential)

    def voted_of(self, election_id: str) -> set[str]:
        """Credentials that this fetch is about, of which a ballot counts."""
        return self.voted.setdefault(election_id, set())

    def refuse(self, topic: str, offset: int, reason: str) -> None:
        """Note that a record is believed by nobody."""
        self.refused.append(Refused(topic, offset, reason))


class Store:
    """The unit of work of the stream that sequences."""

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> Work:
        """The elections that these records name, and what they may release or repeat."""
        named = sorted({record.message.election_id for record in records})
        work = Work(sheets=await sheets.locked(sql, named))
        is_later = any(isinstance(record.message, _LATER_TYPES) for record in records)
        is_near_its_end = any(_is_near_its_end(sheet) for sheet in work.sheets.values())
        if is_later or is_near_its_end:
            await _add_later(sql, work, named)
        offered = {
            (record.message.election_id, record.message.tracker)
            for record in records
            if isinstance(record.message, BallotAccepted)
        }
        # Ballots count from the setup on, so none of those that wait for it was sequenced before.
        before_setup = [name for name in named if not work.sheet(name).has_setup]
        if before_setup:
            await _count_waiting(sql, work, before_setup)
        begun = [name for name in before_setup if _may_begin(work.sheet(name), records)]
        if begun:
            await _add_waiting(sql, work, begun)
        if offered:
            work.sequenced = await _sequenced(sql, offered)
        for election_id, credentials in _stated(records, work).items():
            await _add_states(sql, work, election_id, credentials)
        return work

    async def save(self, sql: Sql, work: Work) -> None:
        """Write what changed, one statement per kind of change."""
        if work.changed:
            await sheets.save(sql, [work.sheets[name] for name in sorted(work.changed)])
        if work.released:
            await sql.execute(
                "delete from waiting_records where election_id = any($1)", list(work.released)
            )
        kinds: list[tuple[str, Iterable[tuple[Any, ...]]]] = [
            (_ADD_BALLOTS, work.new_ballots),
            (_ADD_WAITING, work.new_waiting),
            (_ADD_REFUSED, work.refused),
            (_ADD_LATER, [_later_row(*one) for one in work.new_later]),
            (_RESTATE, [_restated_row(*one) for one in work.restated.items()]),
        ]
        for election_id, listed in work.new_listed:
            await sql.execute(_ADD_LISTED, election_id, _raw(listed))
        for statement, added in kinds:
            columns = list(zip(*added, strict=True))
            if columns:
                await sql.execute(statement, *map(list, columns))


def _is_near_its_end(sheet: Sheet) -> bool:
    return sheet.ballots_counted is not None or sheet.accounted is not None


async def _add_later(sql: Sql, work: Work, named: Sequence[str]) -> None:
    rows = await sql.fetch(
        "select election_id, kind, owner, content, ballots from later_records"
        " where election_id = any($1)",
        named,
    )
    found: dict[str, dict[Place, Later]] = {}
    for row in rows:
        place = (cast(Kind, row["kind"]), row["owner"])
        found.setdefault(row["election_id"], {})[place] = Later(row["content"], row["ballots"])
    for election_id, later in found.items():
        known = work.sheet(election_id)
        work.sheets[election_id] = msgspec.structs.replace(known, later=later)


async def _add_waiting(sql: Sql, work: Work, named: Sequence[str]) -> None:
    rows = await sql.fetch(
        "select topic, log_offset, election_id, value from waiting_records"
        " where election_id = any($1)",
        named,
    )
    for row in rows:
        work.waiting.setdefault(row["election_id"], []).append(Waiting(*row.values()))


async def _count_waiting(sql: Sql, work: Work, named: Sequence[str]) -> None:
    for row in await sql.fetch(_WAITING_BALLOTS, named, BALLOTS.name):
        work.ballots_waiting[row["election_id"]] = row["waiting"]


def _may_begin(sheet: Sheet, records: Iterable[Record[Any]]) -> bool:
    """Whether these records can complete an election's setup: only then its waiting ones count."""
    said = [one.message for one in records if one.message.election_id == sheet.election_id]
    parts = [one for one in said if isinstance(one, CredentialsPublished)]
    expected = sheet.listing.parts or (parts[0].parts if parts else 0)
    return (
        0 < expected <= sheet.listing.parts_there + len(parts)
        and (sheet.is_created or any(isinstance(one, ElectionCreated) for one in said))
        and (bool(sheet.root) or any(isinstance(one, CredentialListFixed) for one in said))
    )


async def _sequenced(sql: Sql, offered: set[tuple[str, str]]) -> set[tuple[str, str]]:
    rows = await sql.fetch(_SEQUENCED, *map(list, zip(*offered, strict=True)))
    return {(row["election_id"], row["tracker"]) for row in rows}


def _stated(records: Iterable[Record[Any]], work: Work) -> dict[str, set[str]]:
    """The credentials of all statements that these records make or release, by election."""
    said = [one.message for one in records if isinstance(one.message, CredentialsChanged)]
    waiting = [one for kept in work.waiting.values() for one in kept]
    said += [
        decode(CredentialsChanged.CONTRACT.name, one.value)  # type: ignore[misc]
        for one in waiting
        if one.topic == CREDENTIALS.name
    ]
    found: dict[str, set[str]] = {}
    for one in said:
        found.setdefault(one.election_id, set()).update(one.credentials)
    return found


async def _add_states(sql: Sql, work: Work, election_id: str, credentials: set[str]) -> None:
    wanted = _raw(credentials)
    for row in await sql.fetch(_STATES, election_id, wanted):
        work.states_of(election_id)[row["credential"].hex()] = row["state"]
    for row in await sql.fetch(_VOTED, election_id, wanted):
        work.voted_of(election_id).add(row["credential"].hex())


def _raw(credentials: Iterable[str]) -> list[bytes]:
    return [bytes.fromhex(credential) for credential in credentials]


_SEQUENCED = """
    select election_id, tracker from sequenced_ballots
     where (election_id, tracker) in (select * from unnest($1::text[], $2::text[]))
"""
_WAITING_BALLOTS = """
    select election_id, count(*) as waiting from waiting_records
     where election_id = any($1) and topic = $2 group by election_id
"""
_ADD_BALLOTS = """
    insert into sequenced_ballots (election_id, tracker, credential)
    select * from unnest($1::text[], $2::text[], $3::bytea[])
"""
_ADD_LISTED = """
    insert into known_credentials (election_id, credential) select $1, unnest($2::bytea[])
"""
_RESTATE = """
    update known_credentials as known set state = said.state
      from unnest($1::text[], $2::bytea[], $3::text[]) as said (election_id, credential, state)
     where (known.election_id, known.credential) = (said.election_id, said.credential)
"""
_STATES = """
    select credential, state from known_credentials
     where election_id = $1 and credential = any($2::bytea[])
"""
_VOTED = """
    select credential from sequenced_ballots
     where election_id = $1 and credential = any($2::bytea[])
"""
_ADD_WAITING = """
    insert into waiting_records (topic, log_offset, election_id, value)
    select * from unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[])
"""
_ADD_REFUSED = """
    insert into refused_records (topic, log_offset, reason)
    select * from unnest($1::text[], $2::bigint[], $3::text[]) on conflict do nothing
"""
_ADD_LATER = """
    insert into later_records (election_id, kind, owner, content, ballots)
    select * from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::int[])
"""


def _restated_row(
    place: tuple[str, str], state: CredentialState
) -> tuple[str, bytes, CredentialState]:
    return place[0], bytes.fromhex(place[1]), state


def _later_row(election_id: str, place: Place, later: Later) -> tuple[Any, ...]:
    return (election_id, *place, later.content, later.ballots)
