"""What the law topics tell identity: elections, withdrawn rights and evidence for cases.

Everything here is derived: a replay of the topics into empty tables gives the same rows, in
whichever order the two topics are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.identity.domain.cases import Evidence
from shared.consumer_types import Record, Sql
from shared.contracts.elections import ElectionCreated, PhaseChanged


@dataclass(slots=True)
class WithdrawalDecided:
    """What became of a withdrawal, when (broker stamp); `refused` is '' where the right is gone."""

    right_id: str
    election_id: str
    withdrawal_id: str
    at_ms: int
    refused: str = ""


@dataclass(slots=True)
class LawWork:
    """What one fetch of law topics looks at and changes."""

    known: set[str] = field(default_factory=set)
    created: list[ElectionCreated] = field(default_factory=list)
    phases: dict[str, str] = field(default_factory=dict)
    withdrawals: list[WithdrawalDecided] = field(default_factory=list)
    evidence: list[tuple[str, str, str, Evidence]] = field(default_factory=list)


class LawStore:
    """The unit of work of the law topics."""

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> LawWork:
        """The elections that these records name, as far as they are known."""
        named = {
            record.message.election_id
            for record in records
            if isinstance(record.message, ElectionCreated | PhaseChanged)
        }
        if not named:
            return LawWork()
        rows = await sql.fetch(
            "select election_id from elections where election_id = any($1::text[])", list(named)
        )
        return LawWork(known={row["election_id"] for row in rows})

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
    async def _insert_evidence(
        sql: Sql, evidence: Sequence[tuple[str, str, str, Evidence]]
    ) -> None:
        await sql.executemany(
            "insert into case_evidence"
            " (event_id, election_id, right_id, kind, at_ms, reference, first_at_ms)"
            " values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
            [
                (event_id, election_id, right_id, e.kind, e.at_ms, e.reference, e.first_at_ms)
                for event_id, election_id, right_id, e in evidence
            ],
        )
