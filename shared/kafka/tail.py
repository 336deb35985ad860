"""Reads topics for a cache: all partitions, no group, nothing stored, nothing acknowledged.

Promises that the callback sees the records of a partition in order, each once, from the beginning
or from now on, and that reading goes on where it was after an outage. Must never be the only place
where something is remembered. Records that can't be read are skipped and counted: the service that
applies the topic quarantines them.

    tail = Tail([ELECTIONS], True, cache.take, types=[ElectionCreated], settings=settings,
                trust=SignaturePolicy(settings.trust_dir))
    service.add_task("elections tail", tail.run())
    await tail.caught_up()                     # everything that was there at the start is read
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.config import ProcessSettings
from shared.consumer_types import Record
from shared.contracts.message import Message
from shared.contracts.topics import Topic
from shared.kafka.consumer import CALL_SECONDS, discard, settings_of_every_consumer
from shared.kafka.decoding import Decoder
from shared.kafka.errors import ClientStuck
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.stream_state import StreamState
from shared.metrics import counter

Callback = Callable[[Record[Any]], Awaitable[None] | None]

FETCH_SECONDS = 1.0
MAX_RECORDS = 1000
SILENT_FETCHES = 3
"""After so many fetches without a record the end of the log is asked for."""
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.1, 1.0

_SKIPPED = counter(
    "castonce_tail_skipped_records_total", "Records a cache could not read.", "topic", "reason"
)


class Tail:
    """Reads every partition of some topics and calls back."""

    def __init__(
        self,
        topics: Sequence[Topic],
        from_beginning: bool,
        callback: Callback,
        *,
        settings: ProcessSettings,
        trust: SignaturePolicy,
        types: Collection[type[Message]],
        partitions: Collection[int] | None = None,
    ) -> None:
        """`types`: what the callback gets; `partitions`: only these, all by default."""
        self._from_beginning = from_beginning
        self._callback = callback
        self._settings = settings
        self._decoder = Decoder(types, trust, topics)
        self._places = [
            TopicPartition(topic.name, partition)
            for topic in topics
            for partition in (partitions if partitions is not None else range(topic.partitions))
        ]
        self._next: dict[Any, int] = {}
        self._goal: dict[Any, int] = {}
        self._caught_up = asyncio.Event()
        self._started = asyncio.Event()
        self._state = StreamState(f"tail of {', '.join(topic.name for topic in topics)}")

    def status(self) -> str | None:
        """None while it reads and has read what was there at the start, else why not."""
        return self._state.reason({}) or (None if self._caught_up.is_set() else "it catches up")

    async def started(self) -> None:
        """Return when its place in the log is fixed: what is sent from now on will be seen."""
        await self._started.wait()

    async def caught_up(self) -> None:
        """Return when everything that was in the log at the start has been called back."""
        await self._caught_up.wait()

    async def run(self) -> None:
        """Read for ever."""
        backoff = _FIRST_BACKOFF
        while True:
            raw = AIOKafkaConsumer(
                bootstrap_servers=self._settings.kafka,
                client_id=f"{self._settings.instance}-tail",
                group_id=None,
                **settings_of_every_consumer(),
            )
            try:
                async with asyncio.timeout(CALL_SECONDS):
                    await raw.start()
                    raw.assign(self._places)
                    await self._seek(raw)
                self._state.placed()
                backoff = _FIRST_BACKOFF
                await self._read(raw)
            except (KafkaError, ClientStuck, OSError, TimeoutError) as error:
                self._state.trouble(f"Kafka: {type(error).__name__}: {error}")
            finally:
                await discard(raw)
            await asyncio.sleep(backoff)
            backoff = min(2 * backoff, _LONGEST_BACKOFF)

    async def _seek(self, raw: AIOKafkaConsumer) -> None:
        """Go on where we were; at first from the beginning or the end, as asked."""
        begins = await raw.beginning_offsets(self._places)
        ends = await raw.end_offsets(self._places)
        for place in self._places:
            first = begins[place] if self._from_beginning else ends[place]
            # What expired while we were away, or a log made anew, can't be read any more.
            known = self._next.get(place, first)
            self._next[place] = min(max(known, begins[place]), ends[place])
            raw.seek(place, self._next[place])
        if not self._goal:
            self._goal = dict(ends)
        self._started.set()
        self._note_progress()

    async def _read(self, raw: AIOKafkaConsumer) -> None:
        silent = 0
        while True:
            async with asyncio.timeout(FETCH_SECONDS + CALL_SECONDS):
                found = await raw.getmany(
                    timeout_ms=int(FETCH_SECONDS * 1000), max_records=MAX_RECORDS
                )
            for place, records in found.items():
                for record in records:
                    await self._take(place, record)
            silent = 0 if found else silent + 1
            if not self._caught_up.is_set():
                self._note_progress()
            if silent >= SILENT_FETCHES:
                silent = 0
                await self._require_end(raw)

    async def _take(self, place: Any, raw: Any) -> None:
        record = self._decoder.decode(raw)
        if isinstance(record, Record):
            waits = self._callback(record)
            if inspect.isawaitable(waits):
                await waits
        elif record is not None:
            _SKIPPED.labels(raw.topic, record.reason.partition(" ")[0]).inc()
        self._next[place] = raw.offset + 1

    def _note_progress(self) -> None:
        if all(self._next[place] >= goal for place, goal in self._goal.items()):
            self._caught_up.set()

    async def _require_end(self, raw: AIOKafkaConsumer) -> None:
        """Raise ClientStuck if there is something to read and nothing came."""
        async with asyncio.timeout(CALL_SECONDS):
            ends = await raw.end_offsets(self._places)
        if any(ends[place] > self._next[place] for place in self._places):
            raise ClientStuck("the client hands out nothing, though there are records")
