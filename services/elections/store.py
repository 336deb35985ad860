"""SQL of `elections`: derived tables written per fetch, orders written once, and what is shown.

Promises that an order, once written, stays (the database grants no update), and that derived tables
change only with the offsets of the records that changed them.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import asyncpg
import msgspec
from msgspec import Struct

from services.elections.domain.barriers import Barrier
from services.elections.domain.phases import PostAnswer, Standing
from shared.consumer_types import Record, Sql
from shared.contracts.elections import Definition, ElectionCreated
from shared.contracts.quarantine import QuarantineResolved, RecordQuarantined
from shared.errors import NotNow
from shared.postgres.pool import connection, is_transient
from shared.replay import DerivedTable

DERIVED_TABLES = (
    DerivedTable("elections", key=("election_id",)),
    DerivedTable("barriers", key=("partition_number", "log_offset")),
    DerivedTable("closed_partitions", key=("election_id", "partition_number")),
    DerivedTable("refused_records", key=("partition_number", "log_offset")),
    DerivedTable("quarantined_records", key=("service", "topic", "partition_number", "log_offset")),
)
"""What the law topics rebuild; `orders` and `resolutions` are source."""


class SetAside(NamedTuple):
    """A record that a service could not read, and since when we know."""

    message: RecordQuarantined
    stamp_ms: int


class ResolutionHeard(NamedTuple):
    """An official's explanation, and its place in time."""

    message: QuarantineResolved
    stamp_ms: int


class Creation(NamedTuple):
    """A new election, and its place in castonce.elections.v1."""

    message: ElectionCreated
    offset: int
    stamp_ms: int


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


@dataclass
class Work:
    """What the handlers of one fetch read and change."""

    elections: dict[str, Standing]
    created: list[Creation] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    barriers: list[Barrier] = field(default_factory=list)
    closed: list[tuple[str, int, int, int, int, int, int]] = field(default_factory=list)
    refused: list[tuple[int, int, str]] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)
    resolved: list[ResolutionHeard] = field(default_factory=list)

    def create(self, standing: Standing, creation: Creation) -> None:
        """A new election."""
        self.elections[standing.election_id] = standing
        self.created.append(creation)

    def change(self, standing: Standing) -> None:
        """An election stands elsewhere now."""
        self.elections[standing.election_id] = standing
        self.changed.add(standing.election_id)


_STANDING = """
    select election_id, definition, election, fingerprint, phase, phase_since_ms, root, size,
           post_attempts, post_request, post_answer,
           (select count(*)::int from closed_partitions closed
             where closed.election_id = elections.election_id) as partitions_closed
      from elections
"""
_CREATE = """
    insert into elections (election_id, created_offset, created_at_ms, definition, election,
                           fingerprint, keys, answers_key, phase, phase_since_ms, root, size,
                           post_attempts, post_request)
    values ($1, $2, $3, $4, $5, $6, $7, $8, 'defined', $3, '', 0, 0, '')
"""
_CHANGE = """
    update elections
       set phase = $2, phase_since_ms = $3, root = $4, size = $5, post_attempts = $6,
           post_request = $7, post_answer = $8
     where election_id = $1
"""
_BARRIER = """
    insert into barriers (election_id, kind, partition_number, log_offset, stamp_ms)
    values ($1, $2, $3, $4, $5)
"""
_CLOSED = """
    insert into closed_partitions (election_id, partition_number, closed_at_ms, rights,
                                   used_online, used_by_post, withdrawn)
    values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
"""
_REFUSED = """
    insert into refused_records (partition_number, log_offset, reason)
    values ($1, $2, $3) on conflict do nothing
"""
_SET_ASIDE = """
    insert into quarantined_records (service, topic, partition_number, log_offset, reason,
                                     noticed_at_ms)
    values ($1, $2, $3, $4, $5, $6) on conflict do nothing
"""
_RESOLVE = """
    update quarantined_records
       set resolved_at_ms = $5, resolved_by = $6, explanation = $7
     where service = $1 and topic = $2 and partition_number = $3 and log_offset = $4
       and resolved_at_ms is null
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
    """The unit of work of the stream, and the queries of API and calendar."""

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> Work:
        """The elections that these records name."""
        named = {getattr(record.message, "election_id", None) for record in records} - {None}
        if not named:
            return Work(elections={})
        rows = await sql.fetch(_STANDING + "where election_id = any($1)", list(named))
        return Work(elections={row["election_id"]: _standing(row) for row in rows})

    async def save(self, sql: Sql, work: Work) -> None:
        """Write what changed, one statement per kind of change."""
        kinds: list[tuple[str, list[tuple[Any, ...]]]] = [
            (_CREATE, [_creation_row(creation) for creation in work.created]),
            (_CHANGE, [_change_row(work.elections[name]) for name in sorted(work.changed)]),
            (_BARRIER, [msgspec.structs.astuple(barrier) for barrier in work.barriers]),
            (_CLOSED, list(work.closed)),
            (_REFUSED, list(work.refused)),
            (_SET_ASIDE, [_set_aside_row(aside) for aside in work.set_aside]),
            (_RESOLVE, [_resolution_row(resolution) for resolution in work.resolved]),
        ]
        for statement, rows in kinds:
            if rows:
                await sql.executemany(statement, rows)

    async def standing(self, sql: Sql, election_id: str) -> Standing | None:
        """Where the log says that the election stands; None if there is no such election."""
        row = await sql.fetchrow(_STANDING + "where election_id = $1", election_id)
        return None if row is None else _standing(row)

    async def standings(self, sql: Sql) -> list[Standing]:
        """Every election, the newest first."""
        rows = await sql.fetch(_STANDING + "order by created_offset desc")
        return [_standing(row) for row in rows]

    async def order(self, sql: Sql, order: Order) -> bool:
        """Write an order down; False if that step was ordered before."""
        return bool(await sql.fetchval(_ORDER, *msgspec.structs.astuple(order)))

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
            " stamp_ms from barriers where election_id = $1 order by partition_number, log_offset",
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


def _creation_row(creation: Creation) -> tuple[Any, ...]:
    message = creation.message
    return (
        message.election_id,
        creation.offset,
        creation.stamp_ms,
        _text(message.definition),
        message.election,
        message.fingerprint,
        _text(message.keys),
        message.answers_key,
    )


def _change_row(standing: Standing) -> tuple[Any, ...]:
    answer = standing.post_answer
    return (
        standing.election_id,
        standing.phase,
        standing.phase_since_ms,
        standing.root,
        standing.size,
        standing.post_attempts,
        standing.post_request,
        None if answer is None else _text(answer),
    )


def _set_aside_row(aside: SetAside) -> tuple[Any, ...]:
    message = aside.message
    where = (message.service, message.topic, message.partition, message.offset)
    return (*where, message.reason, aside.stamp_ms)


def _resolution_row(resolution: ResolutionHeard) -> tuple[Any, ...]:
    message = resolution.message
    where = (message.service, message.topic, message.partition, message.offset)
    return (*where, resolution.stamp_ms, message.official, message.explanation)


def _text(value: Struct) -> str:
    return msgspec.json.encode(value).decode()


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
    )
