"""What is said of a roll at the end of its election: once, and kept word for word."""

from collections.abc import AsyncIterator, Collection
from typing import Final

from services.identity.domain.commitment import RollRow
from shared.consumer_types import Sql
from shared.contracts.identity import RollAccounted
from shared.contracts.message import encode
from shared.contracts.topics import RIGHTS_PARTITIONS

ROWS_AT_ONCE: Final = 2_000
"""Rows that are hashed before the event loop is free again: some milliseconds."""


async def due(sql: Sql, open_phases: Collection[str]) -> list[str]:
    """Elections in none of these phases, every partition closed, of which nothing was said yet."""
    rows = await sql.fetch(
        "select c.election_id from closed_partitions c join elections e using (election_id)"
        " where e.phase <> all($2::text[])"
        " and not exists (select from accounts a where a.election_id = c.election_id)"
        " group by c.election_id having count(*) = $1 order by c.election_id",
        RIGHTS_PARTITIONS,
        list(open_phases),
    )
    return [row["election_id"] for row in rows]


async def rows(sql: Sql, election_id: str) -> AsyncIterator[list[RollRow]]:
    """The roll by ascending right id, in parts; in the caller's transaction."""
    after = ""
    while True:
        found = await sql.fetch(
            "select right_id, membership_number, first_names, surname, address, postcode, email"
            " from electors where election_id = $1 and right_id > $2"
            " order by right_id limit $3",
            election_id,
            after,
            ROWS_AT_ONCE,
        )
        if not found:
            return
        yield [RollRow(*row.values()) for row in found]
        after = found[-1]["right_id"]


async def insert(sql: Sql, account: RollAccounted, salt: bytes) -> bool:
    """Keep what is said; False if something was said before."""
    row = await sql.fetchrow(
        "insert into accounts (election_id, salt, message) values ($1, $2, $3)"
        " on conflict do nothing returning election_id",
        account.election_id,
        salt,
        encode(account).decode(),
    )
    return row is not None


async def is_accounted(sql: Sql, election_id: str) -> bool:
    """Whether the election's roll was accounted for."""
    found: bool = await sql.fetchval(
        "select exists (select from accounts where election_id = $1)", election_id
    )
    return found
