"""The fold of the law into tables: what the handlers of one fetch change, written set-based.

Promises that derived tables change only with the offsets of the records that changed them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from services.elections.domain.barriers import Barrier
from services.elections.domain.log_chain import LogRecord
from services.elections.domain.phases import Standing
from services.elections.store import log, statements
from services.elections.store.elections import standings_of
from services.elections.store.statements import STATEMENTS, Statement, correction_key, looked_at
from shared.consumer_types import Record, Sql
from shared.contracts.elections import ElectionCreated, ElectionDeclared
from shared.contracts.postal import PapersCorrected
from shared.contracts.quarantine import QuarantineResolved, RecordQuarantined


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


@dataclass
class Work:
    """What the handlers of one fetch read and change."""

    elections: dict[str, Standing]
    said_before: dict[tuple[str, str], str] = field(default_factory=dict)
    """Statements of these elections, of the kinds that the fetch brings, by election and kind."""
    said: list[Statement] = field(default_factory=list)
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

    def say(self, statement: Statement) -> bool:
        """Keep what is said once; False if something else was said before."""
        place = (statement.election_id, statement.said)
        before = self.said_before.setdefault(place, statement.message)
        if before == statement.message:
            self.said.append(statement)
        return before == statement.message

    def corrects(self, correction: PapersCorrected) -> str | None:
        """Why this correction of the paper count comes out of turn; None if it doesn't."""
        name = correction.election_id
        if (name, ElectionDeclared.__name__) in self.said_before:
            return "declared_already"
        is_next = (name, correction_key(correction.correction - 1)) in self.said_before
        return None if is_next else "correction_out_of_turn"


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
    insert into barriers (election_id, kind, partition_number, log_offset, stamp_ms, log_sha256)
    values ($1, $2, $3, $4, $5, $6)
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


class LawStore:
    """The unit of work of the stream."""

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> Work:
        """The elections that these records name, and what was said of them."""
        asked = (getattr(record.message, "election_id", None) for record in records)
        named = {name for name in asked if name is not None}
        if not named:
            return Work(elections={})
        said = [
            place
            for record in records
            if type(record.message) in STATEMENTS
            for place in looked_at(record)
        ]
        return Work(
            elections=await standings_of(sql, sorted(named)),
            said_before=await statements.known(sql, said),
        )

    async def follow(
        self,
        sql: Sql,
        work: Work,
        read: Sequence[tuple[tuple[str, int], Sequence[LogRecord]]],
    ) -> None:
        """Carry the chains of hashes on past everything that was read, handled or not."""
        work.barriers = await log.follow(sql, work.barriers, read)

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
        for text, rows in kinds:
            if rows:
                await sql.executemany(text, rows)
        await statements.save(sql, work.said)


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
