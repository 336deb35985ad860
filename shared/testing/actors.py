"""Plays one service on Kafka, with that service's own key: for tests of its neighbours.

Promises that what it says is exactly what the real service would have sent. Must never be used
outside tests: it holds another's key.

    async with Actor("postal", stack.home.secrets, stack.kafka_address) as postal:
        await postal.say(PostReady(...), event_id, key)
"""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from shared.consumer_types import Emission
from shared.contracts.message import Message, Service
from shared.kafka.producer import Producer
from shared.kafka.sealing import Sealed, Sealer
from shared.keys import Signer, read_secret


class Actor:
    """One service's voice."""

    def __init__(self, service: Service, secrets: Path, kafka: str) -> None:
        self.signer = Signer(read_secret(secrets / service / "signing.key"))
        self._sealer = Sealer(self.signer, service)
        self._producer = Producer(kafka, f"actor-{service}")

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._producer.stop()

    async def say(
        self, message: Message, event_id: str, key: str, partition: int | None = None
    ) -> None:
        """Send one message; returns when it is in the log."""
        await self.publish(self._sealer.seal([Emission(message, event_id, key, partition)]))

    async def publish(self, records: Sequence[Sealed]) -> None:
        """Send records as they are, broken ones too."""
        await self._producer.publish(records)
