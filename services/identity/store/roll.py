"""The roll in the database: what an import reads, stages and moves, in one transaction of its own.

Promises that an import happens wholly or not at all. Must never let a person's particulars into an
error: the database's own texts quote rows.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from services.identity.domain.answers import AnswerKey
from services.identity.domain.plan import Existing, Placed, Plan, hashes_of
from services.identity.errors import DatabaseRefused, ImportRuns
from services.identity.store.answers import KnownElection
from services.identity.store.reading import away
from shared.consumer_types import Sql
from shared.postgres.pool import ACQUIRE_SECONDS, RELEASE_SECONDS, is_transient

IMPORT_SECONDS = 300.0
"""Longest life of an import's transaction: a million electors take about half of it."""
STATEMENT_SECONDS = 120.0
ROWS_AT_ONCE = 5_000

_STAGED = (
    *("right_id", "election_id", "membership_key", "membership_number", "first_names", "surname"),
    *("address", "postcode", "email", "mark", "facts", "hashes"),
)
_MOVE_ELECTORS = """
insert into electors (right_id, election_id, membership_key, membership_number, first_names,
    surname, address, postcode, email, mark)
select right_id, election_id, membership_key, membership_number, first_names,
    surname, address, postcode, email, mark
from staged_electors
on conflict (right_id) do update set
    membership_number = excluded.membership_number, first_names = excluded.first_names,
    surname = excluded.surname, address = excluded.address, postcode = excluded.postcode,
    email = excluded.email, mark = excluded.mark, changed_at = now()
"""
_MOVE_ANSWERS = """
insert into answer_hashes (right_id, facts, hashes)
select right_id, facts, hashes from staged_electors
on conflict (right_id) do update set facts = excluded.facts, hashes = excluded.hashes
"""


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """What is kept of an import: by whom, which file, what it did."""

    election_id: str
    official: str
    file_hash: bytes
    bad_rows: int


@asynccontextmanager
async def import_transaction(pool: "asyncpg.Pool[Any]") -> AsyncIterator[Sql]:
    """A transaction that may last IMPORT_SECONDS.

    Raises NotNow while the database is away, DatabaseRefused without particulars.
    """
    try:
        async with _long_transaction(pool) as sql:
            yield sql
    except Exception as error:
        if is_transient(error):
            raise away() from error
        if isinstance(error, asyncpg.PostgresError):
            raise DatabaseRefused(f"SQLSTATE {error.sqlstate}; nothing was changed.") from None
        raise


@asynccontextmanager
async def _long_transaction(pool: "asyncpg.Pool[Any]") -> AsyncIterator[Sql]:
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
    finally:
        cut.cancel()
        await pool.release(held, timeout=RELEASE_SECONDS)


async def lock_roll(sql: Sql, election_id: str) -> None:
    """Let no other import of the election in before the commit; raises ImportRuns."""
    is_ours: bool = await sql.fetchval(
        "select pg_try_advisory_xact_lock(hashtextextended('roll ' || $1, 0))", election_id
    )
    if not is_ours:
        raise ImportRuns()


async def find_election(sql: Sql, election_id: str) -> KnownElection | None:
    """The election's facts and phase, or None."""
    row = await sql.fetchrow(
        "select facts, phase from elections where election_id = $1", election_id
    )
    return KnownElection(tuple(row["facts"]), row["phase"]) if row else None


async def read_existing(sql: Sql, election_id: str) -> Existing:
    """The roll that is there, as far as a plan needs it."""
    rows = await sql.fetch(
        "select membership_key, right_id, mark from electors where election_id = $1",
        election_id,
        timeout=STATEMENT_SECONDS,
    )
    return {row["membership_key"]: (row["right_id"], row["mark"]) for row in rows}


async def stage(
    sql: Sql, key: AnswerKey, placed: Sequence[Placed], on_progress: Callable[[int], None]
) -> None:
    """Copy new and changed rows beside the roll."""
    for start in range(0, len(placed), ROWS_AT_ONCE):
        on_progress(start)
        chunk = placed[start : start + ROWS_AT_ONCE]
        records = await asyncio.to_thread(_staged_rows, key, chunk)
        await sql.copy_records_to_table(
            "staged_electors", records=records, columns=_STAGED, timeout=STATEMENT_SECONDS
        )


def _staged_rows(key: AnswerKey, placed: Sequence[Placed]) -> list[tuple[Any, ...]]:
    return [_staged_row(key, one) for one in placed]


def _staged_row(key: AnswerKey, placed: Placed) -> tuple[Any, ...]:
    one = placed.elector
    return (
        *(placed.right_id, key.election_id, one.membership_key, one.membership_number),
        *(one.first_names, one.surname, list(one.address), one.postcode, one.email, placed.mark),
        *hashes_of(key, placed),
    )


async def move_staged(sql: Sql) -> None:
    """Make the staged rows part of the roll, and leave none behind."""
    await sql.execute(_MOVE_ELECTORS, timeout=STATEMENT_SECONDS)
    await sql.execute(_MOVE_ANSWERS, timeout=STATEMENT_SECONDS)
    await sql.execute("truncate staged_electors")


async def note_import(sql: Sql, record: ImportRecord, plan: Plan) -> None:
    """Keep who imported what."""
    await sql.execute(
        "insert into roll_imports (election_id, official, file_hash, added, changed, unchanged,"
        " absent, bad_rows) values ($1, $2, $3, $4, $5, $6, $7, $8)",
        record.election_id,
        record.official,
        record.file_hash,
        len(plan.added),
        len(plan.changed),
        plan.unchanged,
        plan.absent,
        record.bad_rows,
    )


async def count_electors(sql: Sql, election_id: str) -> int:
    """How many electors the election's roll has."""
    count: int = await sql.fetchval(
        "select count(*) from electors where election_id = $1", election_id
    )
    return count


async def note_announced(sql: Sql, election_id: str, row_id: int, rights: int) -> None:
    """Keep how many rights of the election this row of the outbox announces."""
    await sql.execute(
        "insert into announced_rights (outbox_id, election_id, rights) values ($1, $2, $3)",
        row_id,
        election_id,
        rights,
    )


async def count_unannounced(sql: Sql, election_id: str) -> int:
    """How many rights of the election Kafka doesn't have yet, whichever import wrote them."""
    count: int = await sql.fetchval(
        "select coalesce(sum(a.rights), 0) from announced_rights a"
        " join outbox o on o.id = a.outbox_id"
        " where a.election_id = $1 and o.published_at is null",
        election_id,
    )
    return count
