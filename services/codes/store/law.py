"""What the law topics tell codes: facts, written so that their order doesn't matter.

Everything written here is derived: a replay of the topics into empty tables gives the same rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from services.codes.domain.facts import FactSheet
from shared.consumer_types import Record, Sql
from shared.contracts.elections import CredentialListFixed, ElectionCreated
from shared.replay import DerivedTable

DERIVED_TABLES: Final = (
    DerivedTable("elections", key=("election_id",)),
    DerivedTable("right_facts", key=("right_id",)),
    DerivedTable("pack_facts", key=("right_id", "serial")),
    DerivedTable("scan_facts", key=("right_id", "scan_id")),
    DerivedTable("replacement_outcomes", key=("replacement_id",)),
    DerivedTable("closed_partitions", key=("election_id", "partition")),
)


@dataclass(frozen=True, slots=True)
class ReplacementOutcome:
    """What `votes` made of a replacement; `reason` is empty where it was accepted."""

    replacement_id: str
    election_id: str
    right_id: str
    is_accepted: bool
    reason: str
    decided_ms: int


@dataclass(slots=True)
class LawWork:
    """What one fetch of law topics adds."""

    facts: FactSheet = field(default_factory=FactSheet)
    created: list[ElectionCreated] = field(default_factory=list)
    lists: list[CredentialListFixed] = field(default_factory=list)
    outcomes: list[ReplacementOutcome] = field(default_factory=list)
    closed: list[tuple[str, int, int]] = field(default_factory=list)
    """(election, partition, broker stamp of the barrier)"""


class LawStore:
    """The unit of work of the law topics: facts are only added, and don't depend on known ones."""

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> LawWork:
        """An empty sheet: no fact depends on a known one."""
        return LawWork()

    async def save(self, sql: Sql, work: LawWork) -> None:
        """Add what the handlers noted; what is known already stays as it is."""
        await self._save_elections(sql, work)
        if work.facts.rights:
            await sql.execute(_ADD_RIGHT_FACTS, *_right_columns(work.facts))
        if work.facts.packs:
            await sql.execute(_ADD_PACK_FACTS, *_pack_columns(work.facts))
        if work.facts.scans:
            await sql.execute(_ADD_SCAN_FACTS, *_scan_columns(work.facts))
        if work.outcomes:
            await self._save_outcomes(sql, work.outcomes)
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
                "insert into elections (election_id, authority_key) values ($1, $2)"
                " on conflict do nothing",
                created.election_id,
                created.definition.credential_authority_key,
            )
        for fixed in work.lists:
            await sql.execute(
                "update elections set root = $2, size = $3 where election_id = $1 and root is null",
                fixed.election_id,
                fixed.root,
                fixed.size,
            )

    @staticmethod
    async def _save_outcomes(sql: Sql, outcomes: Sequence[ReplacementOutcome]) -> None:
        await sql.executemany(
            "insert into replacement_outcomes"
            " (replacement_id, election_id, right_id, is_accepted, reason, decided_ms)"
            " values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
            [
                (o.replacement_id, o.election_id, o.right_id, o.is_accepted, o.reason, o.decided_ms)
                for o in outcomes
            ],
        )


async def lock_states(sql: Sql, election_id: str) -> None:
    """Let nobody else draw packs of the election or account for it meanwhile."""
    await sql.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 20228))", f"states {election_id}"
    )


# Rows are written in the order of their keys, so that two transactions never wait for each other.
_ADD_RIGHT_FACTS: Final = """
insert into right_facts as known (election_id, right_id, registered_ms, online_ms, withdrawn_ms)
select * from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])
on conflict (right_id) do update set
    registered_ms = coalesce(known.registered_ms, excluded.registered_ms),
    online_ms = coalesce(known.online_ms, excluded.online_ms),
    withdrawn_ms = coalesce(known.withdrawn_ms, excluded.withdrawn_ms)
"""

_ADD_PACK_FACTS: Final = """
insert into pack_facts as known
    (election_id, right_id, serial, credential, granted_ms, accepted_ms, replaced_ms)
select * from unnest
    ($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[])
on conflict (right_id, serial) do update set
    credential = coalesce(known.credential, excluded.credential),
    granted_ms = coalesce(known.granted_ms, excluded.granted_ms),
    accepted_ms = coalesce(known.accepted_ms, excluded.accepted_ms),
    replaced_ms = coalesce(known.replaced_ms, excluded.replaced_ms)
"""

_ADD_SCAN_FACTS: Final = """
insert into scan_facts as known
    (election_id, right_id, scan_id, received_ms, admitted_ms, set_aside_ms, voided_ms)
select * from unnest
    ($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[])
on conflict (right_id, scan_id) do update set
    received_ms = coalesce(known.received_ms, excluded.received_ms),
    admitted_ms = coalesce(known.admitted_ms, excluded.admitted_ms),
    set_aside_ms = coalesce(known.set_aside_ms, excluded.set_aside_ms),
    voided_ms = coalesce(known.voided_ms, excluded.voided_ms)
"""


def _right_columns(facts: FactSheet) -> list[list[Any]]:
    rows = [
        (*key, f.registered_ms, f.online_ms, f.withdrawn_ms)
        for key, f in sorted(facts.rights.items(), key=_by_key)
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _pack_columns(facts: FactSheet) -> list[list[Any]]:
    rows = [
        (*key, f.credential, f.granted_ms, f.accepted_ms, f.replaced_ms)
        for key, f in sorted(facts.packs.items(), key=_by_key)
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _scan_columns(facts: FactSheet) -> list[list[Any]]:
    rows = [
        (*key, f.received_ms, f.admitted_ms, f.set_aside_ms, f.voided_ms)
        for key, f in sorted(facts.scans.items(), key=_by_key)
    ]
    return [list(column) for column in zip(*rows, strict=True)]


def _by_key(item: tuple[Any, Any]) -> Any:
    return item[0]
