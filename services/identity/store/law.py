"""What the law topics tell identity: elections, withdrawn rights and evidence for cases.

Everything here is derived: a replay of the topics into empty tables gives the same rows, in
whichever order the two topics are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from services.identity.domain.cases import Evidence, evidence_of
from shared.consumer_types import Record, Sql
from shared.contracts.elections import ElectionCreated, PhaseChanged
from shared.contracts.votes import Decision


@dataclass(slots=True)
class WithdrawalDecided:
    """What became of a withdrawal, when (broker stamp); `refused` is '' where the right is gone."""

    right_id: str
    election_id: str
    withdrawal_id: str
    at_ms: int
    refused: str = ""


class EvidenceNoted(NamedTuple):
    """Evidence about a right, by the event that gave it; `is_after_close` of its partition."""

    event_id: str
    election_id: str
    right_id: str
    evidence: Evidence
    is_after_close: bool


@dataclass(slots=True)
class LawWork:
    """What one fetch of law topics looks at and changes."""

    known: set[str] = field(default_factory=set)
    created: list[ElectionCreated] = field(default_factory=list)
    phases: dict[str, str] = field(default_factory=dict)
    withdrawals: list[WithdrawalDecided] = field(default_factory=list)
    evidence: list[EvidenceNoted] = field(default_factory=list)
    closed: set[tuple[str, int]] = field(default_factory=set)
    """(election, partition), of the elections that this fetch has evidence about."""
    closing: list[tuple[str, int, int]] = field(default_factory=list)
    """(election, partition, broker stamp of the barrier)"""


class LawStore:
    """The unit of work of the law topics."""

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> LawWork:
        """What is known of the elections that these records name, and which parts are closed."""
        work, named, suspected = LawWork(), set[str](), set[str]()
        for message in (record.message for record in records):
            if isinstance(message, ElectionCreated | PhaseChanged):
                named.add(message.election_id)
            elif isinstance(message, Decision) and evidence_of(message) is not None:
                suspected.add(message.election_id)
        if named:
            rows = await sql.fetch(
                "select election_id from elections where election_id = any($1::text[])", list(named)
            )
            work.known = {row["election_id"] for row in rows}
        if suspected:
            rows = await sql.fetch(
                "select election_id, partition from closed_partitions"
                " where election_id = any($1::text[])",
                list(suspected),
            )
            work.closed = {(row["election_id"], row["partition"]) for row in rows}
        return work

    async def save(self, sql: Sql, work: LawWork) -> None:
        """Write what the handlers noted."""
        if work.created:
            await self._insert_elections(sql, work.created)
        if work.phases:
            await sql.execute(
                "update elections e set phase = n.phase"
                " from unnest($1::text[], $2::text[]) n (election_id, phase)"
                " where e.election_id = n.election_id",
                list(work.phases),
                list(work.phases.values()),
            )
        await self._insert_withdrawn(sql, [one for one in work.withdrawals if not one.refused])
        await self._insert_refused(sql, [one for one in work.withdrawals if one.refused])
        if work.evidence:
            await self._insert_evidence(sql, work.evidence)
        if work.closing:
            await sql.executemany(
                "insert into closed_partitions (election_id, partition, decided_ms)"
                " values ($1, $2, $3) on conflict do nothing",
                work.closing,
            )

    @staticmethod
    async def _insert_elections(sql: Sql, created: Sequence[ElectionCreated]) -> None:
        await sql.executemany(
            "insert into elections (election_id, title, organisation, facts, phase)"
            " values ($1, $2, $3, $4, 'defined') on conflict do nothing",
            [
                (
                    one.election_id,
                    one.definition.title,
                    one.definition.organisation,
                    [question.fact for question in one.definition.security_questions],
                )
                for one in created
            ],
        )

    @staticmethod
    async def _insert_withdrawn(sql: Sql, withdrawn: Sequence[WithdrawalDecided]) -> None:
        if not withdrawn:
            return
        await sql.execute(
            "insert into withdrawn_rights (right_id, election_id, withdrawal_id, withdrawn_at_ms)"
            " select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[])"
            " on conflict do nothing",
            [one.right_id for one in withdrawn],
            [one.election_id for one in withdrawn],
            [one.withdrawal_id for one in withdrawn],
            [one.at_ms for one in withdrawn],
        )

    @staticmethod
    async def _insert_refused(sql: Sql, refused: Sequence[WithdrawalDecided]) -> None:
        if not refused:
            return
        await sql.executemany(
            "insert into refused_withdrawals"
            " (withdrawal_id, right_id, election_id, reason, decided_at_ms)"
            " values ($1, $2, $3, $4, $5) on conflict do nothing",
            [
                (one.withdrawal_id, one.right_id, one.election_id, one.refused, one.at_ms)
                for one in refused
            ],
        )

    @staticmethod
    async def _insert_evidence(sql: Sql, evidence: Sequence[EvidenceNoted]) -> None:
        await sql.executemany(
            "insert into case_evidence"
            " (event_id, election_id, right_id, kind, at_ms, reference, first_at_ms,"
            " is_after_close) values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
            [_evidence_row(noted) for noted in evidence],
        )


def _evidence_row(noted: EvidenceNoted) -> tuple[object, ...]:
    said = noted.evidence
    about = noted.event_id, noted.election_id, noted.right_id
    return *about, said.kind, said.at_ms, said.reference, said.first_at_ms, noted.is_after_close
