"""The chain of hashes over the partitions of rights, carried on with each fetch.

Promises that the chain covers every record from offset 0, in the transaction that moves past it.
Must never begin in the middle: a database that hasn't the beginning can't have the hash.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from services.elections.domain import log_chain
from services.elections.domain.barriers import Barrier
from services.elections.domain.log_chain import LogRecord
from shared.consumer_types import Sql
from shared.contracts.topics import RIGHTS

Heads = dict[int, tuple[int, bytes]]
"""By partition: the offset that follows, and the chain's hash so far."""

_WRITE = """
    insert into log_heads (partition_number, next_offset, sha256)
    select * from unnest($1::int[], $2::bigint[], $3::text[])
    on conflict (partition_number)
    do update set next_offset = excluded.next_offset, sha256 = excluded.sha256
"""


class ChainBroken(RuntimeError):
    """The records don't follow those that the chain covers: rebuild the database from the log."""


async def follow(
    sql: Sql,
    barriers: Sequence[Barrier],
    read: Sequence[tuple[tuple[str, int], Sequence[LogRecord]]],
) -> list[Barrier]:
    """Carry the chains on past these records; the barriers, each with the hash up to it."""
    rights = {place[1]: records for place, records in read if place[0] == RIGHTS.name and records}
    if not rights:
        return list(barriers)
    heads = await _heads(sql, list(rights))
    hashes = _carried_on(heads, rights)
    await _write(sql, heads)
    return [replace(one, log_sha256=hashes[one.partition, one.offset].hex()) for one in barriers]


def _carried_on(
    heads: Heads, rights: Mapping[int, Sequence[LogRecord]]
) -> dict[tuple[int, int], bytes]:
    hashes = {}
    for partition, records in rights.items():
        following, before = heads.get(partition, (0, log_chain.START))
        if records[0].offset != following:
            raise ChainBroken(
                f"Partition {partition} of rights goes on at {records[0].offset}, but its chain of"
                f" hashes at {following}: rebuild this database from the log."
            )
        for offset, head in log_chain.along(before, records):
            hashes[partition, offset] = head
        last = records[-1].offset
        heads[partition] = (last + 1, hashes[partition, last])
    return hashes


async def _heads(sql: Sql, partitions: Sequence[int]) -> Heads:
    rows = await sql.fetch(
        "select partition_number, next_offset, sha256 from log_heads"
        " where partition_number = any($1::int[])",
        partitions,
    )
    return {
        row["partition_number"]: (row["next_offset"], bytes.fromhex(row["sha256"])) for row in rows
    }


async def _write(sql: Sql, heads: Heads) -> None:
    partitions = sorted(heads)
    await sql.execute(
        _WRITE,
        partitions,
        [heads[one][0] for one in partitions],
        [heads[one][1].hex() for one in partitions],
    )
