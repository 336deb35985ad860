"""A connection that is gone says so in aiokafka's own words."""

from collections.abc import AsyncIterator

import pytest
from aiokafka import conn
from aiokafka.errors import KafkaConnectionError
from aiokafka.protocol.metadata import MetadataRequest

from shared.kafka import connections
from shared.kafka.consumer import settings_of_every_consumer
from shared.kafka.producer import Producer
from shared.testing.promises import promise


class _ClosedTransport:
    """As uvloop's: writing to it raises RuntimeError."""

    is_closed = False

    def write(self, _: bytes) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>")

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
async def broken() -> AsyncIterator[connections.Connection]:
    """A connection whose transport was closed behind its back."""
    made = connections.Connection("127.0.0.1", 1)
    made._writer, made._reader = _ClosedTransport(), object()
    made._read_task = made._loop.create_future()
    made._versions = {MetadataRequest.API_KEY: (0, 0)}
    yield made
    made.close()


@promise("P15")
async def test_writing_to_a_closed_connection_is_a_lost_connection(
    broken: connections.Connection,
) -> None:
    """It is the error that every caller waits out, never one that ends the process."""
    with pytest.raises(KafkaConnectionError):
        broken.send(MetadataRequest([]))
    assert not broken.connected()


async def test_every_client_connects_like_this(monkeypatch: pytest.MonkeyPatch) -> None:
    """Consumers and producers alike."""
    monkeypatch.setattr(conn, "AIOKafkaConnection", object)
    settings_of_every_consumer()
    assert conn.AIOKafkaConnection is connections.Connection
    monkeypatch.setattr(conn, "AIOKafkaConnection", object)
    Producer("127.0.0.1:1", "test-0")
    assert conn.AIOKafkaConnection is connections.Connection
