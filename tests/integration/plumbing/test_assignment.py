"""What a stream checks when partitions are assigned to it, and what it must not do before."""

import asyncio
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.structs import TopicPartition

from shared.kafka import consumer, topics
from shared.kafka.consumer import GroupConsumer
from shared.postgres import offsets
from shared.testing.plumbing import Bench, Channel, Seen, eventually
from shared.testing.promises import promise


async def _apply(bench: Bench, inbox: Channel, *texts: str) -> None:
    seen = Seen()
    await bench.say(inbox, *texts)
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(len(texts))


async def _made_anew(bench: Bench, inbox: Channel, *texts: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.settings.kafka)
    await admin.start()
    try:
        await admin.delete_topics([inbox.topic.name])

        async def is_gone() -> bool:
            return inbox.topic.name not in await admin.list_topics()

        await eventually(is_gone)
    finally:
        await admin.close()
    await topics.ensure(bench.settings.kafka, [inbox.topic])
    await bench.producer.stop()  # it numbers its records by the old topic
    await bench.say(inbox, *texts)


@promise("P3")
async def test_a_truncated_log_halts(bench: Bench) -> None:
    """A log that ends before what was applied is not gone on with.

    Fails without the comparison of the stored offset with the log's end.
    """
    inbox = await bench.channel()
    await _apply(bench, inbox, "one", "two", "three")
    await _made_anew(bench, inbox, "one", "two")
    stream = bench.stream([inbox])
    async with bench.running(stream):
        await eventually(lambda: "shorter than what was applied" in (stream.status() or ""))
        await bench.say(inbox, "new", "newer")
    assert await bench.texts() == ["one", "two", "three"]


@promise("P3")
async def test_a_replaced_last_record_halts(bench: Bench) -> None:
    """A log that holds another record where the last applied one stood is not gone on with.

    Fails without the hash that is kept beside the offset.
    """
    inbox = await bench.channel()
    await _apply(bench, inbox, "one", "two")
    await _made_anew(bench, inbox, "one", "other", "three")
    stream = bench.stream([inbox])
    async with bench.running(stream):
        await eventually(lambda: "the log was replaced" in (stream.status() or ""))
    assert await bench.texts() == ["one", "two"]


async def _forget_before(bench: Bench, inbox: Channel, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bench.settings.kafka)
    await admin.start()
    try:
        place = TopicPartition(inbox.topic.name, 0)
        await admin.delete_records({place: RecordsToDelete(before_offset=offset)})
    finally:
        await admin.close()


@promise("P3")
async def test_a_law_that_lost_records_that_were_not_applied_halts(bench: Bench) -> None:
    """Where the law begins behind what was applied, the records in between are missing."""
    inbox = await bench.channel()
    await bench.say(inbox, "one", "two", "three")
    await _forget_before(bench, inbox, 2)
    stream = bench.stream([inbox])
    async with bench.running(stream):
        await eventually(lambda: "are gone" in (stream.status() or ""))
    assert await bench.texts() == []


async def test_expired_requests_are_passed_over(bench: Bench) -> None:
    """A request topic is kept for minutes: a reader that comes late goes on with what is left."""
    inbox, seen = await bench.channel(is_law=False), Seen()
    await _apply(bench, inbox, "one")
    await bench.say(inbox, "two", "three")
    await _forget_before(bench, inbox, 2)
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(1)
        await bench.say(inbox, "four")
        await seen.count(2)
    assert await bench.texts() == ["one", "three", "four"]


@promise("P1")
async def test_nothing_is_read_before_the_partitions_are_placed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until PostgreSQL has said where to go on no record is taken, though the broker offers some.

    Fails without the gate: aiokafka hands out records before `on_partitions_assigned` has finished.
    """
    inbox, seen = await bench.channel(), Seen()
    await _apply(bench, inbox, "one", "two")
    released, asked, fetched = asyncio.Event(), asyncio.Event(), list[Any]()
    read, fetch = offsets.read, GroupConsumer.fetch

    async def slow_read(*arguments: Any) -> Any:
        asked.set()
        await released.wait()
        return await read(*arguments)

    async def watched_fetch(self: Any, *arguments: Any) -> Any:
        fetched.append(released.is_set())
        return await fetch(self, *arguments)

    monkeypatch.setattr(offsets, "read", slow_read)
    monkeypatch.setattr(GroupConsumer, "fetch", watched_fetch)
    await bench.say(inbox, "three")
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await asyncio.wait_for(asked.wait(), 60)
        assert not fetched
        released.set()
        await seen.count(1)
    assert all(fetched)
    assert await bench.texts() == ["one", "two", "three"]


@promise("P1")
async def test_records_of_an_assignment_that_has_changed_are_refused(bench: Bench) -> None:
    """What was fetched while the group was rebalancing is dropped and read again."""
    inbox = await bench.channel()
    await bench.say(inbox, "one")
    raw = GroupConsumer(bench.settings.kafka, f"gate-{inbox.topic.name}", "votes-0", [inbox.topic])
    await raw.start()
    try:
        generation, places = await raw.assignment()
        (place,) = places
        raw.seek(place, 0)
        raw._listener.on_partitions_revoked(())
        assert await raw.fetch(generation, 5.0, 10) == {}
    finally:
        await raw.stop()


@promise("P13")
async def test_a_record_larger_than_a_fetch_is_not_skipped(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a client whose fetch is too small for a record applies every record, or none behind it.

    Fails without the re-placing after an error of a fetch, and then only the contiguity check stops
    the partition: aiokafka moves past the record that it couldn't take (#1173).
    """
    inbox, seen = await bench.channel(partitions=4), Seen()
    monkeypatch.setattr(consumer, "PARTITION_FETCH_BYTES", 20_000)
    for partition in range(4):
        texts = [f"{partition}-{n} " + "x" * 400_000 for n in range(4)]
        await bench.say(inbox, *texts, partition=partition)
    stream = bench.stream([inbox], after_commit=seen)
    async with bench.running(stream):
        await seen.count(16)
    texts = [text[:3] for text in await bench.texts()]
    assert texts == [f"{partition}-{n}" for partition in range(4) for n in range(4)]


async def test_the_largest_records_pass(bench: Bench) -> None:
    """Records of 900,000 bytes in every partition go through producer, broker and reader."""
    inbox, seen = await bench.channel(partitions=3), Seen()
    for partition in range(3):
        await bench.say(inbox, *["k " + "x" * 899_900] * 3, partition=partition)
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(9)
    assert [len(text) for text in await bench.texts()] == [899_902] * 9


@promise("P15")
async def test_an_upgrade_that_reads_other_topics_goes_on(bench: Bench) -> None:
    """The code of tomorrow may read one topic less: it starts on what today's has left behind.

    Fails while a member that comes back is given the topics that it had before: aiokafka refuses
    those that it didn't ask for, again and again.
    """
    kept, dropped = await bench.channel(), await bench.channel()
    await _apply_both(bench, kept, dropped)
    seen = Seen()
    await bench.say(kept, "afterwards")
    async with bench.running(bench.stream([kept], after_commit=seen)):
        await seen.count(1)
    assert sorted(await bench.texts()) == ["afterwards", "before", "beside"]


async def _apply_both(bench: Bench, kept: Channel, dropped: Channel) -> None:
    seen = Seen()
    await bench.say(kept, "before")
    async with bench.running(bench.stream([kept, dropped], after_commit=seen)):
        await seen.count(1)
        await bench.say(dropped, "beside")
        await seen.count(2)
