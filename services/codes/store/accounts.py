"""What was said of an election's packs at its end: once, and kept word for word."""

import msgspec

from shared.consumer_types import Sql
from shared.contracts.codes import PacksAccounted
from shared.contracts.message import encode
from shared.contracts.topics import RIGHTS_PARTITIONS

_DECODER = msgspec.json.Decoder(PacksAccounted)


async def due(sql: Sql) -> list[str]:
    """Elections of which every partition is closed and nothing was said yet."""
    rows = await sql.fetch(
        "select c.election_id from closed_partitions c"
        " where not exists (select from accounts a where a.election_id = c.election_id)"
        " group by c.election_id having count(*) = $1 order by c.election_id",
        RIGHTS_PARTITIONS,
    )
    return [row["election_id"] for row in rows]


async def insert(sql: Sql, account: PacksAccounted) -> bool:
    """Keep what is said; False if something was said before."""
    row = await sql.fetchrow(
        "insert into accounts (election_id, message) values ($1, $2)"
        " on conflict do nothing returning election_id",
        account.election_id,
        encode(account).decode(),
    )
    return row is not None


async def find(sql: Sql, election_id: str) -> PacksAccounted | None:
    """What was said of the election's packs, None before its end."""
    text: str | None = await sql.fetchval(
        "select message from accounts where election_id = $1", election_id
    )
    return None if text is None else _DECODER.decode(text)
