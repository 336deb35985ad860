"""The idempotent consumer on a real broker and database: once, in order, whatever repeats."""

import asyncio
from typing import Any

from shared.postgres import offsets
from shared.postgres.offsets import Applied
from shared.testing.plumbing import Bench, Channel, Notes, Seen, eventually, note_and_tell
from shared.testing.promises import promise


@promise("P1")
async def test_every_record_is_applied_once_and_in_order(bench: Bench) -> None:
    """What is written to a partition is applied exactly once, in the order of the log."""
    inbox, seen = await bench.channel(partitions=3), Seen()
    texts = [[f"{partition}-{n}" for n in range(400)] for partition in range(3)]
    for partition in range(3):
        await bench.say(inbox, *texts[partition], partition=partition)
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(1200)
    assert await bench.texts() == [text for partition in texts for text in partition]


@promise("P1")
async def test_a_restarted_stream_goes_on_where_the_database_says(bench: Bench) -> None:
    """A stream that starts again applies what is new and nothing twice, whatever Kafka remembers.

    Fails without the seek to PostgreSQL's offset: the group's own offset is committed lazily.
    """
    inbox = await bench.channel()
    for n in range(3):
        seen = Seen()
        await bench.say(inbox, f"life-{n}")
        async with bench.running(bench.stream([inbox], after_commit=seen)):
            await seen.count(1)
    assert await bench.texts() == ["life-0", "life-1", "life-2"]


async def test_kafka_is_told_the_offsets_for_lag_tools(bench: Bench) -> None:
    """When a stream stops, its group's offset in Kafka says how far it got."""
    inbox, seen = await bench.channel(), Seen()
    await bench.say(inbox, "one", "two", "three")
    stream = bench.stream([inbox], after_commit=seen)
    async with bench.running(stream):
        await seen.count(3)
    assert await bench.committed(stream.name, inbox) == {0: 3}


async def test_emissions_are_published_after_the_commit_once_each(bench: Bench) -> None:
    """What handlers say reaches its topic, under event ids derived from the causing records."""
    inbox, told = await bench.channel(), await bench.channel(partitions=4)
    seen, outbox = Seen(), bench.outbox()
    await bench.say(inbox, *(f"k{n}" for n in range(50)))
    stream = bench.stream([inbox], handler=note_and_tell(told), outbox=outbox, after_commit=seen)
    async with bench.running(stream, outbox):
        await seen.count(50)
        await eventually(bench.everything_is_published)
    found = await bench.read(told)
    assert sorted(record.message.text for record in found) == sorted(f"k{n}" for n in range(50))
    assert len({record.event_id for record in found}) == 50


@promise("P1")
async def test_a_repeated_event_changes_nothing(bench: Bench) -> None:
    """Two records with the same event id are one event: the first counts, in one fetch or in two.

    Fails without the claim of event ids in the transaction.
    """
    inbox, seen = await bench.channel(), Seen()
    first, second = (bench.sealed(inbox, text, event_id="same") for text in ("one", "two"))
    await bench.producer.publish([first, second])
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(2)
        await bench.producer.publish([second, bench.sealed(inbox, "three")])
        await seen.count(4)
    assert await bench.texts() == ["one", "three"]


async def test_a_reader_may_see_repetitions_when_its_fold_drops_them(bench: Bench) -> None:
    """With dedupe_events off every record reaches the handler."""
    inbox, seen = await bench.channel(), Seen()
    record = bench.sealed(inbox, "one", event_id="same")
    await bench.producer.publish([record, record])
    async with bench.running(bench.stream([inbox], after_commit=seen, dedupe_events=False)):
        await seen.count(2)
    assert await bench.texts() == ["one", "one"]


async def test_types_without_a_handler_are_skipped_and_passed(bench: Bench) -> None:
    """Another type of ours on the topic changes nothing, and its offset counts as applied."""
    inbox, other, seen = await bench.channel(), bench.undeclared(), Seen()
    foreign = bench.sealed(other, "not for us")
    await bench.producer.publish([(inbox.topic.name, *foreign[1:])])
    await bench.say(inbox, "for us")
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(1)
    assert await bench.texts() == ["for us"]
    assert (await _stored(bench, inbox)).next_offset == 2


@promise("P1")
async def test_a_zombies_transaction_fails(bench: Bench) -> None:
    """A process that was overtaken by its twin commits nothing of what it had read.

    Fails without the compare-and-set in `advance_offsets`.
    """
    inbox = await bench.channel()
    reached, released = asyncio.Event(), asyncio.Event()

    class Slow(Notes):
        async def load(self, sql: Any, records: Any) -> Any:
            reached.set()
            await released.wait()
            return []

    await bench.say(inbox, "one", "two")
    zombie = bench.stream([inbox], store=Slow(), dedupe_events=False)
    async with bench.running(zombie):
        await asyncio.wait_for(reached.wait(), 60)
        await _apply_as_the_twin_would(bench, inbox, "one", "two")
        released.set()
        await eventually(lambda: "stale" in (zombie.status() or ""))
    assert await bench.texts() == ["one", "two"]


async def _apply_as_the_twin_would(bench: Bench, inbox: Channel, *texts: str) -> None:
    step = offsets.FetchOffsets(f"bench-{inbox.topic.name}")
    step.add((inbox.topic.name, 0), 0, len(texts), b"hash")
    for n, text in enumerate(texts):
        row = (inbox.topic.name, 0, n, text, 0)
        await bench.pool.execute("insert into notes values ($1, $2, $3, $4, $5)", *row)
    await offsets.finish(bench.pool, step, None)


async def test_two_instances_share_the_partitions(bench: Bench) -> None:
    """A second instance takes over some partitions, and still nothing is applied twice."""
    inbox, seen = await bench.channel(partitions=4), Seen()
    first = bench.stream([inbox], after_commit=seen)
    second = bench.stream([inbox], after_commit=seen, instance="votes-1")
    async with bench.running(first):
        await _say_everywhere(bench, inbox, "before")
        await seen.count(4)
        async with bench.running(second):
            await eventually(lambda: bool(first._cursors) and bool(second._cursors))
            await eventually(lambda: len(first._cursors) + len(second._cursors) == 4)
            await _say_everywhere(bench, inbox, "after")
            await seen.count(8)
    assert await bench.texts() == ["before", "after"] * 4


async def _say_everywhere(bench: Bench, inbox: Channel, text: str) -> None:
    for partition in range(inbox.topic.partitions):
        await bench.say(inbox, text, partition=partition)


async def _stored(bench: Bench, inbox: Channel, partition: int = 0) -> Applied:
    name, place = f"bench-{inbox.topic.name}", (inbox.topic.name, partition)
    return (await offsets.read(bench.pool, name, [place]))[place]
