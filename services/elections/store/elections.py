"""Orders, written once, and what API and calendar look at.

Promises that an order, once written, stays (the database grants no update).
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from services.elections.domain.barriers import Barrier
from services.elections.domain.phases import PostAnswer, Standing
from shared.consumer_types import Sql
from shared.contracts.elections import Definition
from shared.errors import NotNow
from shared.postgres.pool import connection, is_transient


class Resolution(Struct, frozen=True, kw_only=True):
    """Why a record that was set aside needs nothing more, in the official's own words."""

    service: str
    topic: str
    partition: int
    offset: int
    official: str
    explanation: str
    ordered_at_ms: int


class Order(Struct, frozen=True, kw_only=True):
    """One step of one election: who ordered it, when, and why if it was forced."""

    election_id: str
    step: str
    ordered_by: str
    is_forced: bool = False
    reason: str = ""
    ordered_at_ms: int


_STANDING = """
    select election_id, definition, election, fingerprint, phase, phase_since_ms, root, size,
           post_attempts, post_request, post_answer,
           (select count(*)::int from closed_partitions closed
             where closed.election_id = elections.election_id) as partitions_closed,
           (select coalesce(sum(closed.used_online), 0)::bigint from closed_partitions closed
             where closed.election_id = elections.election_id) as used_online
      from elections
"""
_ORDER = """
    insert into orders (election_id, step, ordered_by, is_forced, reason, ordered_at_ms)
    values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning 1
"""
_RESOLUTION = """
    insert into resolutions (service, topic, partition_number, log_offset, official, explanation,
                             ordered_at_ms)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
"""


@asynccontextmanager
async def reading(pool: "asyncpg.Pool[Any]") -> AsyncIterator[Sql]:
    """A connection to read from, in one snapshot; raises NotNow while the database is away."""
    try:
        async with connection(pool) as sql, sql.transaction(isolation="repeatable_read"):
            yield sql
    except Exception as error:
        if not is_transient(error):
            raise
        raise NotNow("The database is away. Send the same request again.") from error


class Store:
    """The queries of API and calendar, and the orders."""

    async def standing(self, sql: Sql, election_id: str) -> Standing | None:
        """Where the log says that the election stands; None if there is no such election."""
        row = await sql.fetchrow(_STANDING + "where election_id = $1", election_id)
        return None if row is None else _standing(row)

    async def locked(self, sql: Sql, election_id: str) -> Standing | None:
        """As `standing`, with the election's row held until the transaction ends.

        What depends on which orders there are already takes turns by it.
        """
        await sql.execute("select 1 from elections where election_id = $1 for update", election_id)
        return await self.standing(sql, election_id)

    async def standings(self, sql: Sql) -> list[Standing]:
        """Every election, the newest first."""
        rows = await sql.fetch(_STANDING + "order by created_offset desc")
        return [_standing(row) for row in rows]

    async def order(self, sql: Sql, order: Order) -> bool:
        """Write an order down; False if that step was ordered before."""
        return bool(await sql.fetchval(_ORDER, *msgspec.structs.astuple(order)))

    async def ordered(self, sql: Sql, election_id: str, step: str) -> Order | None:
        """A step's order, if it was ordered."""
        orders = await self.orders(sql, election_id)
        return next((order for order in orders if order.step == step), None)

    async def orders(self, sql: Sql, election_id: str) -> list[Order]:
        """What was ordered, in order of time."""
        rows = await sql.fetch(
            "select election_id, step, ordered_by, is_forced, reason, ordered_at_ms"
            " from orders where election_id = $1 order by ordered_at_ms, step",
            election_id,
        )
        return [Order(**dict(row)) for row in rows]

    async def barriers(self, sql: Sql, election_id: str) -> list[Barrier]:
        """The barriers of an election, by partition and place."""
        rows = await sql.fetch(
            'select election_id, kind, partition_number as partition, log_offset as "offset",'
            " stamp_ms, log_sha256 from barriers where election_id = $1"
            " order by partition_number, log_offset",
            election_id,
        )
        return [Barrier(**dict(row)) for row in rows]

    async def closed_partitions(self, sql: Sql, election_id: str) -> list[dict[str, Any]]:
        """What each closed partition counted."""
        rows = await sql.fetch(
            "select partition_number as partition, closed_at_ms, rights, used_online, used_by_post,"
            " withdrawn from closed_partitions where election_id = $1 order by partition_number",
            election_id,
        )
        return [dict(row) for row in rows]

    async def refused_records(self, sql: Sql) -> dict[str, int]:
        """Records of rights that votes did not believe, counted by reason."""
        rows = await sql.fetch(
            "select reason, count(*) as count from refused_records group by reason order by reason"
        )
        return {row["reason"]: row["count"] for row in rows}

    async def quarantine(self, sql: Sql) -> list[dict[str, Any]]:
        """The records that are set aside and not resolved, the oldest first, at most 100."""
        rows = await sql.fetch(
            'select service, topic, partition_number as partition, log_offset as "offset", reason,'
            " noticed_at_ms from quarantined_records where resolved_at_ms is null"
            " order by noticed_at_ms, topic, partition_number, log_offset limit 100"
        )
        return [dict(row) for row in rows]

    async def note_resolution(self, sql: Sql, resolution: Resolution) -> None:
        """Keep an official's words; the first ones about a record stay, as its event does."""
        await sql.execute(_RESOLUTION, *msgspec.structs.astuple(resolution))

    async def resolved(self, sql: Sql) -> list[Resolution]:
        """What officials wrote about records that were set aside, the newest first, at most 100."""
        rows = await sql.fetch(
            'select service, topic, partition_number as partition, log_offset as "offset",'
            " official, explanation, ordered_at_ms from resolutions"
            " order by ordered_at_ms desc, topic, partition_number, log_offset limit 100"
        )
        return [Resolution(**dict(row)) for row in rows]

    async def quarantine_count(self, sql: Sql) -> int:
        """How many records are set aside and not resolved."""
        count: int = await sql.fetchval(
            "select count(*) from quarantined_records where resolved_at_ms is null"
        )
        return count

    async def is_set_aside(
        self, sql: Sql, service: str, topic: str, partition: int, offset: int
    ) -> bool:
        """Whether the record at these coordinates waits for an explanation."""
        return bool(
            await sql.fetchval(
                "select 1 from quarantined_records where service = $1 and topic = $2"
                " and partition_number = $3 and log_offset = $4 and resolved_at_ms is null",
                service,
                topic,
                partition,
                offset,
            )
        )


def _standing(row: Any) -> Standing:
    answer = row["post_answer"]
    return Standing(
        election_id=row["election_id"],
        definition=msgspec.json.decode(row["definition"], type=Definition),
        election=row["election"],
        fingerprint=row["fingerprint"],
        phase=row["phase"],
        phase_since_ms=row["phase_since_ms"],
        root=row["root"],
        size=row["size"],
        post_attempts=row["post_attempts"],
        post_request=row["post_request"],
        post_answer=None if answer is None else msgspec.json.decode(answer, type=PostAnswer),
        partitions_closed=row["partitions_closed"],
        used_online=row["used_online"],
    )


async def standings_of(sql: Sql, names: Sequence[str]) -> dict[str, Standing]:
    """The elections with these ids, for a fold."""
    rows = await sql.fetch(_STANDING + "where election_id = any($1)", names)
    return {row["election_id"]: _standing(row) for row in rows}
