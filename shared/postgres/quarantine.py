"""Records that were set aside: known by coordinates and hash until an official resolves them.

Promises to keep no more of a record than its beginning: the log has the rest while it keeps it, and
whoever may write to a topic must not be able to fill the database of each of its readers.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from shared.consumer_types import Malformed, Sql
from shared.postgres.offsets import Place

KEPT_BYTES = 4_096
"""More of a record than this is not kept (`only_the_beginning` in the schema)."""


async def insert(sql: Sql, records: Sequence[Malformed]) -> None:
    """Keep these records aside; one that is already there stays as it is."""
    await sql.executemany(
        'insert into quarantine (topic, partition, "offset", stamp_ms, reason, value, value_bytes,'
        " value_sha256) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        [_row(record) for record in records],
    )


def _row(record: Malformed) -> tuple[Any, ...]:
    value = record.value or b""
    where = (record.topic, record.partition, record.offset, record.stamp_ms)
    return (*where, record.reason, value[:KEPT_BYTES], len(value), sha256(value).digest())


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
