"""The law read again from its beginning: through the service's own handlers, publishing nothing.

Promises that records get their original coordinates and broker stamps, in log order within each
partition; that partitions are interleaved and cut into fetches by a seed, so that a result that
depends on either shows; and that it ends exactly where it was told to. Never produces a record.
Records come from the broker (`BrokerLog`) or from a file (`shared.kafka.log_file`).
"""

import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError

from shared.consumer_types import Halt
from shared.contracts.topics import Topic
from shared.errors import CastonceError
from shared.kafka.applying import Applier
from shared.kafka.consumer import discard, settings_of_every_consumer
from shared.kafka.cursors import Cursor, fresh
from shared.kafka.decoding import Decoder, Raw
from shared.kafka.fetch import decoded
from shared.kafka.sealing import Sealed
from shared.postgres import offsets
from shared.postgres.offsets import Place
from shared.postgres.pool import connection
from shared.replay import Order, ReplayStream

FETCH_SECONDS = 5.0
"""A broker that has records hands out some within this time; else it is asked where it ends."""
ATTEMPTS = 4


class ReplayFailed(CastonceError):
    """The log can't be replayed as it was applied: the sentence says at which record and why."""

    code = "replay_failed"


class Log(Protocol):
    """Where the records of a replay come from."""

    def read(
        self, place: Place, end: int, most: int, begin: int = 0
    ) -> AsyncIterator[Sequence[Raw]]:
        """The records of a partition from `begin` up to `end`, at most `most` at a time."""
        ...


class BrokerLog:
    """The log as the broker has it, read outside of any group."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    async def ends(self, topics: Sequence[Topic]) -> dict[Place, int]:
        """Where each partition of these topics ends now; raises ReplayFailed."""
        tps = [
            TopicPartition(topic.name, partition)
            for topic in topics
            for partition in range(topic.partitions)
        ]
        async with self._client() as raw:
            found = await _patiently(lambda: raw.end_offsets(tps))
        return {(tp.topic, tp.partition): end for tp, end in found.items()}

    async def read(
        self, place: Place, end: int, most: int, begin: int = 0
    ) -> AsyncIterator[Sequence[Raw]]:
        """See `Log.read`; raises ReplayFailed when the log ends or begins elsewhere."""
        tp = TopicPartition(*place)
        async with self._client() as raw:
            raw.assign([tp])
            raw.seek(tp, begin)
            following = begin
            while following < end:
                found = await raw.getmany(
                    tp, timeout_ms=int(FETCH_SECONDS * 1000), max_records=min(most, end - following)
                )
                records = found.get(tp, [])
                if records:
                    following = records[-1].offset + 1
                    yield records
                else:
                    await self._require_end(raw, tp, following, end)

    async def _require_end(self, raw: Any, tp: Any, following: int, end: int) -> None:
        # Nothing came: a busy broker, or a log that is shorter than what was applied.
        ends = await _patiently(lambda: raw.end_offsets([tp]))
        if ends[tp] < end:
            raise ReplayFailed(
                f"{tp.topic}[{tp.partition}] ends at {ends[tp]}, but {end} records were applied:"
                f" the log is shorter than the database. {following} were read."
            )

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Any]:
        raw = AIOKafkaConsumer(bootstrap_servers=self._bootstrap, **settings_of_every_consumer())
        try:
            await raw.start()
            yield raw
        except KafkaError as error:
            raise ReplayFailed(f"Kafka: {type(error).__name__}: {error}.") from error
        finally:
            await discard(raw)


async def _patiently(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The answer of a busy broker; raises KafkaError after some attempts."""
    for _ in range(ATTEMPTS - 1):
        with contextlib.suppress(KafkaTimeoutError):
            return await ask()
    return await ask()


class _SilentSealer:
    """Seals nothing: what a replay decides was said long ago."""

    def seal(self, emissions: Sequence[Any]) -> list[Sealed]:
        return []


class _SilentOutbox:
    """Stands where the outbox stands."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.sealer = _SilentSealer()


class _Part:
    """One partition on its way from where it begins to its end."""

    def __init__(self, place: Place, begin: int, source: AsyncIterator[Sequence[Raw]]) -> None:
        self.cursor = Cursor(place, begin, begin)
        self._source = source
        self._again: Sequence[Raw] = ()
        self.was_refused = False

    async def records(self) -> Sequence[Raw]:
        """The next records, or none at the end; raises ReplayFailed where the log has a fault."""
        if self._again:
            records, self._again = self._again, ()
            return records
        read = await anext(self._source, None)
        records = fresh(self.cursor, read or ())
        if self.cursor.halted:
            topic, partition = self.cursor.place
            raise ReplayFailed(f"{topic}[{partition}]: {self.cursor.halted}.")
        return records

    def applied(self, following: int | None, rest: Sequence[Raw]) -> None:
        """So far it was applied; the rest comes again."""
        self.was_refused = following is None
        if following is not None:
            self.cursor.advance(following)
        self._again = rest

    async def close(self) -> None:
        """Close the source."""
        await self._source.aclose()  # type: ignore[attr-defined]


class Replay:
    """One stream, applied again to an empty database from the beginning of its topics, or to
    another one from where that stands."""

    def __init__(
        self, stream: ReplayStream[Any], pool: "asyncpg.Pool[Any]", service: str, order: Order
    ) -> None:
        self._stream = stream
        self._pool = pool
        # A reproducible order, not a secret.
        self._chance = random.Random(order.seed)  # noqa: S311
        self._most = order.most
        self._decoder = Decoder(stream.handlers, stream.trust, stream.topics)
        self._applier: Applier[Any] = Applier(
            stream.consumer,
            stream.handlers,
            stream.store,
            pool,
            _SilentOutbox(service),  # type: ignore[arg-type]
            stream.dedupe_events,
            stream.on_malformed,
        )

    async def run(
        self, log: Log, ends: Mapping[Place, int], tell: Callable[[int], None] | None = None
    ) -> int:
        """Apply every record before these ends; how many there were. Raises ReplayFailed.

        `tell` hears how many records each step brought.
        """
        async with connection(self._pool) as sql:
            stored = await offsets.read(sql, self._stream.consumer, ends)
        begins = {place: stored[place].next_offset for place in ends}
        parts = {
            place: _Part(place, begin, log.read(place, ends[place], self._most, begin))
            for place, begin in begins.items()
            if begin < ends[place]
        }
        try:
            while parts:
                count = await self._step(parts)
                if tell is not None:
                    tell(count)
        finally:
            for part in parts.values():
                await part.close()
        return sum(ends[place] - begin for place, begin in begins.items())

    async def _step(self, parts: dict[Place, _Part]) -> int:
        # As a fetch brings it: some of the partitions, each with some of its records.
        chosen = self._chance.sample(sorted(parts), self._chance.randint(1, len(parts)))
        brought: list[tuple[Cursor, Sequence[Raw]]] = []
        for place in sorted(chosen):
            records = await parts[place].records()
            if records:
                brought.append((parts[place].cursor, records))
            else:
                del parts[place]
        if brought:
            await self._apply(parts, brought)
        if parts and all(part.was_refused for part in parts.values()):
            raise ReplayFailed(f"No partition goes on, each waits for another: {sorted(parts)}.")
        return sum(len(records) for _, records in brought)

    async def _apply(
        self, parts: Mapping[Place, _Part], brought: Sequence[tuple[Cursor, Sequence[Raw]]]
    ) -> None:
        fetch = decoded(self._decoder, brought)
        if self._stream.prepare is not None:
            prepared = self._stream.prepare(fetch.records())
            if prepared is not None:
                await prepared
        done = await self._applier.apply(fetch, {})
        for part in fetch.parts:
            place = part.cursor.place
            cut = done.result.cuts.get(place)
            if cut is not None and isinstance(cut.outcome, Halt):
                raise ReplayFailed(f"{place[0]}[{place[1]}] halts: {cut.outcome.reason}.")
            rest = () if cut is None else part.raws[cut.index :]
            parts[place].applied(done.following.get(place), rest)
