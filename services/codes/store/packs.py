"""Single packs: which one stands for a right, replacements, lost letters, and the balance."""

from dataclasses import dataclass
from typing import Any, Final

from services.codes.domain.balance import PackStanding
from shared.consumer_types import Sql
from shared.contracts.codes import CredentialState

EXPORT_ROWS: Final = 5_000
STATEMENT_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class StandingPack:
    """The pack that stands for a right."""

    election_id: str
    serial: str


@dataclass(frozen=True, slots=True)
class Replacement:
    """A replacement that an official asked for in their own words; `votes` may still be silent.

    `is_accepted` and `reason` (of a refusal) are what `votes` made of it, None: not yet.
    """

    replacement_id: str
    election_id: str
    right_id: str
    old_serial: str
    serial: str
    official: str
    words: str
    is_accepted: bool | None = None
    reason: str | None = None


async def election_of_right(sql: Sql, right_id: str) -> str | None:
    """The election of a right, None if the right is unknown."""
    found: str | None = await sql.fetchval(
        "select election_id from right_facts where right_id = $1 and registered_ms is not null",
        right_id,
    )
    return found


async def standing_of(sql: Sql, right_id: str) -> StandingPack | None:
    """The pack that stands for the right, None before its grant is in the log."""
    row = await sql.fetchrow(
        "select election_id, serial from pack_facts where right_id = $1 and replaced_ms is null"
        " and (granted_ms is not null or accepted_ms is not null)",
        right_id,
    )
    return None if row is None else StandingPack(row["election_id"], row["serial"])


async def pending_of(sql: Sql, right_id: str) -> bool:
    """Whether a replacement for this right awaits its decision."""
    found: bool = await sql.fetchval(
        "select exists (select from replacements r where r.right_id = $1 and not exists"
        " (select from replacement_outcomes o where o.replacement_id = r.replacement_id))",
        right_id,
    )
    return found


async def lock_right(sql: Sql, right_id: str) -> None:
    """Let nobody else ask for a replacement of this right's pack until the transaction ends."""
    await sql.execute("select pg_advisory_xact_lock(hashtextextended($1, 20225))", right_id)


async def insert_replacement(sql: Sql, made: Replacement) -> None:
    """Remember what an official asked for."""
    await sql.execute(
        "insert into replacements"
        " (replacement_id, election_id, right_id, old_serial, serial, official, reason)"
        " values ($1, $2, $3, $4, $5, $6, $7)",
        made.replacement_id,
        made.election_id,
        made.right_id,
        made.old_serial,
        made.serial,
        made.official,
        made.words,
    )


async def replacement(sql: Sql, replacement_id: str) -> Replacement | None:
    """A replacement with its outcome."""
    row = await sql.fetchrow(_REPLACEMENTS + "where r.replacement_id = $1", replacement_id)
    return None if row is None else Replacement(*row.values())


async def replacements_of(sql: Sql, right_id: str) -> list[Replacement]:
    """Every replacement of a right's packs with its outcome, the oldest first."""
    rows = await sql.fetch(
        _REPLACEMENTS + "where r.right_id = $1 order by r.requested_at, r.replacement_id", right_id
    )
    return [Replacement(*row.values()) for row in rows]


_REPLACEMENTS: Final = """
select r.replacement_id, r.election_id, r.right_id, r.old_serial, r.serial, r.official,
    r.reason as words, o.is_accepted, o.reason
from replacements r left join replacement_outcomes o using (replacement_id)
"""


async def mark_undelivered(sql: Sql, serial: str, official: str) -> str | None:
    """Note that the letter came back; its election, None for an unknown serial."""
    found: str | None = await sql.fetchval(
        "update packs set undelivered_at = coalesce(undelivered_at, now()),"
        " undelivered_by = coalesce(undelivered_by, $2)"
        " where serial = $1 returning election_id",
        serial,
        official,
    )
    return found


async def assignments(sql: Sql, election_id: str, after: str) -> list[tuple[str, str]]:
    """A page of (serial, right) behind a serial: the pack that stands for each right.

    Withdrawn rights have none. A pack counts from the moment it was drawn, a replacement once it
    was accepted.
    """
    rows = await sql.fetch(_ASSIGNMENTS, election_id, after, EXPORT_ROWS)
    return [(row["serial"], row["right_id"]) for row in rows]


_ASSIGNMENTS: Final = """
select p.serial, coalesce(p.right_id, f.right_id) as right_id
from packs p
left join pack_facts f on f.serial = p.serial
    and (f.right_id = p.right_id or f.accepted_ms is not null)
left join right_facts r on r.right_id = coalesce(p.right_id, f.right_id)
where p.election_id = $1 and p.serial > $2
    and coalesce(p.right_id, f.right_id) is not null
    and f.replaced_ms is null and r.withdrawn_ms is null
order by p.serial limit $3
"""


async def standings(sql: Sql, election_id: str) -> list[tuple[PackStanding, int]]:
    """Every pack made, counted by what is known of it."""
    rows = await sql.fetch(_STANDINGS, election_id)
    return [(PackStanding(*row[:6]), row["packs"]) for row in rows]


# What is known of each pack: from our own draws and from decisions, never from what was read back
# of `rights`. So it is all there once every partition of the decisions is read to its close.
_KNOWN_PACKS: Final = """
from packs p
left join pack_facts f on f.serial = p.serial
    and (f.right_id = p.right_id or f.accepted_ms is not null)
left join right_facts r on r.right_id = coalesce(p.right_id, f.right_id)
"""
_STANDINGS: Final = f"""
with posted as (
    select distinct right_id from scan_facts
    where election_id = $1 and admitted_ms is not null and voided_ms is null
)
select
    coalesce(p.right_id, f.right_id) is not null as is_assigned,
    f.replaced_ms is not null as is_replaced,
    r.online_ms is not null as is_used_online,
    posted.right_id is not null as is_used_by_post,
    r.withdrawn_ms is not null as is_withdrawn,
    p.undelivered_at is not null as is_undelivered,
    count(*) as packs
{_KNOWN_PACKS}
left join posted on posted.right_id = coalesce(p.right_id, f.right_id)
where p.election_id = $1
group by 1, 2, 3, 4, 5, 6
"""  # noqa: S608 - of constants only


async def drawn_at_import(sql: Sql, election_id: str) -> list[str]:
    """The credentials that the import drew for rights, whatever has become of them."""
    rows = await sql.fetch(
        "select credential from packs"
        " where election_id = $1 and right_id is not null and not is_drawn_late",
        election_id,
        timeout=STATEMENT_SECONDS,
    )
    return [row["credential"] for row in rows]


async def changes(sql: Sql, election_id: str) -> dict[CredentialState, list[str]]:
    """The credentials that aren't what the import made of them, by what they are now."""
    rows = await sql.fetch(_CHANGES, election_id, timeout=STATEMENT_SECONDS)
    found: dict[CredentialState, list[str]] = {"active": [], "replaced": [], "withdrawn": []}
    for credential, is_replaced, is_withdrawn in rows:
        state: CredentialState = "withdrawn" if is_withdrawn else "active"
        found["replaced" if is_replaced else state].append(credential)
    return found


_CHANGES: Final = f"""
select p.credential, f.replaced_ms is not null, r.withdrawn_ms is not null
{_KNOWN_PACKS}
where p.election_id = $1 and coalesce(p.right_id, f.right_id) is not null
  and (p.right_id is null or p.is_drawn_late
       or f.replaced_ms is not null or r.withdrawn_ms is not null)
"""


async def waiting(sql: Sql, election_id: str) -> dict[str, int]:
    """Rights without a pack, and replacements without a decision."""
    row = await sql.fetchrow(
        "select"
        " (select count(*) from right_facts r where r.election_id = $1"
        "  and r.registered_ms is not null and r.withdrawn_ms is null"
        "  and not exists (select from packs p where p.right_id = r.right_id)) as rights,"
        " (select count(*) from replacements x where x.election_id = $1 and not exists"
        "  (select from replacement_outcomes o where o.replacement_id = x.replacement_id))"
        " as replacements",
        election_id,
    )
    counted: dict[str, Any] = dict(row) if row is not None else {}
    return {name: int(value) for name, value in counted.items()}
