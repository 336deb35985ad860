"""A cache's reader: all partitions, in order, from the beginning or from now on."""

from shared.consumer_types import Record
from shared.kafka.tail import Tail
from shared.testing.plumbing import Bench, Channel, Seen, eventually, running


def _tail(bench: Bench, inbox: Channel, seen: Seen, *, from_beginning: bool) -> Tail:
    return Tail(
        [inbox.topic],
        from_beginning,
        seen.take,
        settings=bench.settings,
        trust=bench.trust,
        types=[inbox.kind],
    )


async def test_a_tail_reads_everything_and_then_what_comes(bench: Bench) -> None:
    """From the beginning: each record once, in the order of its partition; then the new ones."""
    inbox, seen = await bench.channel(partitions=2), Seen()
    for partition in range(2):
        await bench.say(inbox, *(f"{partition}-{n}" for n in range(1500)), partition=partition)
    tail = _tail(bench, inbox, seen, from_beginning=True)
    async with running(tail.run()):
        await tail.caught_up()
        assert tail.status() is None
        assert len(seen.records) == 3000
        await bench.say(inbox, "new")
        await seen.count(3001)
    for partition in range(2):
        of_it = [r.message.text for r in seen.records if r.partition == partition]
        assert of_it[:1500] == [f"{partition}-{n}" for n in range(1500)]


async def test_a_tail_may_start_now(bench: Bench) -> None:
    """From the end: what was there before isn't seen, what is sent after `started` is."""
    inbox, seen = await bench.channel(), Seen()
    await bench.say(inbox, "old")
    tail = _tail(bench, inbox, seen, from_beginning=False)
    async with running(tail.run()):
        await tail.started()
        await bench.say(inbox, "new")
        await seen.count(1)
    assert [record.message.text for record in seen.records] == ["new"]


async def test_a_tail_skips_what_it_cannot_read(bench: Bench) -> None:
    """A forged or malformed record reaches no cache, and what follows does."""
    inbox, seen = await bench.channel(is_signed=True), Seen()
    topic, partition, key, value, headers = bench.sealed(inbox, "forged")
    bad = (topic, partition, key, value.replace(b"forged", b"change"), headers)
    await bench.producer.publish([bad, (topic, partition, key, b"garbage", headers)])
    await bench.say(inbox, "good")
    tail = _tail(bench, inbox, seen, from_beginning=True)
    async with running(tail.run()):
        await tail.caught_up()
    assert [record.message.text for record in seen.records] == ["good"]


async def test_an_asynchronous_callback_is_waited_for(bench: Bench) -> None:
    """One record after the other, even where the cache has to wait for something."""
    inbox, order = await bench.channel(), list[str]()

    async def take(record: Record) -> None:  # type: ignore[type-arg]
        order.append(f"begin {record.message.text}")
        await eventually(lambda: True)
        order.append(f"end {record.message.text}")

    await bench.say(inbox, "one", "two")
    tail = Tail(
        [inbox.topic],
        True,
        take,
        settings=bench.settings,
        trust=bench.trust,
        types=[inbox.kind],
    )
    async with running(tail.run()):
        await tail.caught_up()
    assert order == ["begin one", "end one", "begin two", "end two"]
