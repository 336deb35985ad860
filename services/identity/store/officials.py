"""What officials ask identity's database: electors, standing, locks, cases, addresses, figures."""

from collections.abc import Sequence
from typing import Any

from services.identity.domain.attempts import Asked, Lock
from services.identity.domain.cases import OPENS_A_CASE, SAYS_NOTHING_POSTED
from services.identity.store.accounts import is_accounted
from services.identity.views import (
    AddressLine,
    CaseLine,
    ElectionSeen,
    ElectorSeen,
    EvidenceSeen,
    RollSummary,
)
from shared.consumer_types import Sql

ADDRESSES_AT_ONCE = 2_000

_ELECTOR = """
select e.right_id, e.election_id, e.membership_number, e.first_names, e.surname, e.address,
    e.postcode, coalesce(l.wrong, 0) as wrong, l.locked_at_ms, w.withdrawn_at_ms,
    u.official as unlock_asked_by,
    w.right_id is null and exists (select from withdrawals r where r.right_id = e.right_id
        and not exists (select from refused_withdrawals d where d.withdrawal_id = r.withdrawal_id)
    ) as withdrawal_asked,
    array(select r.withdrawal_id || ' ' || r.reason from refused_withdrawals r
        where r.right_id = e.right_id order by r.withdrawal_id) as withdrawals_refused
from electors e
left join online_locks l using (right_id)
left join withdrawn_rights w using (right_id)
left join unlock_requests u using (right_id)
"""
_CASES = """
select c.right_id, array_agg(distinct c.kind order by c.kind) as kinds,
    min(c.at_ms) as opened_at_ms, count(*) as evidence,
    coalesce(e.membership_number, '') as membership_number,
    trim(coalesce(e.first_names, '') || ' ' || coalesce(e.surname, '')) as name
from (
    select right_id, kind, at_ms from case_evidence where election_id = $1
    union all
    select right_id, $3, said_at_ms from nothing_posted where election_id = $1
) c left join electors e on e.right_id = c.right_id
group by c.right_id, e.membership_number, e.first_names, e.surname
having bool_or(c.kind = any($2::text[]) or c.kind = $3)
order by opened_at_ms, c.right_id
"""


async def list_elections(sql: Sql) -> list[ElectionSeen]:
    """Every election that identity knows."""
    rows = await sql.fetch("select * from elections order by election_id")
    return [
        ElectionSeen(r["election_id"], r["title"], r["organisation"], r["phase"], list(r["facts"]))
        for r in rows
    ]


async def find_elector(sql: Sql, election_id: str, membership_key: str) -> ElectorSeen | None:
    """The elector with this membership number, or None."""
    row = await sql.fetchrow(
        _ELECTOR + " where e.election_id = $1 and e.membership_key = $2",
        election_id,
        membership_key,
    )
    return _elector(row) if row else None


async def find_right(sql: Sql, right_id: str) -> ElectorSeen | None:
    """The elector who has this right, or None."""
    row = await sql.fetchrow(_ELECTOR + " where e.right_id = $1", right_id)
    return _elector(row) if row else None


async def list_locked(sql: Sql, election_id: str) -> list[ElectorSeen]:
    """Electors whose online channel is locked; decoys aren't electors and don't show."""
    rows = await sql.fetch(
        _ELECTOR + " where e.election_id = $1 and l.locked_at_ms is not null"
        " order by l.locked_at_ms, e.right_id",
        election_id,
    )
    return [_elector(row) for row in rows]


async def read_lock(sql: Sql, right_id: str) -> tuple[Lock, Asked | None]:
    """The lock of a right and the request to unlock that waits for a second official."""
    lock = await sql.fetchrow(
        "select wrong, locked_at_ms from online_locks where right_id = $1", right_id
    )
    asked = await sql.fetchrow(
        "select official, reason, requested_at_ms from unlock_requests where right_id = $1",
        right_id,
    )
    return (
        Lock(lock["wrong"], lock["locked_at_ms"]) if lock else Lock(),
        Asked(asked["official"], asked["reason"], asked["requested_at_ms"]) if asked else None,
    )


async def ask_unlock(sql: Sql, right_id: str, request: Asked) -> None:
    """Keep the first official's request; it replaces an older one."""
    await sql.execute(
        "insert into unlock_requests (right_id, official, reason, requested_at_ms)"
        " values ($1, $2, $3, $4) on conflict (right_id) do update set"
        " official = excluded.official, reason = excluded.reason,"
        " requested_at_ms = excluded.requested_at_ms",
        right_id,
        request.official,
        request.reason,
        request.at_ms,
    )


async def unlock(sql: Sql, elector: ElectorSeen, first: Asked, second: Asked) -> None:
    """Set the attempts back to none, and keep who decided it and why."""
    await sql.execute(
        "insert into unlocks (right_id, election_id, first_official, first_reason,"
        " second_official, second_reason, wrong_before, unlocked_at_ms)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8)",
        elector.right_id,
        elector.election_id,
        first.official,
        first.reason,
        second.official,
        second.reason,
        elector.wrong_answers,
        second.at_ms,
    )
    await sql.execute(
        "update online_locks set wrong = 0, locked_at_ms = null where right_id = $1",
        elector.right_id,
    )
    await sql.execute("delete from unlock_requests where right_id = $1", elector.right_id)


async def note_withdrawal(sql: Sql, withdrawal_id: str, elector: ElectorSeen, asked: Asked) -> None:
    """Keep who asked for the withdrawal, in their own words."""
    await sql.execute(
        "insert into withdrawals"
        " (withdrawal_id, right_id, election_id, official, reason, requested_at_ms)"
        " values ($1, $2, $3, $4, $5, $6)",
        withdrawal_id,
        elector.right_id,
        elector.election_id,
        asked.official,
        asked.reason,
        asked.at_ms,
    )


async def list_cases(sql: Sql, election_id: str) -> list[CaseLine]:
    """The cases of an election, the oldest first."""
    rows = await sql.fetch(_CASES, election_id, sorted(OPENS_A_CASE), SAYS_NOTHING_POSTED)
    return [
        CaseLine(
            right_id=r["right_id"],
            membership_number=r["membership_number"],
            name=r["name"],
            kinds=list(r["kinds"]),
            opened_at_ms=r["opened_at_ms"],
            evidence=r["evidence"],
        )
        for r in rows
    ]


async def list_evidence(sql: Sql, election_id: str, right_id: str) -> list[EvidenceSeen]:
    """What the decisions and its elector say about one right, in the order of their stamps."""
    rows = await sql.fetch(
        "select kind, at_ms, reference, first_at_ms, event_id from case_evidence"
        " where election_id = $1 and right_id = $2"
        " union all select $3, said_at_ms, '', 0, '' from nothing_posted"
        " where election_id = $1 and right_id = $2 order by at_ms, event_id",
        election_id,
        right_id,
        SAYS_NOTHING_POSTED,
    )
    return [EvidenceSeen(r["kind"], r["at_ms"], r["reference"], r["first_at_ms"]) for r in rows]


async def list_addresses(sql: Sql, election_id: str, after: str) -> Sequence[AddressLine]:
    """The next names and addresses, by right id after `after`; withdrawn rights are left out."""
    rows = await sql.fetch(
        "select right_id, membership_number, first_names, surname, address, postcode"
        " from electors e where election_id = $1 and right_id > $2"
        " and not exists (select from withdrawn_rights w where w.right_id = e.right_id)"
        " order by right_id limit $3",
        election_id,
        after,
        ADDRESSES_AT_ONCE,
    )
    return [
        AddressLine(
            right_id=r["right_id"],
            membership_number=r["membership_number"],
            name=_name(r),
            address=list(r["address"]),
            postcode=r["postcode"],
        )
        for r in rows
    ]


async def count_withdrawn(sql: Sql, election_id: str) -> int:
    """How many electors of the roll were withdrawn."""
    count: int = await sql.fetchval(
        "select count(*) from electors e join withdrawn_rights w using (right_id)"
        " where e.election_id = $1",
        election_id,
    )
    return count


async def count_cases(sql: Sql, election_id: str, *, counts_late: bool) -> dict[str, int]:
    """Rights under suspicion by kind, with or without what came behind the close."""
    rows = await sql.fetch(
        "select kind, count(distinct right_id) as rights from case_evidence"
        " where election_id = $1 and kind = any($2::text[]) and ($3 or not is_after_close)"
        " group by kind order by kind",
        election_id,
        sorted(OPENS_A_CASE),
        counts_late,
    )
    return {row["kind"]: row["rights"] for row in rows}


async def count_nothing_posted(sql: Sql, election_id: str) -> dict[str, int]:
    """Rights whose electors say that they posted nothing, by the kind of their case; or nothing."""
    count: int = await sql.fetchval(
        "select count(*) from nothing_posted where election_id = $1", election_id
    )
    return {SAYS_NOTHING_POSTED: count} if count else {}


async def summarise(sql: Sql, election_id: str) -> RollSummary:
    """The figures of an election's roll."""
    row = await sql.fetchrow(
        "select (select count(*) from electors where election_id = $1) as electors,"
        " (select count(*) from electors e join online_locks l using (right_id)"
        "  where e.election_id = $1 and l.locked_at_ms is not null) as locked,"
        " (select count(*) from unlocks where election_id = $1) as unlocked,"
        " (select count(*) from outbox where published_at is null) as waiting",
        election_id,
    )
    assert row is not None  # noqa: S101 - a select of counts has one row
    return RollSummary(
        electors=row["electors"],
        withdrawn=await count_withdrawn(sql, election_id),
        locked=row["locked"],
        unlocked=row["unlocked"],
        outbox_rows_waiting=row["waiting"],
        cases=len(await list_cases(sql, election_id)),
        cases_by_kind=await count_cases(sql, election_id, counts_late=True)
        | await count_nothing_posted(sql, election_id),
        is_final=await is_accounted(sql, election_id),
    )


def _elector(row: Any) -> ElectorSeen:
    return ElectorSeen(
        right_id=row["right_id"],
        election_id=row["election_id"],
        membership_number=row["membership_number"],
        name=_name(row),
        address=list(row["address"]),
        postcode=row["postcode"],
        wrong_answers=row["wrong"],
        locked_at_ms=row["locked_at_ms"],
        unlock_asked_by=row["unlock_asked_by"],
        withdrawal_asked=row["withdrawal_asked"],
        withdrawn_at_ms=row["withdrawn_at_ms"],
        withdrawals_refused=dict(text.split(" ", 1) for text in row["withdrawals_refused"]),
    )


def _name(row: Any) -> str:
    return f"{row['first_names']} {row['surname']}".strip()
