"""The one consumer: nothing automatic, and every record gated until its partition is placed.

Promises that a caller never sees a record of an assignment that it hasn't placed yet (aiokafka
hands some out before `on_partitions_assigned` has finished), that no offset is committed or reset
by the library, and that no call waits for ever. Raw clients are forbidden elsewhere.
"""

import asyncio
import contextlib
import logging
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition

from shared.contracts.topics import Topic
from shared.kafka import connections, fetching, unpacking
from shared.kafka.decoding import Raw
from shared.kafka.errors import ClientStuck
from shared.kafka.stopping import has_stopped
from shared.postgres.offsets import Place

PARTITION_FETCH_BYTES = 4_194_304
"""More than the largest record, or a client could skip it without a word (aiokafka #1173)."""
FETCH_BYTES = 16_777_216
SESSION_MS = 10_000
HEARTBEAT_MS = 1_000
MAX_POLL_MS = 600_000
CALL_SECONDS = 5.0
"""A call that takes longer is stuck (aiokafka #1154)."""
JOIN_SECONDS = 45.0
"""An assignment takes no longer, even while a dead member's session runs out."""
STOP_SECONDS = 2.0
_ATTEMPTS = 20


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Opens and shuts the gate; it only notes, so that it can't fail inside the library."""

    def __init__(self) -> None:
        self.generation = 0
        self.assigned: frozenset[Place] | None = None
        self.changed = asyncio.Event()

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        self.generation += 1
        self.assigned = None

    def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        self.generation += 1
        self.assigned = frozenset((tp.topic, tp.partition) for tp in assigned)
        self.changed.set()


class GroupConsumer:
    """One membership of a consumer group, from start to stop; a stuck one is replaced whole."""

    def __init__(self, bootstrap: str, group: str, instance: str, topics: Sequence[Topic]) -> None:
        self._listener = _Listener()
        self._names = [topic.name for topic in topics]
        self._raw = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            client_id=f"{instance}-{group}",
            group_id=group,
            group_instance_id=f"{instance}-{group}-{_mark_of(self._names)}",
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=HEARTBEAT_MS,
            max_poll_interval_ms=MAX_POLL_MS,
            **settings_of_every_consumer(),
        )

    async def start(self) -> None:
        """Connect and ask for a place in the group; raises KafkaError while the broker is away."""
        async with asyncio.timeout(CALL_SECONDS):
            await self._raw.start()
        self._raw.subscribe(self._names, listener=self._listener)

    async def stop(self) -> None:
        """Leave without a word to the group, so that a restart finds its place again."""
        await discard(self._raw)

    @property
    def generation(self) -> int:
        """Grows with every change of the assignment."""
        return self._listener.generation

    async def assignment(self) -> tuple[int, frozenset[Place]]:
        """The partitions that are ours, and the generation that this is true in."""
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                while self._listener.assigned is None:
                    self._listener.changed.clear()
                    # An error of the group (no rights, unknown topic) shows up here only.
                    await self._or_error(self._listener.changed.wait())
                return self._listener.generation, self._listener.assigned
        except TimeoutError as error:
            raise ClientStuck("the group gave no assignment") from error

    async def _or_error(self, wait: Any) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await wait
        self._raw._coordinator.check_errors()

    async def fetch(
        self, generation: int, wait_seconds: float, most: int
    ) -> Mapping[Place, list[Raw]]:
        """The next records of each partition; nothing if the assignment has changed since."""
        try:
            async with asyncio.timeout(wait_seconds + CALL_SECONDS):
                found = await self._raw.getmany(
                    timeout_ms=int(wait_seconds * 1000), max_records=most
                )
        except TimeoutError as error:
            raise ClientStuck("a fetch didn't return") from error
        if generation != self._listener.generation:
            return {}
        return {(tp.topic, tp.partition): records for tp, records in found.items()}

    async def bounds(self, places: Iterable[Place]) -> Mapping[Place, tuple[int, int]]:
        """Beginning and end of each partition's log."""
        tps = [TopicPartition(*place) for place in places]
        try:
            async with asyncio.timeout(CALL_SECONDS):
                begins, ends = await asyncio.gather(
                    self._raw.beginning_offsets(tps), self._raw.end_offsets(tps)
                )
        except TimeoutError as error:
            raise ClientStuck("the broker didn't tell where the log ends") from error
        return {(tp.topic, tp.partition): (begins[tp], ends[tp]) for tp in tps}

    def seek(self, place: Place, offset: int) -> None:
        """The next record of this partition to hand out."""
        self._raw.seek(TopicPartition(*place), offset)

    def pause(self, place: Place) -> None:
        """Hand out nothing more of this partition until `resume`."""
        self._raw.pause(TopicPartition(*place))

    def resume(self, place: Place) -> None:
        """Hand out records of this partition again."""
        self._raw.resume(TopicPartition(*place))

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Tell Kafka how far we are, for those who watch lag; nobody else reads it."""
        async with asyncio.timeout(CALL_SECONDS):
            await self._raw.commit({TopicPartition(*place): at for place, at in offsets.items()})


def _mark_of(names: Sequence[str]) -> str:
    """Eight hex digits that change with the topics that are read.

    The group gives a member that comes back what it had, even topics that it reads no more, which
    aiokafka then refuses for ever. Under another name it is a new member, and the old one's time
    runs out.
    """
    return f"{zlib.crc32(','.join(sorted(names)).encode()):08x}"


def settings_of_every_consumer() -> dict[str, Any]:
    """What every consumer of ours is built with: nothing that the library does by itself."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # we report outages ourselves
    connections.install()
    unpacking.install()
    fetching.install()
    return {
        "enable_auto_commit": False,
        "auto_offset_reset": "none",
        "isolation_level": "read_uncommitted",
        "max_partition_fetch_bytes": PARTITION_FETCH_BYTES,
        "fetch_max_bytes": FETCH_BYTES,
        "check_crcs": True,
        "request_timeout_ms": 10_000,
        "retry_backoff_ms": 100,
    }


async def discard(raw: AIOKafkaConsumer) -> None:
    """End a client, even one that would wait for ever for its broker."""
    if await has_stopped(raw.stop(), STOP_SECONDS):
        return
    coordinator, fetcher = raw._coordinator, raw._fetcher
    tasks = [
        getattr(coordinator, "_coordination_task", None),
        getattr(coordinator, "_heartbeat_task", None),
        getattr(coordinator, "_commit_refresh_task", None),
        getattr(fetcher, "_fetch_task", None),
        *getattr(fetcher, "_pending_tasks", ()),
    ]
    await end_tasks([task for task in tasks if task is not None])
    await raw._client.close()


async def end_tasks(tasks: Sequence["asyncio.Task[Any]"]) -> None:
    """Cancel tasks of a library that swallow a first cancellation, until they are done."""
    for _ in range(_ATTEMPTS):
        waiting = [task for task in tasks if not task.done()]
        if not waiting:
            return
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting, timeout=0.05)
