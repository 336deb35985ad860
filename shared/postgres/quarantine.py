"""Records that were set aside: kept with their coordinates until an official resolves them."""

from collections.abc import Sequence

from shared.consumer_types import Malformed, Sql
from shared.postgres.offsets import Place

KEPT_BYTES = 1_048_576
"""More of a record than this is not kept; the log still has it."""


async def insert(sql: Sql, records: Sequence[Malformed]) -> None:
    """Keep these records aside; one that is already there stays as it is."""
    await sql.executemany(
        'insert into quarantine (topic, partition, "offset", stamp_ms, reason, value)'
        " values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        [
            (r.topic, r.partition, r.offset, r.stamp_ms, r.reason, (r.value or b"")[:KEPT_BYTES])
            for r in records
        ],
    )


async def resolve(sql: Sql, place: Place, offset: int, *, official: str, explanation: str) -> bool:
    """Note that an official has looked at the record; False if there is no such open record."""
    done = await sql.execute(
        "update quarantine set resolved_at = now(), resolved_by = $4, explanation = $5"
        ' where topic = $1 and partition = $2 and "offset" = $3 and resolved_at is null',
        *place,
        offset,
        official,
        explanation,
    )
    return str(done) == "UPDATE 1"


async def count_open(sql: Sql) -> int:
    """How many records wait for an official."""
    count: int = await sql.fetchval("select count(*) from quarantine where resolved_at is null")
    return count
