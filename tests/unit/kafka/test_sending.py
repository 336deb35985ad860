"""Sending at once: earlier than aiokafka's own sender, and otherwise just like it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.client import ConnectionGroup
from aiokafka.errors import KafkaConnectionError
from aiokafka.producer import producer  # noqa: TID251  (what the plumbing replaces)
from aiokafka.producer.message_accumulator import MessageAccumulator  # noqa: TID251
from aiokafka.producer.transaction_manager import TransactionManager  # noqa: TID251

from shared.kafka.consumer import end_tasks
from shared.kafka.producer import Producer
from shared.kafka.sending import PromptSender

PLACE = TopicPartition("castonce.ballots.v1", 0)
NODE = 1


class Connection:
    """Keeps what is written to it; answers when it is told to."""

    def __init__(self) -> None:
        self.written: list[Any] = []
        self.answers: list[asyncio.Future[Any]] = []
        self.is_open = True
        self.breaks = False

    def connected(self) -> bool:
        """Whether somebody is at the other end."""
        return self.is_open

    def send(self, request: Any, **_: Any) -> Coroutine[Any, Any, Any]:
        """Write, and leave a coroutine for the answer."""
        if self.breaks:
            self.is_open = False
            raise KafkaConnectionError("broken")
        self.written.append(request)
        answer = asyncio.get_running_loop().create_future()
        self.answers.append(answer)

        async def wait() -> Any:
            return await answer

        return wait()

    def answer(self, at: int, error: int = 0) -> None:
        """The broker has the records of the request with this number."""
        partitions = [(PLACE.partition, error, at, -1, 0)]
        said = SimpleNamespace(API_VERSION=7, topics=[(PLACE.topic, partitions)])
        self.answers[at].set_result(said)


class Client:
    """aiokafka's client, of which only the connection is real enough."""

    def __init__(self) -> None:
        self.connection = Connection()
        self._conns = {(NODE, ConnectionGroup.DEFAULT): self.connection}
        self.connected_again = 0

    async def send(self, _node_id: int, request: Any) -> Any:
        """As aiokafka's: with a new connection if there is none."""
        if not self.connection.is_open:
            self.connected_again += 1
            self.connection.is_open, self.connection.breaks = True, False
        return await self.connection.send(request)

    async def _maybe_wait_metadata(self) -> None:
        await asyncio.sleep(0)


class Queue:
    """A sender, what it sends from, and the client that it sends through."""

    def __init__(self) -> None:
        cluster = SimpleNamespace(leader_for_partition=lambda _: NODE)
        manager = TransactionManager(None, 1000)
        manager.set_pid_and_epoch(7, 0)
        self.client = Client()
        self.accumulator = MessageAccumulator(
            cluster, 10_000, 0, 30.0, txn_manager=manager, loop=asyncio.get_running_loop()
        )
        self.sender = PromptSender(
            self.client,
            acks=-1,
            txn_manager=manager,
            message_accumulator=self.accumulator,
            retry_backoff_ms=1,
            request_timeout_ms=1000,
        )

    async def add(self, value: bytes) -> "asyncio.Future[Any]":
        """Queue one record, which nobody has sent yet."""
        future: asyncio.Future[Any] = await self.accumulator.add_message(PLACE, b"key", value, 30.0)
        return future


@pytest.fixture
async def queue() -> AsyncIterator[Queue]:
    """With aiokafka's own routine running beside it, as in a service."""
    made = Queue()
    await made.sender.start()
    yield made
    await end_tasks(made.sender.tasks)


async def _until_written(connection: Connection, count: int) -> None:
    async with asyncio.timeout(10):
        while len(connection.written) < count:  # noqa: ASYNC110  (a turn of the loop, not a pause)
            await asyncio.sleep(0)


async def test_what_is_queued_is_written_before_the_call_returns(queue: Queue) -> None:
    """A receipt leaves in the step in which it was committed, not some turns of the loop later."""
    future = await queue.add(b"one")
    queue.sender.send_now()
    assert len(queue.client.connection.written) == 1
    queue.client.connection.answer(0)
    assert (await future).offset == 0


async def test_one_request_at_a_time_and_the_next_one_as_soon_as_it_is_answered(
    queue: Queue,
) -> None:
    """The order of a partition can't depend on which of two requests a broker takes up first."""
    connection = queue.client.connection
    futures = [await queue.add(b"one")]
    queue.sender.send_now()
    futures += [await queue.add(b"two"), await queue.add(b"three")]
    queue.sender.send_now()
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(connection.written) == 1
    connection.answer(0)
    await futures[0]
    await _until_written(connection, 2)
    connection.answer(1)
    assert [(await future).offset for future in futures] == [0, 1, 2]


async def test_what_becomes_ready_together_leaves_together(queue: Queue) -> None:
    """Ballots that came in at once are flushed by the broker at once."""
    futures = []
    for value in (b"one", b"two"):
        futures.append(await queue.add(value))
        queue.sender.send_soon()
    await asyncio.sleep(0)
    assert len(queue.client.connection.written) == 1
    queue.client.connection.answer(0)
    await asyncio.gather(*futures)


@pytest.mark.parametrize("breaks", [False, True], ids=["is gone", "breaks in the act"])
async def test_a_connection_that_is_gone_is_made_again(queue: Queue, breaks: bool) -> None:
    """No record is lost or fails because it was to be sent at once."""
    connection = queue.client.connection
    connection.is_open, connection.breaks = breaks, breaks
    future = await queue.add(b"one")
    queue.sender.send_now()
    assert not connection.written
    await _until_written(connection, 1)
    connection.answer(0)
    await future
    assert queue.client.connected_again == 1


async def test_a_refused_request_is_sent_again_under_its_number(queue: Queue) -> None:
    """What a broker couldn't take right now is repeated with the same sequence number."""
    connection, not_enough_replicas = queue.client.connection, 19
    future = await queue.add(b"one")
    queue.sender.send_now()
    connection.answer(0, not_enough_replicas)
    await _until_written(connection, 2)
    connection.answer(1)
    assert (await future).offset == 1
    first, second = (bytes(request._topics[0][1][0][1]) for request in connection.written)
    assert first == second


async def test_ending_waits_for_the_answer(queue: Queue) -> None:
    """A client that is stopped leaves no request behind whose records could still arrive."""
    future = await queue.add(b"one")
    queue.sender.send_now()
    closing = asyncio.create_task(queue.sender.close())
    done, _ = await asyncio.wait([closing], timeout=0.05)
    assert not done
    queue.client.connection.answer(0)
    await closing
    assert future.done()


def test_every_producer_is_built_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends through our producer sends promptly."""
    monkeypatch.setattr(producer, "Sender", object)
    Producer("127.0.0.1:1", "test-0")
    assert producer.Sender is PromptSender
