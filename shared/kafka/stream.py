"""The idempotent consumer: the one way in which a service reads topics (DESIGN section 5).

Promises that each record changes the database exactly once, in log order within its partition,
whatever crashes, repeats or races; that a record that can't be applied stops its own partition at
most; and that Kafka or PostgreSQL being away is waited out. Must never log an error and carry on.

    stream = Stream(
        "codes", [RIGHTS, DECISIONS], handlers, store, pool, settings, outbox,
        trust=SignaturePolicy(settings.trust_dir),
    )
    service.add_task("stream", stream.run())
    service.add_check("stream", stream.status)
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import asyncpg
from aiokafka.errors import (
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
)

from shared.config import ServiceSettings
from shared.consumer_types import Halt, Handlers, Record, UnitOfWork
from shared.contracts.topics import Topic
from shared.kafka import cursors
from shared.kafka.applying import Applier, Arrange, Committed, HandlerFailed, OnMalformed
from shared.kafka.consumer import GroupConsumer
from shared.kafka.cursors import Cursor
from shared.kafka.decoding import Decoder, Raw
from shared.kafka.errors import ClientStuck
from shared.kafka.fetch import Fetch, decoded
from shared.kafka.outbox import Outbox
from shared.kafka.set_aside import SetAside
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.stream_state import LazyCommit, StreamState
from shared.kafka.watchdog import Watchdog
from shared.logs import get_logger
from shared.metrics import counter, histogram
from shared.postgres import offsets
from shared.postgres.offsets import Place
from shared.postgres.pool import connection, is_stale, is_transient

W = TypeVar("W")
Prepare = Callable[[Sequence[Record[Any]]], Awaitable[None] | None]
AfterCommit = Callable[[W, Sequence[Record[Any]]], Awaitable[None] | None]

MAX_RECORDS = 500
"""Records of one fetch at most: bounds a transaction to some tens of milliseconds."""
FETCH_SECONDS = 1.0
LOOKS_AGAIN, LOOK_AGAIN_SECONDS = 3, 0.5
_MISPLACED = (OffsetOutOfRangeError, NoOffsetForPartitionError, RecordTooLargeError)
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.1, 5.0

_RECORDS = counter(
    "castonce_consumer_records_total", "Records applied and committed.", "consumer", "topic"
)
_SECONDS = histogram(
    "castonce_consumer_transaction_seconds", "One fetch's transaction.", "consumer"
)
_RETRIES = counter("castonce_consumer_retries_total", "Fetches tried again.", "consumer", "reason")
log = get_logger()


class Stream(Generic[W]):
    """Reads topics as one consumer group and applies them through handlers and a store."""

    def __init__(  # noqa: PLR0917  (the order that every service's app.py is written in)
        self,
        consumer_name: str,
        topics: Sequence[Topic],
        handlers: Handlers[W],
        store: UnitOfWork[W],
        pool: "asyncpg.Pool[Any]",
        settings: ServiceSettings,
        outbox: Outbox,
        *,
        prepare: Prepare | None = None,
        after_commit: AfterCommit[W] | None = None,
        trust: SignaturePolicy,
        dedupe_events: bool = True,
        on_malformed: OnMalformed[W] | None = None,
        arrange: Arrange | None = None,
    ) -> None:
        """`handlers`: one async function per message type; other types are skipped.

        `prepare` runs before the transaction, again if the fetch is; `after_commit` after it.
        `on_malformed` replaces the quarantine for records that can't be read; `arrange` orders
        what one fetch says, which is log order otherwise.
        """
        self.name = consumer_name
        self._topics = {topic.name: topic for topic in topics}
        self._pool = pool
        self._settings = settings
        self._outbox = outbox
        self._prepare = prepare
        self._after_commit = after_commit
        self._decoder = Decoder(handlers, trust, topics)
        self._applier = Applier(
            consumer_name, handlers, store, pool, outbox, dedupe_events, on_malformed, arrange
        )
        self._cursors: dict[Place, Cursor] = {}
        self._state = StreamState(consumer_name)
        self._set_aside = SetAside(consumer_name)
        self._seconds = _SECONDS.labels(consumer_name)

    def status(self) -> str | None:
        """None while every partition is read to its end or moves, else why not.

        A partition whose next record is tried again for seconds doesn't move.
        """
        return self._state.reason(self._cursors)

    async def run(self) -> None:
        """Read for ever; a client that is stuck or broken is replaced, with a growing pause."""
        backoff = FIRST_BACKOFF_SECONDS
        while True:
            began = time.monotonic()
            consumer = GroupConsumer(
                self._settings.kafka, self.name, self._settings.instance, [*self._topics.values()]
            )
            try:
                await consumer.start()
                await self._read(consumer)
            except (KafkaError, ClientStuck, OSError, TimeoutError) as error:
                self._state.trouble(f"Kafka: {type(error).__name__}: {error}")
                _RETRIES.labels(self.name, "kafka").inc()
            finally:
                await consumer.stop()
            was_healthy = time.monotonic() - began > 2 * LONGEST_BACKOFF_SECONDS
            backoff = FIRST_BACKOFF_SECONDS if was_healthy else backoff
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, 1.0)

    async def _read(self, consumer: GroupConsumer) -> None:
        """One life of a client: place the assignment, then fetch and apply until it changes."""
        lazily = LazyCommit(consumer)
        try:
            while True:
                generation = await self._place(consumer)
                watchdog = Watchdog(consumer)
                while generation == consumer.generation:
                    if not await self._step(consumer, generation, watchdog, lazily):
                        break
        finally:
            await lazily.stop()

    async def _place(self, consumer: GroupConsumer) -> int:
        """Seek every partition to where PostgreSQL says; nothing is read before that."""
        generation, places = await consumer.assignment()
        applied = await self._stored(places)
        placed = await self._placed(consumer, applied)
        self._outbox.recover()
        if generation != consumer.generation:
            return generation
        self._cursors = placed
        for cursor in self._cursors.values():
            self._settle(consumer, cursor)
        self._state.placed()
        return generation

    async def _placed(
        self, consumer: GroupConsumer, applied: Mapping[Place, offsets.Applied]
    ) -> dict[Place, Cursor]:
        """A cursor for each partition; a log that seems too short is looked at again first.

        A broker that has just started may not know yet how far its own log reaches.
        """
        for attempt in range(1 + LOOKS_AGAIN):
            bounds = await consumer.bounds(applied) if applied else {}
            is_sure = all(bounds[place][1] >= applied[place].next_offset for place in applied)
            if is_sure or attempt == LOOKS_AGAIN:
                break
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return {
            place: cursors.place(self._topics[place[0]], place[1], applied[place], *bounds[place])
            for place in applied
        }

    async def _stored(self, places: frozenset[Place]) -> Mapping[Place, offsets.Applied]:
        while True:
            try:
                async with connection(self._pool) as sql:
                    return await offsets.read(sql, self.name, places)
            except Exception as error:
                if not is_transient(error):
                    raise
                await self._wait("postgres", error, self._state.next_backoff())

    def _settle(self, consumer: GroupConsumer, cursor: Cursor) -> None:
        consumer.seek(cursor.place, cursor.next_offset)
        if cursor.stands_still:
            consumer.pause(cursor.place)
        if cursor.halted:
            self._state.halted(cursor)

    async def _step(
        self,
        consumer: GroupConsumer,
        generation: int,
        watchdog: Watchdog,
        lazily: LazyCommit,
    ) -> bool:
        """Fetch once and apply it; False when the partitions have to be placed again."""
        self._resume_due(consumer)
        self._set_aside.look(time.monotonic())
        try:
            found = await consumer.fetch(generation, self._patience(), MAX_RECORDS)
        except _MISPLACED as error:
            # The log was cut short while we read it, or what we wanted of it has expired. Any other
            # error is the client's own, and `run` makes a new one.
            await self._wait("fetch", error, FIRST_BACKOFF_SECONDS)
            return False
        if not found:
            await watchdog.look(self._cursors)
            return True
        watchdog.saw_records()
        brought = self._fresh(consumer, found)
        if not brought:
            return True
        fetch = decoded(self._decoder, brought)
        if not await self._apply(consumer, fetch):
            return False
        lazily.note({part.cursor.place: part.cursor.stored for part in fetch.parts})
        return True

    def _fresh(
        self, consumer: GroupConsumer, found: Mapping[Place, Sequence[Raw]]
    ) -> list[tuple[Cursor, Sequence[Raw]]]:
        brought = []
        for place in sorted(found):
            cursor = self._cursors.get(place)
            if cursor is None:
                continue
            records = cursors.fresh(cursor, found[place])
            if records:
                brought.append((cursor, records))
            elif cursor.halted:
                consumer.pause(place)
                self._state.halted(cursor)
        return brought

    async def _apply(self, consumer: GroupConsumer, fetch: Fetch) -> bool:
        """Commit a fetch, whole or by single records; False when it must be read again."""
        try:
            if self._prepare is not None:
                await _maybe(self._prepare(fetch.records()))
            await self._commit(consumer, fetch, {})
        except HandlerFailed as failed:
            return await self._without(consumer, fetch, failed)
        except Exception as error:  # noqa: BLE001  (sorted by _failed: nothing is swallowed)
            return await self._failed(consumer, fetch, error)
        return True

    async def _without(self, consumer: GroupConsumer, fetch: Fetch, failed: HandlerFailed) -> bool:
        """Commit what came before a record whose handler raised, and halt its partition there."""
        blocked: dict[Place, tuple[int, str]] = {}
        while True:
            blocked[failed.place] = (failed.offset, f"a handler failed at {failed}")
            try:
                await self._commit(consumer, fetch, blocked)
            except HandlerFailed as another:
                failed = another
            except Exception as error:  # noqa: BLE001  (as above)
                return await self._failed(consumer, fetch, error)
            else:
                return True

    async def _failed(self, consumer: GroupConsumer, fetch: Fetch, error: Exception) -> bool:
        """The transaction failed, or its outcome is unknown: the stored offsets will tell."""
        if is_transient(error) or is_stale(error):
            kind = "stale" if is_stale(error) else "postgres"
            await self._wait(kind, error, self._state.next_backoff())
            return False
        if fetch.size == 1:
            part = fetch.parts[0]
            part.cursor.halted = (
                f"offset {part.offset(0)} can't be applied: {type(error).__name__}: {error}"
            )
            self._settle(consumer, part.cursor)
            return True
        log.warning("fetch_split", consumer=self.name, reason=type(error).__name__)
        return await self._one_by_one(consumer, fetch)

    async def _one_by_one(self, consumer: GroupConsumer, fetch: Fetch) -> bool:
        for single in fetch.one_by_one():
            part = single.parts[0]
            if not part.cursor.stands_still and not await self._apply(consumer, single):
                return False
        return True

    async def _commit(
        self, consumer: GroupConsumer, fetch: Fetch, blocked: Mapping[Place, tuple[int, str]]
    ) -> None:
        began = time.perf_counter()
        done = await self._applier.apply(fetch, blocked)
        self._seconds.observe(time.perf_counter() - began)
        if done.row_id is not None:
            await self._outbox.publish_now(done.row_id, done.sealed)
        self._advance(consumer, fetch, done)
        self._state.committed()
        if self._after_commit is not None:
            await _maybe(self._after_commit(done.work, done.result.applied_records(fetch)))

    def _advance(self, consumer: GroupConsumer, fetch: Fetch, done: Committed[W]) -> None:
        for part in fetch.parts:
            cursor, cut = part.cursor, done.result.cuts.get(part.cursor.place)
            following = done.following.get(cursor.place)
            if following is not None:
                _RECORDS.labels(self.name, cursor.place[0]).inc(following - cursor.stored)
                cursor.advance(following)
            if cut is not None:
                self._stop_at(consumer, part.cursor, part.offset(cut.index), cut.outcome)
        self._set_aside.took(done.result.quarantined, time.monotonic())

    def _stop_at(self, consumer: GroupConsumer, cursor: Cursor, offset: int, outcome: Any) -> None:
        cursor.rewind(offset)
        if isinstance(outcome, Halt):
            cursor.halted = outcome.reason
        else:
            pause = min(FIRST_BACKOFF_SECONDS * 2**cursor.retries, LONGEST_BACKOFF_SECONDS)
            cursor.postpone(time.monotonic(), pause, outcome.reason)
            _RETRIES.labels(self.name, "handler").inc()
        self._settle(consumer, cursor)

    def _resume_due(self, consumer: GroupConsumer) -> None:
        for cursor in self._cursors.values():
            if cursor.retry_at is not None and cursor.retry_at <= time.monotonic():
                cursor.retry_at = None
                if not cursor.halted:
                    consumer.resume(cursor.place)

    def _patience(self) -> float:
        """How long a fetch may wait: until the next partition is due again, at most a second."""
        due = [c.retry_at for c in self._cursors.values() if c.retry_at is not None]
        return max(0.01, min([FETCH_SECONDS, *(at - time.monotonic() for at in due)]))

    async def _wait(self, kind: str, error: Exception, seconds: float) -> None:
        self._state.trouble(f"{kind}: {type(error).__name__}: {error}")
        _RETRIES.labels(self.name, kind).inc()
        await asyncio.sleep(seconds)


async def _maybe(outcome: Awaitable[None] | None) -> None:
    if inspect.isawaitable(outcome):
        await outcome
