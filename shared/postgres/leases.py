"""Which gateway reads which reply partition: leases in its own database, renewed by a heartbeat.

Promises that two holders never have the same partition at a time, by the database's clock.
"""

from shared.consumer_types import Sql

_KEEP = (
    "update reply_leases set expires_at = now() + make_interval(secs => $3)"
    " where partition = $1 and holder = $2"
)
_TAKE = """
insert into reply_leases (partition, holder, expires_at)
select free.partition, $1, now() + make_interval(secs => $3)
from generate_series(0, $2 - 1) as free (partition)
left join reply_leases as held using (partition)
where held.partition is null or held.expires_at < now() or held.holder = $1
order by held.holder = $1 desc nulls last, random()
limit 1
on conflict (partition) do update
set holder = excluded.holder, expires_at = excluded.expires_at
where reply_leases.expires_at < now() or reply_leases.holder = excluded.holder
returning partition
"""


async def take(sql: Sql, holder: str, partitions: int, seconds: float) -> int | None:
    """A partition that is free or was the holder's before; None if there is none right now."""
    partition: int | None = await sql.fetchval(_TAKE, holder, partitions, seconds)
    return partition


async def keep(sql: Sql, partition: int, holder: str, seconds: float) -> bool:
    """Hold the partition for so many seconds more; False if another one has it by now."""
    return str(await sql.execute(_KEEP, partition, holder, seconds)) == "UPDATE 1"


async def give_back(sql: Sql, partition: int, holder: str) -> None:
    """Free the partition for others at once."""
    await sql.execute(
        "delete from reply_leases where partition = $1 and holder = $2", partition, holder
    )
