"""Questions over Kafka: one message there, one back on the reply partition leased by this process.

Promises that an answer goes to whoever asked with that request id, that nobody waits beyond the
deadline, and that a question asked again gets the same answer (`shared.kafka.replies`). Must never
be used where the outcome has to be remembered: replies are kept for minutes.

    requester = Requester(pool, producer, settings, answers=[ChallengeIssued, CodeRefused, ...])
    service.add_task("requester", requester.run())
    answer = await requester.ask(ChallengeWanted(..., reply_partition=0, deadline_ms=0), 5.0)
"""

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from shared.clock import Clock, SystemClock
from shared.config import ServiceSettings
from shared.consumer_types import Emission, Record
from shared.contracts.gateway import Request
from shared.contracts.message import Message
from shared.contracts.topics import REPLIES
from shared.kafka.errors import NoAnswer, NoLease, NotPublished
from shared.kafka.producer import Producer
from shared.kafka.sealing import Sealer
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.tail import Tail
from shared.logs import get_logger
from shared.metrics import counter, histogram
from shared.postgres import leases
from shared.postgres.pool import connection, is_transient

LEASE_SECONDS = 30.0
HEARTBEAT_SECONDS = 10.0
RETRY_SECONDS = 1.0

_ASKED = counter("castonce_requests_asked_total", "Questions asked over Kafka.", "outcome")
_SECONDS = histogram("castonce_request_reply_seconds", "From a question to its answer.")
log = get_logger()


@dataclass(slots=True)
class _Question:
    """A question that was asked, and how many wait for its answer."""

    answer: "asyncio.Future[Any]"
    askers: int = 0


class Requester:
    """Asks over Kafka and waits for the answers."""

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        producer: Producer,
        settings: ServiceSettings,
        *,
        answers: Collection[type[Message]],
        clock: Clock | None = None,
    ) -> None:
        """`answers`: the types on REPLIES that may come back, each with a `request_id`."""
        self._pool = pool
        self._producer = producer
        self._settings = settings
        self._answers = answers
        self._clock = clock or SystemClock()
        self._sealer = Sealer(None, "gateway")
        self._pending: dict[str, _Question] = {}
        self._partition: int | None = None
        self._good_until = 0.0
        self._trouble: str | None = "no reply partition is leased yet"
        self._answered, self._late = _ASKED.labels("answered"), _ASKED.labels("late")

    def status(self) -> str | None:
        """None while a reply partition is ours and read, else why not."""
        return self._trouble

    async def ask(self, request: Request, timeout_seconds: float, key: str | None = None) -> Any:
        """The answer to this request; its reply partition and deadline are filled in.

        `key` chooses the partition of the question (the session by default). A request id that is
        being asked already joins that question. Raises NoAnswer after the deadline, NoLease or
        NotPublished when nothing was asked.
        """
        question = self._pending.get(request.request_id)
        if question is None:
            question = await self._send(request, timeout_seconds, key or request.session_id)
        began = time.perf_counter()
        question.askers += 1
        try:
            async with asyncio.timeout(timeout_seconds):
                answer = await asyncio.shield(question.answer)
        except TimeoutError:
            self._late.inc()
            raise NoAnswer("No answer came in time. Ask again with the same request id.") from None
        finally:
            question.askers -= 1
            if not question.askers and self._pending.get(request.request_id) is question:
                del self._pending[request.request_id]
        self._answered.inc()
        _SECONDS.observe(time.perf_counter() - began)
        return answer

    async def run(self) -> None:
        """Hold a reply partition and read it, for ever."""
        while True:
            partition = await self._take()
            if partition is None:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            tail = Tail(
                [REPLIES],
                False,
                self._receive,
                settings=self._settings,
                trust=SignaturePolicy.none(),
                types=self._answers,
                partitions=[partition],
            )
            try:
                await self._hold(partition, tail)
            finally:
                self._partition = None
                await self._give_back(partition)

    async def _send(self, request: Request, timeout_seconds: float, key: str) -> "_Question":
        partition = self._partition
        if partition is None or time.monotonic() > self._good_until:
            raise NoLease("No reply partition is ours right now. Try again in a moment.")
        asked = msgspec.structs.replace(
            request,
            reply_partition=partition,
            deadline_ms=self._clock.now_ms() + int(timeout_seconds * 1000),
        )
        question = _Question(asyncio.get_running_loop().create_future())
        self._pending[request.request_id] = question
        (sealed,) = self._sealer.seal([Emission(asked, request.request_id, key)])
        topic, place, key_bytes, value, headers = sealed
        try:
            sent = await self._producer.enqueue(topic, value, key_bytes, place, headers)
        except NotPublished as error:
            del self._pending[request.request_id]
            question.answer.set_exception(error)
            question.answer.add_done_callback(_seen)
            _ASKED.labels("failed").inc()
            raise
        sent.add_done_callback(_seen)
        return question

    def _receive(self, record: Record[Any]) -> None:
        question = self._pending.pop(record.message.request_id, None)
        if question is not None and not question.answer.done():
            question.answer.set_result(record.message)

    async def _take(self) -> int | None:
        try:
            async with connection(self._pool) as sql:
                partition = await leases.take(
                    sql, self._settings.instance, REPLIES.partitions, LEASE_SECONDS
                )
        except Exception as error:
            if not is_transient(error):
                raise
            self._trouble = f"{type(error).__name__}: {error}"
            return None
        if partition is None:
            self._trouble = f"all {REPLIES.partitions} reply partitions are leased"
        self._good_until = time.monotonic() + LEASE_SECONDS
        return partition

    async def _hold(self, partition: int, tail: Tail) -> None:
        """Read the partition and renew the lease; return when another one has it."""
        reading = asyncio.create_task(tail.run())
        try:
            await self._until_started(tail, reading)
            self._partition, self._trouble = partition, None
            while await self._renewed(partition):
                await asyncio.wait([reading], timeout=HEARTBEAT_SECONDS)
                if reading.done():
                    reading.result()
                self._trouble = tail.status()
            self._trouble = "another process took the reply partition"
            log.warning("reply_lease_lost", partition=partition)
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    async def _until_started(self, tail: Tail, reading: "asyncio.Task[None]") -> None:
        started = asyncio.create_task(tail.started())
        try:
            await asyncio.wait([started, reading], return_when=asyncio.FIRST_COMPLETED)
        finally:
            started.cancel()
        if reading.done():
            reading.result()

    async def _renewed(self, partition: int) -> bool:
        """Whether the lease is ours; while the database is away, until it runs out."""
        try:
            async with connection(self._pool) as sql:
                is_ours = await leases.keep(sql, partition, self._settings.instance, LEASE_SECONDS)
        except Exception as error:
            if not is_transient(error):
                raise
            await asyncio.sleep(RETRY_SECONDS)
            return time.monotonic() < self._good_until
        self._good_until = time.monotonic() + LEASE_SECONDS if is_ours else 0.0
        return is_ours

    async def _give_back(self, partition: int) -> None:
        try:
            async with connection(self._pool) as sql:
                await leases.give_back(sql, partition, self._settings.instance)
        except Exception as error:
            if not is_transient(error):
                raise
            log.warning("reply_lease_kept", reason=type(error).__name__)  # it runs out by itself


def _seen(future: "asyncio.Future[Any]") -> None:
    """Whether the question reached Kafka shows in whether it is answered."""
    if not future.cancelled():
        future.exception()
