"""What the gateway's requests look at and change: hashes, locks, attempts and statements of the
rights of a fetch.

Promises that a right on the roll and a decoy are read and written by the same statements.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.identity.domain.attempts import Attempt, Lock
from shared.consumer_types import Record, Sql
from shared.contracts.elections import Fact
from shared.contracts.gateway import AnswersOffered

AttemptKey = tuple[str, str, str]
"""(right id, attempt id, nonce of the code permit): an attempt id alone is no key to a permit."""


def attempt_key(offered: AnswersOffered) -> AttemptKey:
    """What makes two requests the same attempt."""
    permit = offered.code_permit
    return permit.right_id, offered.attempt_id, permit.nonce


@dataclass(frozen=True, slots=True)
class KnownElection:
    """What identity must know of an election to judge answers."""

    facts: tuple[Fact, ...]
    phase: str


@dataclass(slots=True)
class AnswersWork:
    """The rows of one fetch, and those that its handlers changed."""

    elections: Mapping[str, KnownElection] = field(default_factory=dict)
    hashes: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    locks: dict[str, Lock] = field(default_factory=dict)
    attempts: dict[AttemptKey, Attempt] = field(default_factory=dict)
    changed_locks: dict[str, str] = field(default_factory=dict)
    new_attempts: dict[AttemptKey, str] = field(default_factory=dict)
    said: dict[str, int] = field(default_factory=dict)
    """Rights of which was said that nothing was posted: when first (broker stamp)."""
    newly_said: dict[str, str] = field(default_factory=dict)

    def note_nothing_posted(self, election_id: str, right_id: str, stamp_ms: int) -> int:
        """Remember what was said; returns when it was said first."""
        if right_id not in self.said:
            self.said[right_id] = stamp_ms
            self.newly_said[right_id] = election_id
        return self.said[right_id]

    def note(self, election_id: str, key: AttemptKey, attempt: Attempt, lock: Lock) -> None:
        """Remember a new attempt and the lock after it."""
        right_id = key[0]
        self.attempts[key] = attempt
        self.new_attempts[key] = election_id
        self.locks[right_id] = lock
        self.changed_locks[right_id] = election_id


async def hold_rights(sql: Sql, rights: Sequence[str]) -> None:
    """Let nobody else count attempts of these rights, or unlock them, before the commit.

    A right without a wrong attempt has no row that could be locked, hence advisory locks; taken in
    the order of ids, so that two transactions never wait for each other.
    """
    await sql.execute(
        "select pg_advisory_xact_lock(hashtextextended('lock ' || right_id, 0))"
        " from (select unnest($1::text[]) as right_id order by 1) as wanted",
        sorted(set(rights)),
    )


class AnswersStore:
    """The unit of work of the requests topic."""

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> AnswersWork:
        """Everything that judging these requests looks at; locks stay locked till the commit."""
        asked = [record.message for record in records]
        elections = sorted({message.election_id for message in asked})
        rights = sorted({message.code_permit.right_id for message in asked})
        offered = [message for message in asked if isinstance(message, AnswersOffered)]
        keys = [attempt_key(message) for message in offered]
        await hold_rights(sql, rights)
        return AnswersWork(
            elections=await self._elections(sql, elections),
            hashes=await self._hashes(sql, rights),
            locks=await self._locks(sql, rights),
            attempts=await self._attempts(sql, keys),
            said=await self._said(sql, rights) if len(offered) < len(asked) else {},
        )

    async def save(self, sql: Sql, work: AnswersWork) -> None:
        """Write new attempts, changed locks, and what was said."""
        if work.newly_said:
            await self._save_said(sql, work)
        if not work.new_attempts:
            return
        made = [(key, work.attempts[key], election) for key, election in work.new_attempts.items()]
        await sql.execute(
            "insert into attempts"
            " (right_id, attempt_id, nonce, election_id, verdict, remaining, at_ms)"
            " select * from unnest"
            " ($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[],"
            "  $7::bigint[])",
            *([key[part] for key, _, _ in made] for part in range(3)),
            [election for _, _, election in made],
            [attempt.verdict for _, attempt, _ in made],
            [attempt.remaining for _, attempt, _ in made],
            [attempt.at_ms for _, attempt, _ in made],
        )
        rights = sorted(work.changed_locks)
        await sql.execute(
            "insert into online_locks (right_id, election_id, wrong, locked_at_ms)"
            " select * from unnest($1::text[], $2::text[], $3::int[], $4::bigint[])"
            " on conflict (right_id)"
            " do update set wrong = excluded.wrong, locked_at_ms = excluded.locked_at_ms",
            rights,
            [work.changed_locks[right] for right in rights],
            [work.locks[right].wrong for right in rights],
            [work.locks[right].locked_at_ms for right in rights],
        )

    @staticmethod
    async def _said(sql: Sql, rights: list[str]) -> dict[str, int]:
        rows = await sql.fetch(
            "select right_id, said_at_ms from nothing_posted where right_id = any($1::text[])",
            rights,
        )
        return {row["right_id"]: row["said_at_ms"] for row in rows}

    @staticmethod
    async def _save_said(sql: Sql, work: AnswersWork) -> None:
        rights = sorted(work.newly_said)
        await sql.execute(
            "insert into nothing_posted (right_id, election_id, said_at_ms)"
            " select * from unnest($1::text[], $2::text[], $3::bigint[])",
            rights,
            [work.newly_said[right] for right in rights],
            [work.said[right] for right in rights],
        )

    @staticmethod
    async def _elections(sql: Sql, ids: list[str]) -> dict[str, KnownElection]:
        rows = await sql.fetch(
            "select election_id, facts, phase from elections where election_id = any($1::text[])",
            ids,
        )
        return {
            row["election_id"]: KnownElection(tuple(row["facts"]), row["phase"]) for row in rows
        }

    @staticmethod
    async def _hashes(sql: Sql, rights: list[str]) -> dict[str, dict[str, bytes]]:
        rows = await sql.fetch(
            "select right_id, facts, hashes from answer_hashes where right_id = any($1::text[])",
            rights,
        )
        return {
            row["right_id"]: dict(zip(row["facts"], row["hashes"], strict=True)) for row in rows
        }

    @staticmethod
    async def _locks(sql: Sql, rights: list[str]) -> dict[str, Lock]:
        rows = await sql.fetch(
            "select right_id, wrong, locked_at_ms from online_locks"
            " where right_id = any($1::text[])",
            rights,
        )
        return {row["right_id"]: Lock(row["wrong"], row["locked_at_ms"]) for row in rows}

    @staticmethod
    async def _attempts(sql: Sql, keys: Sequence[AttemptKey]) -> dict[AttemptKey, Attempt]:
        rows = await sql.fetch(
            "select right_id, attempt_id, nonce, verdict, remaining, at_ms from attempts"
            " where (right_id, attempt_id, nonce) in"
            " (select * from unnest($1::text[], $2::text[], $3::text[]))",
            *([key[part] for key in keys] for part in range(3)),
        )
        return {
            (row["right_id"], row["attempt_id"], row["nonce"]): Attempt(
                row["verdict"], row["remaining"], row["at_ms"]
            )
            for row in rows
        }
