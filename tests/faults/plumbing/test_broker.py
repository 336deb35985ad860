"""Kafka goes away and comes back: nothing is lost, nothing is doubled, nobody has to help."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from deploy.local.stack import Stack
from shared.consumer_types import Emission
from shared.kafka import consumer, producer, watchdog
from shared.kafka.consumer import GroupConsumer
from shared.kafka.errors import NotPublished
from shared.kafka.tail import Tail
from shared.postgres.pool import transaction
from shared.testing.plumbing import Bench, Channel, Seen, eventually, note_and_tell, running
from shared.testing.promises import promise


@pytest.fixture(autouse=True)
async def broker_is_up_again(stack: Stack) -> AsyncIterator[None]:
    """Whatever a test did to the broker, the next one finds it serving."""
    yield
    await asyncio.to_thread(stack.start_kafka)


@promise("P15")
async def test_a_killed_broker_loses_and_doubles_nothing(bench: Bench, stack: Stack) -> None:
    """A stream, its outbox and a cache go on by themselves after the broker was killed.

    Commands go on being committed meanwhile; their messages leave when the broker is back.
    """
    inbox, told = await bench.channel(partitions=2), await bench.channel(partitions=2)
    seen, heard, outbox = Seen(), Seen(), bench.outbox()
    stream = bench.stream([inbox], handler=note_and_tell(told), outbox=outbox, after_commit=seen)
    tail = _tail(bench, told, heard)
    async with bench.running(stream, outbox), running(tail.run()):
        await bench.say(inbox, *(f"before-{n}" for n in range(100)))
        await seen.count(100)
        await asyncio.to_thread(stack.kill_kafka)
        await eventually(lambda: stream.status() is not None)
        await asyncio.to_thread(stack.start_kafka)
        await _say_when_it_can(bench, inbox, *(f"after-{n}" for n in range(100)))
        await seen.count(200)
        await eventually(bench.everything_is_published)
        await eventually(lambda: stream.status() is None)
        await eventually(lambda: len({r.event_id for r in heard.records}) == 200)
    assert await bench.texts() == [
        f"{when}-{n}" for when in ("before", "after") for n in range(100)
    ]


def _tail(bench: Bench, told: Channel, heard: Seen) -> Tail:
    return Tail(
        [told.topic],
        True,
        heard.take,
        settings=bench.settings,
        trust=bench.trust,
        types=[told.kind],
    )


async def _say_when_it_can(bench: Bench, inbox: Channel, *texts: str) -> None:
    records = [bench.sealed(inbox, text, n) for n, text in enumerate(texts)]

    async def said() -> bool:
        try:
            await bench.producer.publish(records)
        except NotPublished:
            return False
        return True

    await eventually(said)


@promise("P4")
async def test_what_was_committed_while_kafka_was_away_is_said_when_it_is_back(
    bench: Bench, stack: Stack
) -> None:
    """Rows wait in the outbox through the outage and leave in order, each at least once."""
    told, outbox = await bench.channel(), bench.outbox()
    async with running(outbox.run()):
        await asyncio.to_thread(stack.kill_kafka)
        for n in range(10):
            async with transaction(bench.pool) as sql:
                await outbox.add(sql, [Emission(told.message(f"{n}"), f"{n}", "key")])
            outbox.kick()
        await asyncio.to_thread(stack.start_kafka)
        await eventually(bench.everything_is_published)
    texts = [record.message.text for record in await bench.read(told)]
    assert list(dict.fromkeys(texts)) == [f"{n}" for n in range(10)]


@promise("P15")
async def test_a_client_that_is_stuck_is_replaced(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that hands out nothing though there are records is noticed and made anew.

    Fails without the watchdog: aiokafka can wait for ever after a broker's restart (#1154).
    """
    inbox, seen, stuck = await bench.channel(), Seen(), []
    monkeypatch.setattr(watchdog, "SILENT_SECONDS", 0.1)
    fetch = GroupConsumer.fetch

    async def sticking(self: Any, *arguments: Any) -> Any:
        if not stuck or stuck[0] is self:
            stuck[:] = [self]
            await asyncio.sleep(0.05)
            return {}
        return await fetch(self, *arguments)

    monkeypatch.setattr(GroupConsumer, "fetch", sticking)
    await bench.say(inbox, "one")
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(1)
    assert await bench.texts() == ["one"]


@promise("P15")
@pytest.mark.parametrize("fault", ["hangs", "fails"])
async def test_a_client_that_hangs_or_fails_is_replaced(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A call that never returns ends after its limit; one that fails for good isn't repeated.

    A client whose group membership has died fails every fetch from then on.
    """
    inbox, seen, hung = await bench.channel(), Seen(), []
    monkeypatch.setattr(consumer, "CALL_SECONDS", 2.0)
    real = consumer.AIOKafkaConsumer.getmany

    async def hanging(self: Any, *arguments: Any, **more: Any) -> Any:
        if not hung or hung[0] is self:
            hung[:] = [self]
            if fault == "fails":
                raise KafkaError("Unexpected error during coordination")
            await asyncio.Event().wait()
        return await real(self, *arguments, **more)

    monkeypatch.setattr(consumer.AIOKafkaConsumer, "getmany", hanging)
    await bench.say(inbox, "one")
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(1)
    assert await bench.texts() == ["one"]


@promise("P4")
async def test_a_producer_that_is_stuck_is_replaced(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that are never confirmed are sent again, in order, by a client made anew.

    Fails without the limit on confirmations: aiokafka can wait for ever for one (#1017).
    """
    told, outbox, stuck = await bench.channel(), bench.outbox(), []
    monkeypatch.setattr(producer, "ACK_SECONDS", 1.0)
    real = producer.AIOKafkaProducer.send_batch

    async def sticking(self: Any, *arguments: Any, **more: Any) -> Any:
        if not stuck or stuck[0] is self:
            stuck[:] = [self]
            return asyncio.get_running_loop().create_future()
        return await real(self, *arguments, **more)

    monkeypatch.setattr(producer.AIOKafkaProducer, "send_batch", sticking)
    async with running(outbox.run()):
        for n in range(5):
            async with transaction(bench.pool) as sql:
                await outbox.add(sql, [Emission(told.message(f"{n}"), f"{n}", "key")])
            outbox.kick()
        await eventually(bench.everything_is_published)
    assert stuck
    assert [record.message.text for record in await bench.read(told)] == list("01234")
