"""Where logs begin and end and how far groups have committed: read-only, for the monitor."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.topics import Topic

Place = tuple[str, int]
CALL_SECONDS = 3.0


@dataclass(frozen=True)
class Positions:
    """One look at the cluster; keys are (topic, partition), values offsets."""

    brokers: int
    starts: Mapping[Place, int]
    ends: Mapping[Place, int]
    committed: Mapping[str, Mapping[Place, int]]


class LagReader:
    """Looks at the topics' logs and at every consumer group; it never joins one."""

    def __init__(self, bootstrap: str, topics: Sequence[Topic]) -> None:
        self._places = [TopicPartition(t.name, p) for t in topics for p in range(t.partitions)]
        self._admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        self._logs = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)

    async def start(self) -> None:
        """Connect; raises KafkaConnectionError while the broker is away."""
        await self._admin.start()
        await self._logs.start()

    async def stop(self) -> None:
        """Disconnect."""
        await self._logs.stop()
        await self._admin.close()

    async def ends(self) -> Mapping[Place, int]:
        """Where the logs end now; raises KafkaError or TimeoutError while the broker is away."""
        async with asyncio.timeout(CALL_SECONDS):
            found = await self._logs.end_offsets(self._places)
        return {(tp.topic, tp.partition): offset for tp, offset in found.items()}

    async def look(self) -> Positions:
        """The positions now; raises KafkaError while the broker is away."""
        starts, ends, cluster, groups = await asyncio.gather(
            self._logs.beginning_offsets(self._places),
            self._logs.end_offsets(self._places),
            self._admin.describe_cluster(),
            self._admin.list_consumer_groups(),
        )
        names = [group[0] for group in groups]
        found = await asyncio.gather(*map(self._committed, names))
        return Positions(
            brokers=len(cluster["brokers"]),
            starts={(tp.topic, tp.partition): offset for tp, offset in starts.items()},
            ends={(tp.topic, tp.partition): offset for tp, offset in ends.items()},
            committed=dict(zip(names, found, strict=True)),
        )

    async def _committed(self, group: str) -> dict[Place, int]:
        offsets = await self._admin.list_consumer_group_offsets(group)
        return {(tp.topic, tp.partition): at.offset for tp, at in offsets.items() if at.offset >= 0}
