"""Scans, batches and voids: what clerks and officials did, and what is shown of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from msgspec import Struct

from services.postal.domain.envelopes import EnvelopeFacts, State, state_of
from services.postal.domain.rules import Void
from shared.consumer_types import Sql
from shared.contracts.elections import Phase


@dataclass(frozen=True, slots=True)
class KnownElection:
    """What postal must know of an election to take envelopes in."""

    takes_post: bool
    phase: Phase


class Scan(NamedTuple):
    """One envelope as a clerk scanned it; `right_id` is None for an unknown serial."""

    scan_id: str
    election_id: str
    serial: str
    right_id: str | None
    batch: int
    clerk: str


class ScanState(NamedTuple):
    """A scan and what became of it."""

    scan: Scan
    state: State


async def election(sql: Sql, election_id: str) -> KnownElection | None:
    """The election, whose phase can't change before the transaction ends; None if unknown."""
    row = await sql.fetchrow(
        "select takes_post, phase from elections where election_id = $1 for share", election_id
    )
    return None if row is None else KnownElection(row["takes_post"], row["phase"])


async def elections(sql: Sql) -> list[tuple[str, str]]:
    """Elections with a postal channel: (id, phase)."""
    rows = await sql.fetch(
        "select election_id, phase from elections where takes_post order by election_id"
    )
    return [(row["election_id"], row["phase"]) for row in rows]


async def rights_of(sql: Sql, election_id: str, serials: Sequence[str]) -> dict[str, str]:
    """The right of each known serial."""
    rows = await sql.fetch(
        "select serial, right_id from serials where election_id = $1 and serial = any($2::text[])",
        election_id,
        list(serials),
    )
    return {row["serial"]: row["right_id"] for row in rows}


async def read_through(sql: Sql, consumer: str) -> dict[tuple[str, int], int]:
    """How far each log has been applied here: the next offset by (topic, partition)."""
    rows = await sql.fetch(
        "select topic, partition, next_offset from consumer_offsets where consumer = $1", consumer
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def open_batches(
    sql: Sql, election_id: str, numbers: Sequence[int], clerk: str
) -> dict[int, bool]:
    """Whether each batch is open, beginning those that are new; they can't change meanwhile."""
    await sql.execute(
        "insert into batches (election_id, number, is_open, changed_by)"
        " select $1, number, true, $3 from unnest($2::int[]) number order by number"
        " on conflict do nothing",
        election_id,
        sorted(set(numbers)),
        clerk,
    )
    rows = await sql.fetch(
        "select number, is_open from batches where election_id = $1 and number = any($2::int[])"
        " order by number for share",
        election_id,
        list(numbers),
    )
    return {row["number"]: row["is_open"] for row in rows}


async def insert(sql: Sql, scans: Sequence[Scan]) -> set[str]:
    """Record scans; the ids that are new."""
    rows = await sql.fetch(
        "insert into scans (scan_id, election_id, serial, right_id, batch, clerk)"
        " select * from unnest"
        " ($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[])"
        " on conflict do nothing returning scan_id",
        *[list(column) for column in zip(*scans, strict=True)],
    )
    return {row["scan_id"] for row in rows}


_STATES: Final = """
select s.scan_id, s.election_id, s.serial, s.right_id, s.batch, s.clerk,
    f.admitted_ms, f.set_aside_ms, f.set_aside_reason, f.voided_ms, f.has_reopened,
    exists (
        select from voids v where v.scan_id = s.scan_id and v.ordered_at is not null
    ) and s.right_id is null as is_struck
from scans s left join envelope_facts f on f.scan_id = s.scan_id and f.right_id = s.right_id
where s.scan_id = any($1::text[])
"""


async def states(sql: Sql, scan_ids: Sequence[str]) -> dict[str, ScanState]:
    """Scans by id, with what became of them."""
    rows = await sql.fetch(_STATES, list(scan_ids))
    return {row["scan_id"]: _scan_state(row) for row in rows}


def _scan_state(row: Mapping[str, Any]) -> ScanState:
    scan = Scan(*(row[name] for name in Scan._fields))
    return ScanState(
        scan,
        state_of(_facts(row), is_known=scan.right_id is not None, is_struck=row["is_struck"]),
    )


def _facts(row: Mapping[str, Any]) -> EnvelopeFacts:
    return EnvelopeFacts(
        admitted_ms=row["admitted_ms"],
        set_aside_ms=row["set_aside_ms"],
        set_aside_reason=row["set_aside_reason"],
        voided_ms=row["voided_ms"],
    )


_GROUPS: Final = """
with struck as (
    select distinct v.scan_id from voids v join scans s using (scan_id)
    where s.election_id = $1 and s.right_id is null and v.ordered_at is not null
), envelopes as (
    select coalesce(s.batch, 0) as batch, s.scan_id is not null as is_recorded,
        coalesce(s.right_id, f.right_id) is not null as is_known,
        f.admitted_ms is not null as is_admitted, f.set_aside_reason,
        f.voided_ms is not null or struck.scan_id is not null as is_voided
    from (select * from scans where election_id = $1) s
    full join (select * from envelope_facts where election_id = $1) f
        on f.scan_id = s.scan_id and f.right_id = s.right_id
    left join struck on struck.scan_id = s.scan_id
)
select batch, is_recorded, is_known, is_admitted, set_aside_reason, is_voided, count(*) as envelopes
from envelopes group by 1, 2, 3, 4, 5, 6
"""


class Group(NamedTuple):
    """So many envelopes of a batch in a state; `is_recorded`: by a scan in this database."""

    batch: int
    state: State
    envelopes: int
    is_recorded: bool


async def groups(sql: Sql, election_id: str) -> list[Group]:
    """Every envelope of the election, scanned here or only known from the log, counted."""
    rows = await sql.fetch(_GROUPS, election_id)
    return [
        Group(row["batch"], _state_of_group(row), row["envelopes"], row["is_recorded"])
        for row in rows
    ]


def _state_of_group(row: Mapping[str, Any]) -> State:
    facts = EnvelopeFacts(
        admitted_ms=0 if row["is_admitted"] else None,
        set_aside_ms=None if row["set_aside_reason"] is None else 0,
        set_aside_reason=row["set_aside_reason"],
        voided_ms=0 if row["is_voided"] else None,
    )
    return state_of(facts, is_known=row["is_known"])


async def batches(sql: Sql, election_id: str) -> dict[int, bool]:
    """Every batch of the election, and whether it is open."""
    rows = await sql.fetch(
        "select number, is_open from batches where election_id = $1 order by number", election_id
    )
    return {row["number"]: row["is_open"] for row in rows}


async def lock_batch(sql: Sql, election_id: str, number: int) -> bool | None:
    """Whether a batch is open, None if there is none; nobody scans into it meanwhile."""
    is_open: bool | None = await sql.fetchval(
        "select is_open from batches where election_id = $1 and number = $2 for update",
        election_id,
        number,
    )
    return is_open


async def set_batch(sql: Sql, election_id: str, number: int, is_open: bool, official: str) -> None:
    """Open or close a batch."""
    await sql.execute(
        "update batches set is_open = $3, changed_by = $4, changed_at = now()"
        " where election_id = $1 and number = $2",
        election_id,
        number,
        is_open,
        official,
    )


async def undecided_in(sql: Sql, election_id: str, number: int) -> int:
    """How many scans of a batch await their decision."""
    count: int = await sql.fetchval(
        "select count(*) from scans s where s.election_id = $1 and s.batch = $2"
        " and s.right_id is not null and not exists"
        " (select from envelope_facts f where f.scan_id = s.scan_id"
        "  and (f.admitted_ms is not null or f.set_aside_ms is not null))",
        election_id,
        number,
    )
    return count


async def lock_scan(sql: Sql, scan_id: str) -> None:
    """Let nobody else void this scan until the transaction ends."""
    await sql.execute("select pg_advisory_xact_lock(hashtextextended($1, 20226))", scan_id)


class KnownVoid(NamedTuple):
    """A void and what `votes` made of it (None: not yet, or nothing to make)."""

    void: Void
    is_accepted: bool | None
    reason: str


async def last_void(sql: Sql, scan_id: str) -> KnownVoid | None:
    """The latest void of a scan."""
    row = await sql.fetchrow(
        "select v.void_id, v.first_official, v.first_reason, v.second_official,"
        " o.is_accepted, coalesce(o.reason, '') as reason"
        " from voids v left join void_outcomes o using (void_id)"
        " where v.scan_id = $1 order by v.asked_at desc limit 1",
        scan_id,
    )
    if row is None:
        return None
    void = Void(
        row["void_id"],
        row["first_official"],
        row["first_reason"],
        row["second_official"],
        row["is_accepted"] is not None,
    )
    return KnownVoid(void, row["is_accepted"], row["reason"])


class VoidAsked(Struct, frozen=True, kw_only=True):
    """A void in the words of the officials who asked for it and confirmed it (or None yet)."""

    void_id: str
    first_official: str
    first_reason: str
    second_official: str | None
    second_reason: str | None


async def voids_of(sql: Sql, scan_id: str) -> list[VoidAsked]:
    """Every void of a scan, the oldest first."""
    rows = await sql.fetch(
        "select void_id, first_official, first_reason, second_official, second_reason"
        " from voids where scan_id = $1 order by asked_at, void_id",
        scan_id,
    )
    return [VoidAsked(**dict(row)) for row in rows]


async def has_reopened(sql: Sql, scan_id: str) -> bool:
    """Whether a voided scan had claimed its right, which is unused again."""
    found: bool | None = await sql.fetchval(
        "select bool_or(has_reopened) from envelope_facts where scan_id = $1", scan_id
    )
    return bool(found)


async def ask_void(sql: Sql, void_id: str, scan_id: str, official: str, reason: str) -> None:
    """The first official asks for a void."""
    await sql.execute(
        "insert into voids (void_id, scan_id, first_official, first_reason)"
        " values ($1, $2, $3, $4)",
        void_id,
        scan_id,
        official,
        reason,
    )


async def order_void(sql: Sql, void_id: str, official: str, reason: str) -> None:
    """The second official confirms it."""
    await sql.execute(
        "update voids set second_official = $2, second_reason = $3, ordered_at = now()"
        " where void_id = $1 and second_official is null",
        void_id,
        official,
        reason,
    )


async def count_packs(sql: Sql, election_id: str) -> int:
    """How many serials of the election are known."""
    count: int = await sql.fetchval(
        "select count(*) from serials where election_id = $1", election_id
    )
    return count
