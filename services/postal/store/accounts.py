"""What was said of an election's envelopes at its end: once, and kept word for word."""

from collections.abc import Collection

from shared.consumer_types import Sql
from shared.contracts.message import encode
from shared.contracts.postal import EnvelopesAccounted
from shared.contracts.topics import RIGHTS_PARTITIONS


async def due(sql: Sql, phases: Collection[str]) -> list[str]:
    """Elections in these phases, every partition closed, of which nothing was said yet."""
    rows = await sql.fetch(
        "select c.election_id from closed_partitions c join elections e using (election_id)"
        " where e.phase = any($2::text[])"
        " and not exists (select from accounts a where a.election_id = c.election_id)"
        " group by c.election_id having count(*) = $1 order by c.election_id",
        RIGHTS_PARTITIONS,
        list(phases),
    )
    return [row["election_id"] for row in rows]


async def is_closed(sql: Sql, election_id: str) -> bool:
    """Whether every partition of the election is closed: no envelope is admitted any more."""
    closed: int = await sql.fetchval(
        "select count(*) from closed_partitions where election_id = $1", election_id
    )
    return closed == RIGHTS_PARTITIONS


async def insert(sql: Sql, account: EnvelopesAccounted) -> bool:
    """Keep what is said; False if something was said before."""
    row = await sql.fetchrow(
        "insert into accounts (election_id, message) values ($1, $2)"
        " on conflict do nothing returning election_id",
        account.election_id,
        encode(account).decode(),
    )
    return row is not None


async def is_accounted(sql: Sql, election_id: str) -> bool:
    """Whether the election's envelopes were accounted for."""
    found: bool = await sql.fetchval(
        "select exists (select from accounts where election_id = $1)", election_id
    )
    return found
