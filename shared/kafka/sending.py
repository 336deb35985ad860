"""Writes batches to the broker's connection in the step of the event loop that queued them.

aiokafka's sender is woken for every batch, makes a task for it, and that task writes: on an idle
machine a third of a millisecond before the first byte leaves, paid twice by every vote. Promises
the order that aiokafka keeps (one request at a time, sequence numbers in order of the batches), and
its answers, retries and errors: those parts are its own. What can't be written at once, as there is
no connection or a request is under way, is left to the sender as before.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiokafka.client import ConnectionGroup
from aiokafka.conn import CloseReason
from aiokafka.errors import KafkaError, RequestTimedOutError
from aiokafka.producer import producer
from aiokafka.producer.sender import Sender, SendProduceReqHandler

Batches = Mapping[Any, Any]
"""From TopicPartition to a batch of aiokafka's."""


class PromptSender(Sender):  # type: ignore[misc]
    """aiokafka's sender, which may also be told to send now."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._under_way: set[asyncio.Task[None]] = set()
        self._is_due = False

    def send_soon(self) -> None:
        """Send when the tasks that are ready now have had their turn: together, what they queue."""
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._send_due)

    def _send_due(self) -> None:
        self._is_due = False
        self.send_now()

    def send_now(self) -> None:
        """Write what is queued and may be sent, before this returns."""
        accumulator = self._message_accumulator
        if not accumulator._batches or not self._txn_manager.has_pid():
            return
        batches, _ = accumulator.drain_by_nodes(
            ignore_nodes=self._in_flight, muted_partitions=self._muted_partitions
        )
        for node_id, of_node in batches.items():
            self._start(node_id, of_node)

    def _start(self, node_id: int, batches: Batches) -> None:
        self._in_flight.add(node_id)
        self._muted_partitions.update(batches)
        request = _Request(self, batches)
        request.write(node_id)
        task = asyncio.get_running_loop().create_task(self._finish(request, node_id, batches))
        self._under_way.add(task)
        task.add_done_callback(request.close)
        task.add_done_callback(self._finished)

    async def _finish(self, request: "_Request", node_id: int, batches: Batches) -> None:
        # As `_send_produce_req` does.
        await request.do(node_id)
        self._in_flight.remove(node_id)
        self._muted_partitions.difference_update(batches)

    def _finished(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        self._fail_all(task)  # only if it has failed, which is a fault in aiokafka or here
        if not task.cancelled() and task.exception() is None:
            self.send_now()

    @property
    def tasks(self) -> list["asyncio.Task[Any]"]:
        """Everything that is running here."""
        own = [] if self._sender_task is None else [self._sender_task]
        return [*own, *self._under_way]

    async def close(self) -> None:
        """End the sender when its requests are answered."""
        await super().close()
        if self._under_way:
            await asyncio.wait(self._under_way)


class _Request(SendProduceReqHandler):  # type: ignore[misc]
    """One request, which may be on its way already when `do` begins."""

    _client: Any

    def __init__(self, sender: Sender, batches: Batches) -> None:
        super().__init__(sender, batches)
        self._request = super().create_request()
        self._answer: Any = None

    def create_request(self) -> Any:
        return self._request

    def write(self, node_id: int) -> None:
        """Write the request if there is a connection; else `do` makes one."""
        connection = self._client._conns.get((node_id, ConnectionGroup.DEFAULT))
        if connection is None or not connection.connected():
            return
        try:
            self._answer = connection.send(self._request)
        except KafkaError:
            return  # the connection broke; `do` makes another one
        self._client = _Sent(self._client, connection, self._answer)

    def close(self, _: object) -> None:
        """Nobody waits for the answer any more."""
        if self._answer is not None:
            self._answer.close()


class _Sent:
    """Stands in for the client whose request is written: sending waits for the answer only."""

    def __init__(self, client: Any, connection: Any, answer: Any) -> None:
        self._client = client
        self._connection = connection
        self._answer = answer

    async def send(self, _node_id: int, _request: Any) -> Any:
        """The answer; raises as aiokafka's client does."""
        try:
            return await self._answer
        except TimeoutError as error:
            self._connection.close(reason=CloseReason.CONNECTION_TIMEOUT)
            raise RequestTimedOutError() from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def install() -> None:
    """Have every producer of this process send like this."""
    producer.Sender = PromptSender
