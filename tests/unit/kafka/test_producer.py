"""The producer: what fails half way fails once, and is reported by who asked for it."""

import asyncio
import gc
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from shared.kafka.errors import NotPublished
from shared.kafka.producer import Producer
from shared.kafka.sealing import Sealed

RECORDS: list[Sealed] = [("decisions", partition, b"key", b"{}", []) for partition in (0, 1)]


class Batch:
    """Takes everything."""

    def append(self, **_: Any) -> object:
        """Room enough."""
        return self

    def close(self) -> None:
        """Nothing more."""


class Client:
    """Stands in for aiokafka's: takes the first batch, refuses the second one, then fails all."""

    def __init__(self) -> None:
        self.futures: list[asyncio.Future[Any]] = []

    def create_batch(self) -> Batch:
        """An empty batch."""
        return Batch()

    async def send_batch(self, *_: Any, **__: Any) -> "asyncio.Future[Any]":
        """One future, and then an error."""
        if self.futures:
            raise KafkaError("the sender is dead")
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[0]

    async def stop(self) -> None:
        """Fail what is in the air."""
        for future in self.futures:
            future.set_exception(KafkaError("stopped"))
        self.futures.clear()


async def test_what_was_handed_over_before_an_error_fails_without_a_second_report() -> None:
    """The caller hears NotPublished; nothing is reported as an error that nobody handled."""
    gc.collect()  # what others left behind isn't ours
    reports: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: reports.append(context))
    producer = Producer("127.0.0.1:1", "test-0")
    producer._raw = Client()
    with pytest.raises(NotPublished):
        await producer.publish(RECORDS)
    await asyncio.sleep(0)
    gc.collect()
    loop.set_exception_handler(None)
    assert (producer._raw, reports) == (None, [])
