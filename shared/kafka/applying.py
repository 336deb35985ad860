"""One fetch, one transaction: offsets, repeated events, the store, the outbox, the quarantine.

Promises that all of it is committed or nothing, that another process's commit in between makes it
fail (P1), and that handlers see the records of a partition in log order. Follows DESIGN section 5.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from shared.consumer_types import (
    Done,
    Emission,
    Halt,
    Handlers,
    Malformed,
    Outcome,
    Quarantine,
    Record,
    Retry,
    Sql,
    UnitOfWork,
)
from shared.kafka.decoding import Unreadable, malformed
from shared.kafka.fetch import Cut, Fetch, Part, Result, event_key, notice
from shared.kafka.outbox import Outbox
from shared.kafka.sealing import Sealed, pack
from shared.postgres import applied, offsets, quarantine
from shared.postgres.offsets import Place
from shared.postgres.pool import connection, is_stale, is_transient, transaction

W = TypeVar("W")
OnMalformed = Callable[[Malformed, W], Outcome]
"""What a service makes of an unreadable record itself, instead of the quarantine."""
Arrange = Callable[[Sequence[Emission]], Sequence[Emission]]
"""The order in which a fetch's emissions are published, where log order would tell too much."""


class HandlerFailed(Exception):
    """A handler raised: its partition halts before this record, and nothing of it is kept."""

    def __init__(self, place: Place, offset: int, error: Exception) -> None:
        super().__init__(f"offset {offset}: {type(error).__name__}: {error}")
        self.place = place
        self.offset = offset


@dataclass(slots=True)
class Committed(Generic[W]):
    """What is in the database now, and what is still to be said about it."""

    work: W
    result: Result
    row_id: int | None
    sealed: Sequence[Sealed]
    following: Mapping[Place, int]


@dataclass(slots=True)
class Applier(Generic[W]):
    """Applies fetches for one consumer of one service."""

    consumer: str
    handlers: Handlers[W]
    store: UnitOfWork[W]
    pool: Any
    outbox: Outbox
    dedupe_events: bool
    on_malformed: OnMalformed[W] | None
    arrange: Arrange | None = None

    async def apply(self, fetch: Fetch, blocked: Mapping[Place, tuple[int, str]]) -> Committed[W]:
        """Commit what the handlers decide; `blocked` halts partitions at (offset, reason).

        Raises HandlerFailed, or whatever the database raised: then nothing is committed, or the
        outcome is unknown, and the stored offsets tell.
        """
        if hasattr(self.store, "apply") and not self.dedupe_events:
            async with connection(self.pool) as sql:
                return await self._in_one_statement(sql, fetch, blocked)
        # A store whose work may be large says how long a transaction of it may last.
        seconds = getattr(self.store, "transaction_seconds", None)
        async with transaction(self.pool, seconds) as sql:
            return await self._in_transaction(sql, fetch, blocked)

    async def _in_transaction(
        self, sql: Sql, fetch: Fetch, blocked: Mapping[Place, tuple[int, str]]
    ) -> Committed[W]:
        records = fetch.records()
        repeated = await self._claim(sql, records) if self.dedupe_events else frozenset()
        work = await self.store.load(sql, records)
        result = await self._decide(fetch, work, blocked, repeated)
        if result.unclaimed:
            await applied.release(sql, self.consumer, result.unclaimed)
        if hasattr(self.store, "follow"):
            await self.store.follow(sql, work, result.applied_raws(fetch))
        if result.applied:
            await self.store.save(sql, work)
        if result.quarantined:
            await quarantine.insert(sql, result.quarantined)
        sealed, row = self._seal(result)
        step = result.offsets(self.consumer, fetch)
        row_id = await offsets.finish(sql, step, row) if step.topics else None
        return Committed(work, result, row_id, sealed, _following(step))

    async def _in_one_statement(
        self, sql: Sql, fetch: Fetch, blocked: Mapping[Place, tuple[int, str]]
    ) -> Committed[W]:
        """The store writes everything itself, offsets and outbox row included, in one statement."""
        work = await self.store.load(sql, fetch.records())
        result = await self._decide(fetch, work, blocked, frozenset())
        sealed, row = self._seal(result)
        step = result.offsets(self.consumer, fetch)
        apply = self.store.apply  # type: ignore[attr-defined]
        if not step.topics:
            row_id = None
        elif not result.quarantined:
            row_id = await apply(sql, work, step, row)
        else:
            async with sql.transaction():
                await quarantine.insert(sql, result.quarantined)
                row_id = await apply(sql, work, step, row)
        return Committed(work, result, row_id, sealed, _following(step))

    async def _claim(self, sql: Sql, records: Sequence[Record[Any]]) -> frozenset[int]:
        """The records (by identity) whose event was applied before, here or earlier in the log."""
        first: dict[str, Record[Any]] = {}
        for record in records:
            first.setdefault(event_key(record), record)
        new = await applied.claim(sql, self.consumer, list(first)) if first else set()
        return frozenset(
            id(record)
            for record in records
            if event_key(record) not in new or first[event_key(record)] is not record
        )

    async def _decide(
        self,
        fetch: Fetch,
        work: W,
        blocked: Mapping[Place, tuple[int, str]],
        repeated: frozenset[int],
    ) -> Result:
        result = Result()
        for part in fetch.parts:
            await self._decide_part(part, work, blocked.get(part.cursor.place), repeated, result)
        return result

    async def _decide_part(
        self,
        part: Part,
        work: W,
        block: tuple[int, str] | None,
        repeated: frozenset[int],
        result: Result,
    ) -> None:
        for index, item in enumerate(part.items):
            if item is None or id(item) in repeated:
                continue
            if block is not None and part.offset(index) >= block[0]:
                outcome: Outcome = Halt(block[1])
            else:
                outcome = await self._outcome(part, index, item, work)
            if type(outcome) is Done:
                result.applied += 1
                result.emissions.extend(outcome.emissions)
            elif isinstance(outcome, Quarantine):
                aside = malformed(part.raws[index], outcome.reason)
                result.quarantine(aside, notice(self.outbox.service, aside))
            elif isinstance(outcome, Retry | Halt):
                result.cuts[part.cursor.place] = Cut(index, outcome)
                self._give_back(part, index, repeated, result)
                return

    def _give_back(self, part: Part, index: int, repeated: frozenset[int], result: Result) -> None:
        if self.dedupe_events:
            result.unclaimed.extend(
                event_key(item)
                for item in part.items[index:]
                if type(item) is Record and id(item) not in repeated
            )

    async def _outcome(
        self, part: Part, index: int, item: Record[Any] | Malformed | Unreadable, work: W
    ) -> Outcome:
        try:
            if isinstance(item, Record):
                return await self.handlers[type(item.message)](item, work)
            if isinstance(item, Unreadable):
                return Halt(item.reason)
            if self.on_malformed is not None:
                return self.on_malformed(item, work)
            return Quarantine(item.reason)
        except Exception as error:
            if is_transient(error) or is_stale(error):
                raise
            raise HandlerFailed(part.cursor.place, part.offset(index), error) from error

    def _seal(self, result: Result) -> tuple[Sequence[Sealed], bytes | None]:
        if not result.emissions:
            return (), None
        said = result.emissions if self.arrange is None else self.arrange(result.emissions)
        sealed = self.outbox.sealer.seal(said)
        return sealed, pack(sealed)


def _following(step: offsets.FetchOffsets) -> dict[Place, int]:
    return dict(zip(zip(step.topics, step.partitions, strict=True), step.following, strict=True))
