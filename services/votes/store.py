"""What votes remembers, in PostgreSQL: one read and one statement per fetch. SQL only.

Promises that a fetch's changes, its offsets and its outbox row are one transaction that fails if
another process has applied these records; and that claims, ballots and outcomes are only inserted
(the role's grants allow nothing else). Must never keep more of a refused ballot than its outcome.

Trusts that a partition's tables change only together with its offset: so what was read at one
offset is true as long as the offset stands, and elections are read again only after a gap. Records
that can't be read show no gap beforehand, so `apply` looks for one in the offsets that it moves.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from services.votes.domain.ledger import Books, Ledger, PartitionKey, Powers
from services.votes.domain.readings import Readings
from services.votes.domain.state import (
    AcceptedBallot,
    BallotKey,
    BallotOutcome,
    Claim,
    Pack,
    PartitionState,
    Right,
    Scan,
)
from services.votes.ports import Verdicts
from shared.consumer_types import Record, Sql
from shared.contracts.gateway import BallotSubmitted
from shared.postgres.offsets import FetchOffsets
from shared.replay import DerivedTable

DERIVED_TABLES = (
    DerivedTable("partition_states", key=("partition", "election_id")),
    DerivedTable("rights", key=("right_id",)),
    DerivedTable("claims", key=("right_id", "generation")),
    DerivedTable("ballots", key=("tracker",)),
    DerivedTable("outcomes", key=("right_id", "tracker")),
    DerivedTable("refused_records", key=("partition", "offset")),
)

_READ = "select * from votes_read($1, $2)"
_READ_STATES = """
    select partition, election_id, defined_by, keys, rotations, root, size, phase, fingerprint,
        rights, used_online, used_by_post, withdrawn,
        case when fingerprint = any($1::text[]) then null else election end as election
    from partition_states
"""
_APPLY = f"select votes_apply({', '.join(f'${n}' for n in range(1, 45))})"
_NOTHING, _NO_SCANS = "[]", "{}"
_PACKS = msgspec.json.Decoder(tuple[Pack, ...])
_SCANS = msgspec.json.Decoder(dict[str, Scan])
_STATE_FIELDS = frozenset(PartitionState.__struct_fields__)


class VotesStore:
    """The unit of work of the fold: `load` opens a ledger, `apply` writes what it changed."""

    def __init__(self, powers: Powers, verdicts: Verdicts) -> None:
        """`powers` without verdicts; those are asked from `verdicts` for every fetch."""
        self._powers = powers
        self._verdicts = verdicts
        self._states: dict[PartitionKey, PartitionState] = {}
        self._next_offsets: dict[int, int] = {}
        self._is_just_read = False
        self._opened: tuple[Sequence[Record[Any]], Books] | None = None

    @property
    def known_before(self) -> Books:
        """What is known of elections without asking, which may be behind."""
        return Books(dict(self._states), {}, {})

    async def books(self, sql: Sql, records: Sequence[Record[Any]]) -> Books:
        """What is known of all that the records are about; kept for the `load` that follows."""
        self._is_just_read = not self._is_current(records)
        if self._is_just_read:
            await self._read_states(sql)
        readings = Readings()
        rights, outcomes = await _read_rights(sql, records, readings)
        books = Books(dict(self._states), rights, outcomes, readings)
        self._opened = (records, books)
        return books

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> Ledger:
        """A ledger to apply these records to, with the verdicts that were worked out for them."""
        opened, self._opened = self._opened, None
        if opened is None or opened[0] != records:
            books = await self.books(sql, records)
        else:
            books = opened[1]
        return Ledger(books, self._powers._replace(verdicts=self._verdicts.known()))

    async def save(self, sql: Sql, work: Ledger) -> None:
        """Not used: this store writes offsets and outbox row itself, see `apply`."""
        raise NotImplementedError("votes is applied in one statement: use apply")

    async def apply(
        self, sql: Sql, work: Ledger, step: FetchOffsets, row: bytes | None
    ) -> int | None:
        """Write everything that the fetch changed; the outbox row's id, or None without one.

        Raises a PostgresError for which `pool.is_stale` holds when another process was there first,
        and one for which `pool.is_transient` holds when these records were folded with books from
        before another process's turn.
        """
        self._opened = None
        known, self._next_offsets = self._next_offsets, {}  # forgotten unless this succeeds
        await self._require_current(sql, known, step)
        row_id: int | None = await sql.fetchval(
            _APPLY,
            *step.arguments(),
            row,
            self._definitions(work),
            *_columns(_counts(work), 6),
            *_columns(map(_right_row, work.rights.values()), 9),
            *_columns(_envelope_claims(work), 5),
            *_columns(map(_ballot_row, work.accepted), 6),
            *_columns(_outcome_rows(work), 5),
            *_columns(work.refused_records, 5),
        )  # fmt: skip
        self._states |= work.partitions
        self._next_offsets = known | dict(zip(step.partitions, step.following, strict=True))
        return row_id

    def _is_current(self, records: Sequence[Record[Any]]) -> bool:
        # Records that can't be read aren't among these: see _require_current.
        firsts: dict[int, int] = {}
        for record in records:
            firsts.setdefault(record.partition, record.offset)
        return bool(self._next_offsets) and all(
            self._next_offsets.get(partition) == offset for partition, offset in firsts.items()
        )

    async def _require_current(self, sql: Sql, known: dict[int, int], step: FetchOffsets) -> None:
        if self._is_just_read:
            return
        moved = zip(step.partitions, step.expected, strict=True)
        gaps = {partition for partition, expected in moved if known.get(partition) != expected}
        if not gaps:
            return
        before = _of_partitions(self._states, gaps)
        await self._read_states(sql)
        if _of_partitions(self._states, gaps) != before:
            raise asyncpg.SerializationError(
                f"partitions {sorted(gaps)} were folded with books from before another process's"
                " turn: fold them again"
            )

    async def _read_states(self, sql: Sql) -> None:
        texts = {state.fingerprint: state.election for state in self._states.values()}
        rows = await sql.fetch(_READ_STATES, list(texts))
        self._states = {}
        for row in rows:
            state = _state(row, texts)
            self._states[state.partition, state.election_id] = state

    def _definitions(self, work: Ledger) -> str | None:
        # Counts alone are written without the election's text.
        changed = [
            msgspec.to_builtins(state)
            for key, state in work.partitions.items()
            if not _is_same_election(state, self._states.get(key))
        ]
        return msgspec.json.encode(changed).decode() if changed else None


def _of_partitions(
    states: Mapping[PartitionKey, PartitionState], partitions: Collection[int]
) -> Mapping[PartitionKey, PartitionState]:
    return {key: state for key, state in states.items() if key[0] in partitions}


def _columns(rows: Iterable[Sequence[Any]], width: int) -> Sequence[Sequence[Any] | None]:
    # Nulls where there are no rows: asyncpg takes its time over every array, also over empty ones.
    return list(zip(*rows, strict=True)) or (None,) * width


def _is_same_election(state: PartitionState, known: PartitionState | None) -> bool:
    return known is not None and (
        state.phase == known.phase
        and state.keys == known.keys
        and state.root == known.root
        and state.rotations == known.rotations
    )


def _counts(work: Ledger) -> Iterable[tuple[Any, ...]]:
    for (partition, election_id), state in work.partitions.items():
        counts = (state.rights, state.used_online, state.used_by_post, state.withdrawn)
        yield partition, election_id, *counts


def _right_row(right: Right) -> tuple[Any, ...]:
    pack = right.pack
    return (
        bytes.fromhex(right.right_id),
        right.election_id,
        right.generation,
        None if pack is None else pack.serial,
        None if pack is None else pack.credential,
        _json(right.replaced) if right.replaced else _NOTHING,
        right.withdrawn_at_ms,
        _json(right.scans) if right.scans else _NO_SCANS,
        _json(right.applied) if right.applied else _NOTHING,
    )


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _envelope_claims(work: Ledger) -> Iterable[tuple[Any, ...]]:
    # A ballot's claim is made of its row in `ballots`.
    for right_id, generation, claim in work.claims:
        if claim.channel == "post":
            made = (claim.channel, claim.at_ms, claim.reference)
            yield bytes.fromhex(right_id), generation, *made


def _ballot_row(one: AcceptedBallot) -> tuple[Any, ...]:
    right_id = bytes.fromhex(one.right_id)
    return right_id, one.generation, one.tracker, one.election_id, one.at_ms, one.ballot


def _outcome_rows(work: Ledger) -> Iterable[tuple[Any, ...]]:
    # An accepted ballot's outcome is its claim.
    for (right_id, of_ballot), one in work.decided().items():
        if one.reason is not None:
            yield bytes.fromhex(right_id), of_ballot, one.reason, one.at_ms, one.first_at_ms


def _state(row: asyncpg.Record, texts: dict[str, str]) -> PartitionState:
    fields = {name: value for name, value in row.items() if name in _STATE_FIELDS}
    fields["keys"] = msgspec.json.decode(row["keys"])
    if row["election"] is None:
        fields["election"] = texts[row["fingerprint"]]
    return msgspec.convert(fields, PartitionState)


async def _read_rights(
    sql: Sql, records: Sequence[Record[Any]], readings: Readings
) -> tuple[dict[str, Right], dict[BallotKey, BallotOutcome]]:
    asked = {
        _asked(record, readings): None for record in records if hasattr(record.message, "right_id")
    }
    rights: dict[str, Right] = {}
    outcomes: dict[BallotKey, BallotOutcome] = {}
    if not asked:
        return rights, outcomes
    rows = await sql.fetch(
        _READ,
        [bytes.fromhex(right_id) for right_id, _ in asked],
        [of_ballot for _, of_ballot in asked],
    )
    for row in rows:
        right_id, asked_tracker = row[0].hex(), row[1]
        if row[2] is not None and right_id not in rights:
            rights[right_id] = _right(right_id, row)
        outcome = _outcome(row)
        if outcome is not None:
            outcomes[BallotKey(right_id, asked_tracker)] = outcome
    return rights, outcomes


def _asked(record: Record[Any], readings: Readings) -> tuple[str, str | None]:
    message = record.message
    if type(message) is BallotSubmitted:
        return message.right_id, readings.of(record).tracker
    return message.right_id, None


def _right(right_id: str, row: asyncpg.Record) -> Right:
    # By position: this runs for every record, and names cost half of it. See votes_read.
    return Right(
        right_id=right_id,
        election_id=row[2],
        generation=row[3],
        pack=None if row[4] is None else Pack(row[4], row[5]),
        replaced=() if row[6] == _NOTHING else _PACKS.decode(row[6]),
        withdrawn_at_ms=row[7],
        scans={} if row[8] == _NO_SCANS else _SCANS.decode(row[8]),
        applied=tuple(row[9]),
        claim=None if row[10] is None else Claim(row[10], row[11], row[12]),
    )


def _outcome(row: asyncpg.Record) -> BallotOutcome | None:
    if row[13] is not None:
        return BallotOutcome(row[13], row[14], row[15])
    if row[10] == "online" and row[12] == row[1]:
        return BallotOutcome(None, row[11])
    return None
