"""What the law topics tell postal: elections, serials, and what became of envelopes.

The tables written here are derived: a replay of the topics into empty ones gives the same rows.
Read besides, for the answer to `post_closing`: which batches are open and what is undecided.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.postal.domain.envelopes import FactSheet
from services.postal.domain.papers import questions_text
from shared.consumer_types import Record, Sql
from shared.contracts.codes import PackAssigned
from shared.contracts.elections import ElectionCreated, PhaseChanged
from shared.replay import DerivedTable

DERIVED_TABLES: Final = (
    DerivedTable("elections", key=("election_id",)),
    DerivedTable("serials", key=("serial",)),
    DerivedTable("envelope_facts", key=("scan_id", "election_id", "right_id")),
    DerivedTable("void_outcomes", key=("void_id",)),
    DerivedTable("closed_partitions", key=("election_id", "partition")),
)


@dataclass(frozen=True, slots=True)
class VoidOutcome:
    """What `votes` made of a void; `reason` is empty where it was accepted."""

    void_id: str
    scan_id: str
    is_accepted: bool
    reason: str
    decided_ms: int


@dataclass(frozen=True, slots=True)
class Queue:
    """What must be empty before the post can close."""

    open_batches: Collection[int] = ()
    undecided_scans: frozenset[str] = frozenset()
    undecided_voids: frozenset[str] = frozenset()


@dataclass(slots=True)
class LawWork:
    """What one fetch of law topics looks at and adds."""

    queues: Mapping[str, Queue] = field(default_factory=dict)
    facts: FactSheet = field(default_factory=FactSheet)
    created: list[ElectionCreated] = field(default_factory=list)
    phases: dict[str, str] = field(default_factory=dict)
    assigned: list[PackAssigned] = field(default_factory=list)
    voids: list[VoidOutcome] = field(default_factory=list)
    closed: list[tuple[str, int, int]] = field(default_factory=list)
    """(election, partition, broker stamp of the barrier)"""

    def undecided(self, election_id: str) -> int:
        """Scans and voids of an election that await their decision, this fetch included."""
        queue = self.queues.get(election_id, Queue())
        decided_voids = {void.void_id for void in self.voids}
        scans = queue.undecided_scans - self.facts.decided()
        return len(scans) + len(queue.undecided_voids - decided_voids)


class LawStore:
    """The unit of work of the law topics."""

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> LawWork:
        """The queues of elections whose post is about to close; else nothing."""
        closing = {
            record.message.election_id
            for record in records
            if isinstance(record.message, PhaseChanged) and record.message.phase == "post_closing"
        }
        return LawWork(queues={one: await self._queue(sql, one) for one in sorted(closing)})

    async def save(self, sql: Sql, work: LawWork) -> None:
        """Add what the handlers noted; what is known already stays as it is."""
        await self._save_elections(sql, work)
        if work.assigned:
            await sql.execute(
                "insert into serials (serial, election_id, right_id)"
                " select * from unnest($1::text[], $2::text[], $3::text[])"
                " on conflict do nothing",
                [one.serial for one in work.assigned],
                [one.election_id for one in work.assigned],
                [one.right_id for one in work.assigned],
            )
        if work.facts.envelopes:
            await sql.execute(_ADD_FACTS, *_columns(work.facts))
        if work.voids:
            await sql.executemany(
                "insert into void_outcomes (void_id, scan_id, is_accepted, reason, decided_ms)"
                " values ($1, $2, $3, $4, $5) on conflict do nothing",
                [(v.void_id, v.scan_id, v.is_accepted, v.reason, v.decided_ms) for v in work.voids],
            )
        if work.closed:
            await sql.executemany(
                "insert into closed_partitions (election_id, partition, decided_ms)"
                " values ($1, $2, $3) on conflict do nothing",
                work.closed,
            )

    @staticmethod
    async def _save_elections(sql: Sql, work: LawWork) -> None:
        for created in work.created:
            await sql.execute(
                "insert into elections (election_id, takes_post, phase, questions)"
                " values ($1, $2, 'defined', $3) on conflict do nothing",
                created.election_id,
                "post" in created.definition.channels,
                questions_text(created.definition.questions),
            )
        for election_id, phase in work.phases.items():
            await sql.execute(
                "update elections set phase = $2 where election_id = $1", election_id, phase
            )

    @staticmethod
    async def _queue(sql: Sql, election_id: str) -> Queue:
        # Scans hold this row shared: once it is ours, none is under way that the counts would miss.
        await sql.execute("select from elections where election_id = $1 for update", election_id)
        batches = await sql.fetch(
            "select number from batches where election_id = $1 and is_open", election_id
        )
        scans = await sql.fetch(_UNDECIDED_SCANS, election_id)
        voids = await sql.fetch(_UNDECIDED_VOIDS, election_id)
        return Queue(
            [row["number"] for row in batches],
            frozenset(row["scan_id"] for row in scans),
            frozenset(row["void_id"] for row in voids),
        )


_UNDECIDED_SCANS: Final = """
select s.scan_id from scans s
where s.election_id = $1 and s.right_id is not null and not exists (
    select from envelope_facts f where f.scan_id = s.scan_id
    and (f.admitted_ms is not null or f.set_aside_ms is not null)
)
"""

_UNDECIDED_VOIDS: Final = """
select v.void_id from voids v join scans s using (scan_id)
where s.election_id = $1 and s.right_id is not null and v.ordered_at is not null
    and not exists (select from void_outcomes o where o.void_id = v.void_id)
"""

# Rows are written in the order of their keys, so that two transactions never wait for each other.
_ADD_FACTS: Final = """
insert into envelope_facts as known
    (scan_id, election_id, right_id, admitted_ms, set_aside_ms, set_aside_reason, voided_ms,
     has_reopened)
select * from unnest
    ($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[],
     $8::boolean[])
on conflict (scan_id, election_id, right_id) do update set
    admitted_ms = coalesce(known.admitted_ms, excluded.admitted_ms),
    set_aside_ms = coalesce(known.set_aside_ms, excluded.set_aside_ms),
    set_aside_reason = coalesce(known.set_aside_reason, excluded.set_aside_reason),
    voided_ms = coalesce(known.voided_ms, excluded.voided_ms),
    has_reopened = coalesce(known.has_reopened, excluded.has_reopened)
"""


def _columns(facts: FactSheet) -> list[list[Any]]:
    rows = [
        (
            *key,
            f.admitted_ms,
            f.set_aside_ms,
            f.set_aside_reason,
            f.voided_ms,
            f.has_reopened,
        )
        for key, f in sorted(facts.envelopes.items(), key=lambda item: item[0])
    ]
    return [list(column) for column in zip(*rows, strict=True)]
