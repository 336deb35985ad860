"""Rights and votes put straight into the tables, set by set: what a log of millions would leave.

Promises rows that the service itself would have written, but for what no row of the report reads
(packs' serials are numbers, counts of partitions stay as the log made them).
"""

from collections.abc import Iterable, Mapping

from tests.bench.electorate import FIRST_TEMPLATE, sql_digest
from tests.bench.room import VOTES_DATABASE, Room

FIRST_DECIDED = 10_000_000
"""Electors from this number on have voted long ago."""
STAMP_MS = 1_700_000_000_000
AT_ONCE = 100_000
_CLAIMS = "insert into claims select right_id, 0, 'online', at_ms, tracker from ballots"


async def add_undecided_to_votes(
    room: Room, count: int, first: int = 0, database: str = VOTES_DATABASE
) -> None:
    """Rights of template electors first, first + 1, ..., granted and unused."""
    await room.run_sql(_rights(room, FIRST_TEMPLATE + first, count), database)
    await room.run_sql("analyze rights", database)


async def add_undecided_to_peer(room: Room, count: int, database: str) -> None:
    """The same for the peer."""
    await room.run_sql(
        f"insert into rights select left({sql_digest('right', 'n')}, 32),"
        f" {sql_digest('credential', 'n')} from {_series(FIRST_TEMPLATE, count)}",
        database,
    )
    await room.run_sql("analyze rights", database)


async def add_decided_to_votes(room: Room, count: int, database: str) -> None:
    """Rights that were used online, with their claims and ballots."""
    for first in range(0, count, AT_ONCE):
        size = min(AT_ONCE, count - first)
        for statement in _decided(room, FIRST_DECIDED + first, size):
            await room.run_sql(statement, database)
        if count > AT_ONCE:
            print(f"  {first + size:,} of {count:,} rights have voted", flush=True)  # noqa: T201
    await room.run_sql(_CLAIMS, database)
    for table in ("rights", "claims", "ballots"):
        await room.run_sql(f"vacuum analyze {table}", database)
    await room.run_sql("checkpoint", database)


async def begin_at_the_end(room: Room, database: str) -> None:
    """Make an empty database of votes know the election and stand where the log ends now."""
    for table in ("partition_states", "consumer_offsets"):
        await _copy(room, table, database)


async def copy_rights(room: Room, database: str) -> None:
    """Give another database of votes the rights that the first one knows."""
    await _copy(room, "rights", database)


async def forget_votes(room: Room, database: str, begins: Mapping[int, int]) -> None:
    """Take a database of votes back to where it knew the rights and no vote."""
    await room.run_sql("truncate claims, ballots, outcomes, refused_records", database)
    for partition, offset in begins.items():
        await room.run_sql(
            f"update consumer_offsets set next_offset = {offset} where partition = {partition}",
            database,
        )
    await room.run_sql("checkpoint", database)


async def _copy(room: Room, table: str, database: str) -> None:
    source, target = await room.sql(), await room.sql(database)
    try:
        rows = await source.fetch(f"select * from {table}")
        await target.execute(f"truncate {table}")
        await target.copy_records_to_table(table, records=[tuple(row) for row in rows])
    finally:
        await source.close()
        await target.close()


def _series(first: int, count: int) -> str:
    return f"generate_series({first}::bigint, {first + count - 1}::bigint) as n"


def _rights(room: Room, first: int, count: int) -> str:
    return (
        f"insert into rights select {_right('n')}, '{room.election.uuid}', 0,"
        f" lpad(n::text, 14, '0'), {sql_digest('credential', 'n')}, '[]', 0, '{{}}', '{{}}'"
        f" from {_series(first, count)}"
    )


def _decided(room: Room, first: int, count: int) -> Iterable[str]:
    template = next(room.ballots.some(0, 1)).decode()
    head, _, rest = template.partition('"credential":"')
    ballot = (
        f'convert_to(\'{head}"credential":"\' || {sql_digest("credential", "n")}'
        f" || '{rest[64:]}', 'UTF8')"
    )
    tracker = "left(translate(encode(sha256(ballot), 'base64'), E'\\n', ''), 43)"
    yield _rights(room, first, count)
    yield (
        f"insert into ballots select {tracker}, right_id, '{room.election.uuid}', {STAMP_MS},"
        f" ballot from (select {_right('n')} as right_id, {ballot} as ballot"
        f" from {_series(first, count)}) as cast_before"
    )


def _right(number: str) -> str:
    return f"decode(left({sql_digest('right', number)}, 32), 'hex')"
