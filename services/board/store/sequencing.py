"""SQL of what the topics told: facts about elections, and what waits for an election's setup.

Promises that rows are facts that add up to the same in whatever order topics are read, written with
the offsets of the records that told them. Nothing here says what was sent: that follows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, cast

import msgspec

from ballots.board_entries import FinalState
from services.board.domain.listing import Listing
from services.board.domain.sheet import Kind, Later, Place, Sheet
from services.board.domain.states import Stated
from shared.consumer_types import Record, Sql
from shared.contracts.codes import CredentialsChanged, CredentialState
from shared.contracts.elections import (
    DecryptionReceived,
    ElectionDeclared,
    ResultPublished,
    TallyPublished,
)
from shared.contracts.message import decode
from shared.contracts.topics import CREDENTIALS
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

    def wait(self, record: Record[Any]) -> None:
        """Keep a record until its election's setup stands."""
        election_id = record.message.election_id
        kept = Waiting(record.topic, record.offset, election_id, record.value)
        self.waiting.setdefault(election_id, []).append(kept)
        self.new_waiting.append(kept)

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
        work = Work(sheets=await _sheets(sql, named))
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
            await _add_waiting(sql, work, before_setup)
        if offered:
            work.sequenced = await _sequenced(sql, offered)
        for election_id, credentials in _stated(records, work).items():
            await _add_states(sql, work, election_id, credentials)
        return work

    async def save(self, sql: Sql, work: Work) -> None:
        """Write what changed, one statement per kind of change."""
        if work.changed:
            rows = [_sheet_row(work.sheets[name]) for name in sorted(work.changed)]
            await sql.executemany(_SAVE_SHEET, rows)
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


async def _sheets(sql: Sql, named: Sequence[str]) -> dict[str, Sheet]:
    """The sheets of these elections, which nobody else changes until we commit.

    The topics may be read by two processes at once: each saves the whole row of what it has read.
    """
    rows = await sql.fetch(_SHEETS, named)
    if len(rows) < len(named):
        await sql.execute(_NAME_ELECTIONS, named)
        rows = await sql.fetch(_SHEETS, named)
    return {row["election_id"]: _sheet(row) for row in rows}


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


# Texts are read only until ballots come: the setup stands by then.
_SHEETS = """
    select election_id, votes_key, codes_key, root, size, parts, parts_there, credentials,
           last_credential, peaks, ballots, ballots_counted, active, replaced, withdrawn,
           accounted_active, accounted_replaced, accounted_withdrawn,
           case when ballots = 0 then election end as election,
           case when ballots = 0 then trustees end as trustees
      from elections where election_id = any($1) order by election_id for update
"""
_NAME_ELECTIONS = """
    insert into elections (election_id) select unnest($1::text[]) on conflict do nothing
"""
_SEQUENCED = """
    select election_id, tracker from sequenced_ballots
     where (election_id, tracker) in (select * from unnest($1::text[], $2::text[]))
"""
_SAVE_SHEET = """
    insert into elections as known (election_id, election, trustees, codes_key, votes_key, root,
        size, parts, parts_there, credentials, last_credential, peaks, ballots, ballots_counted,
        active, replaced, withdrawn, accounted_active, accounted_replaced, accounted_withdrawn)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
        $20)
    on conflict (election_id) do update set
        election = coalesce(known.election, excluded.election),
        trustees = coalesce(known.trustees, excluded.trustees),
        codes_key = excluded.codes_key, votes_key = excluded.votes_key,
        root = excluded.root, size = excluded.size, parts = excluded.parts,
        parts_there = excluded.parts_there, credentials = excluded.credentials,
        last_credential = excluded.last_credential, peaks = excluded.peaks,
        ballots = excluded.ballots, ballots_counted = excluded.ballots_counted,
        active = excluded.active, replaced = excluded.replaced, withdrawn = excluded.withdrawn,
        accounted_active = excluded.accounted_active,
        accounted_replaced = excluded.accounted_replaced,
        accounted_withdrawn = excluded.accounted_withdrawn
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


def _sheet(row: Any) -> Sheet:
    return Sheet(
        election_id=row["election_id"],
        election=row["election"] or "",
        trustees=row["trustees"] or "",
        codes_key=row["codes_key"] or "",
        votes_key=row["votes_key"] or "",
        root=row["root"] or "",
        size=row["size"] or 0,
        listing=Listing(
            parts=row["parts"],
            parts_there=row["parts_there"],
            size=row["credentials"],
            last=row["last_credential"],
            peaks=row["peaks"],
        ),
        ballots=row["ballots"],
        ballots_counted=row["ballots_counted"],
        stated=Stated(row["active"], row["replaced"], row["withdrawn"]),
        accounted=_accounted(row),
    )


def _accounted(row: Any) -> Stated | None:
    if row["accounted_active"] is None:
        return None
    return Stated(row["accounted_active"], row["accounted_replaced"], row["accounted_withdrawn"])


def _restated_row(
    place: tuple[str, str], state: CredentialState
) -> tuple[str, bytes, CredentialState]:
    return place[0], bytes.fromhex(place[1]), state


def _sheet_row(sheet: Sheet) -> tuple[Any, ...]:
    listing = sheet.listing
    return (
        sheet.election_id,
        sheet.election or None,
        sheet.trustees or None,
        sheet.codes_key or None,
        sheet.votes_key or None,
        sheet.root or None,
        sheet.size or None,
        listing.parts,
        listing.parts_there,
        listing.size,
        listing.last,
        listing.peaks,
        sheet.ballots,
        sheet.ballots_counted,
        sheet.stated.active,
        sheet.stated.replaced,
        sheet.stated.withdrawn,
        None if sheet.accounted is None else sheet.accounted.active,
        None if sheet.accounted is None else sheet.accounted.replaced,
        None if sheet.accounted is None else sheet.accounted.withdrawn,
    )


def _later_row(election_id: str, place: Place, later: Later) -> tuple[Any, ...]:
    return (election_id, *place, later.content, later.ballots)
