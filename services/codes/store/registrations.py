"""Registrations and the packs in them: taken in once, drawn for rights, granted in batches."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

import asyncpg

from services.codes.domain.registration import Registration
from shared.consumer_types import Sql
from shared.errors import NotNow
from shared.postgres.pool import ACQUIRE_SECONDS, RELEASE_SECONDS, is_transient

COPY_ROWS: Final = 5_000
"""Rows of one COPY: the event loop is free again between two of them."""
IMPORT_SECONDS: Final = 600.0
"""Longest life of an import's transaction: a million packs on a busy machine."""
STATEMENT_SECONDS: Final = 120.0

_PACK_COLUMNS: Final = (
    "serial", "election_id", "credential", "leaf_index", "is_spare", "right_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class KnownElection:
    """What codes must know of an election; `root` and `size` once the list is fixed."""

    authority_key: str
    root: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class KnownRegistration:
    """A registration that was taken in, and how far its grants are in the outbox.

    `is_stated`: so are the states of the credentials that it gave to rights.
    """

    election_id: str
    digest: str
    root: str
    granted_through: str
    is_granted: bool
    is_stated: bool


class Granted(NamedTuple):
    """A pack that stands, or is to stand, for a right."""

    serial: str
    credential: str
    leaf_index: int
    right_id: str


@asynccontextmanager
async def import_transaction(pool: "asyncpg.Pool[Any]") -> AsyncIterator[Sql]:
    """A transaction that may last IMPORT_SECONDS; raises NotNow when the database goes away."""
    held = await pool.acquire(timeout=ACQUIRE_SECONDS)
    cut = asyncio.get_running_loop().call_later(IMPORT_SECONDS, held.terminate)
    try:
        async with held.transaction():
            await held.execute(
                "select set_config('statement_timeout', $1, true),"
                " set_config('idle_in_transaction_session_timeout', $1, true)",
                f"{STATEMENT_SECONDS:.0f}s",
            )
            yield held
    except Exception as error:
        if not is_transient(error):
            raise
        raise NotNow("The database is away or too slow. Send the same file again.") from error
    finally:
        cut.cancel()
        await pool.release(held, timeout=RELEASE_SECONDS)


async def election(sql: Sql, election_id: str) -> KnownElection | None:
    """The election, None while codes hasn't heard of it."""
    row = await sql.fetchrow(
        "select authority_key, root, size from elections where election_id = $1", election_id
    )
    return None if row is None else KnownElection(row["authority_key"], row["root"], row["size"])


async def known(sql: Sql, election_id: str, *, locks: bool = False) -> KnownRegistration | None:
    """The election's registration; `locks` it until the end of the transaction."""
    row = await sql.fetchrow(
        _KNOWN_LOCKED if locks else _KNOWN,
        election_id,
    )
    return None if row is None else KnownRegistration(*row.values())


_KNOWN: Final = (
    "select election_id, digest, root, granted_through, is_granted, is_stated from registrations"
    " where election_id = $1"
)
_KNOWN_LOCKED: Final = _KNOWN + " for update"


async def unfinished(sql: Sql) -> list[str]:
    """Elections whose grants and states aren't all in the outbox yet."""
    rows = await sql.fetch(
        "select election_id from registrations where not (is_granted and is_stated)"
        " order by imported_at"
    )
    return [row["election_id"] for row in rows]


async def insert(sql: Sql, registration: Registration, official: str) -> bool:
    """Remember the registration; False if the election has one."""
    header = registration.header
    row = await sql.fetchrow(
        "insert into registrations"
        " (election_id, digest, code_count, spare_count, root, official)"
        " values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning election_id",
        header.election,
        registration.digest,
        header.count,
        header.spares,
        header.root,
        official,
    )
    return row is not None


async def copy_packs(
    sql: Sql,
    registration: Registration,
    leaf_of: Mapping[str, int],
    right_of: Mapping[str, str],
) -> None:
    """Store every pack with its place in the list and the right it was drawn for."""
    rows = (
        (
            pack.serial,
            registration.header.election,
            pack.credential,
            leaf_of[pack.credential],
            pack.spare,
            right_of.get(pack.serial),
        )
        for pack in registration.packs
    )
    while part := list(islice(rows, COPY_ROWS)):
        await sql.copy_records_to_table(
            "packs", records=part, columns=_PACK_COLUMNS, timeout=STATEMENT_SECONDS
        )


async def rights_without_pack(sql: Sql, election_id: str) -> list[str]:
    """Rights that are registered and not withdrawn, for which no pack was drawn, sorted."""
    rows = await sql.fetch(
        "select r.right_id from right_facts r where r.election_id = $1"
        " and r.registered_ms is not null and r.withdrawn_ms is null"
        " and not exists (select from packs p where p.right_id = r.right_id)"
        " order by r.right_id",
        election_id,
        timeout=STATEMENT_SECONDS,
    )
    return [row["right_id"] for row in rows]


async def free_spares(sql: Sql, election_id: str, limit: int) -> list[Granted]:
    """Packs that no right and no replacement has had, in a random order; no right in it.

    Nobody else is given spares of the election until the transaction ends.
    """
    # A statement of its own: the next one then sees what the last holder of the lock committed.
    await sql.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 20227))", f"spares {election_id}"
    )
    rows = await sql.fetch(
        "select p.serial, p.credential, p.leaf_index, '' from packs p"
        " where p.election_id = $1 and p.right_id is null"
        " and not exists (select from replacements x where x.serial = p.serial)"
        # Serials are random, so their order says nothing about anybody.
        " order by p.serial limit $2",
        election_id,
        limit,
    )
    return [Granted(*row.values()) for row in rows]


async def assign(sql: Sql, pairs: Iterable[tuple[str, str]]) -> None:
    """Draw packs for rights after the import: pairs of (right, serial)."""
    drawn = list(pairs)
    await sql.execute(
        "update packs p set right_id = n.right_id, is_drawn_late = true"
        " from unnest($1::text[], $2::text[]) n (right_id, serial)"
        " where p.serial = n.serial and p.right_id is null",
        [right for right, _ in drawn],
        [serial for _, serial in drawn],
    )


async def to_grant(sql: Sql, election_id: str, after: str, limit: int) -> list[Granted]:
    """The next packs drawn at the import, in the order of serials."""
    rows = await sql.fetch(
        "select serial, credential, leaf_index, right_id from packs"
        " where election_id = $1 and serial > $2 and right_id is not null"
        " order by serial limit $3",
        election_id,
        after,
        limit,
    )
    return [Granted(*row.values()) for row in rows]


async def note_granted(sql: Sql, election_id: str, through: str, is_granted: bool) -> None:
    """Remember how far the grants are in the outbox."""
    await sql.execute(
        "update registrations set granted_through = $2, is_granted = $3 where election_id = $1",
        election_id,
        through,
        is_granted,
    )


async def note_stated(sql: Sql, election_id: str) -> None:
    """Remember that the states are in the outbox."""
    await sql.execute(
        "update registrations set is_stated = true where election_id = $1", election_id
    )


async def is_closed(sql: Sql, election_id: str) -> bool:
    """Whether a partition of the election is closed: no grant counts there any more."""
    found: bool = await sql.fetchval(
        "select exists (select from closed_partitions where election_id = $1)", election_id
    )
    return found


async def credential_list(sql: Sql, election_id: str) -> list[str]:
    """The sorted credential list, as its tree is built from it."""
    rows = await sql.fetch(
        "select credential from packs where election_id = $1 order by leaf_index", election_id
    )
    return [row["credential"] for row in rows]


async def drawn(sql: Sql, election_id: str) -> int:
    """How many packs have a right."""
    count: int = await sql.fetchval(
        "select count(right_id) from packs where election_id = $1", election_id
    )
    return count


async def made(sql: Sql, election_id: str) -> int:
    """How many packs the registration said were made, spares included."""
    count: int = await sql.fetchval(
        "select coalesce(sum(code_count + spare_count), 0)::int from registrations"
        " where election_id = $1",
        election_id,
    )
    return count
