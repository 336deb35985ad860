"""The outbox on a real broker: what is committed gets published, in order, the same bytes."""

import asyncio
from collections.abc import Sequence

import pytest

from shared.consumer_types import Emission
from shared.kafka import outbox as outboxes
from shared.kafka.errors import NotPublished
from shared.kafka.outbox import Outbox
from shared.kafka.producer import Producer
from shared.kafka.sealing import Sealed
from shared.postgres.pool import transaction
from shared.testing.plumbing import Bench, Channel, Seen, eventually, note_and_tell, running
from shared.testing.promises import promise

_EMPTY_ROW = "'\\x90'"
"""A row that says nothing: an empty MessagePack array."""


async def _add(bench: Bench, outbox: Outbox, told: Channel, *texts: str) -> int | None:
    async with transaction(bench.pool) as sql:
        return await outbox.add(sql, [Emission(told.message(text), text, "key") for text in texts])


async def _texts(bench: Bench, told: Channel) -> list[str]:
    return [record.message.text for record in await bench.read(told)]


async def test_what_a_command_committed_is_published_in_the_order_of_its_rows(
    bench: Bench,
) -> None:
    """Rows leave in the order of their ids, each once, and are marked."""
    told, outbox = await bench.channel(), bench.outbox()
    async with running(outbox.run()):
        for n in range(30):
            await _add(bench, outbox, told, f"{n}a", f"{n}b")
            outbox.kick()
        await eventually(bench.everything_is_published)
    assert await _texts(bench, told) == [f"{n}{c}" for n in range(30) for c in "ab"]


@promise("P4")
async def test_what_was_rolled_back_is_never_published(bench: Bench) -> None:
    """A row of a transaction that failed isn't there, and what comes after it isn't held up."""
    told, outbox = await bench.channel(), bench.outbox()
    async with running(outbox.run()):
        with pytest.raises(ZeroDivisionError):
            async with transaction(bench.pool) as sql:
                await outbox.add(sql, [Emission(told.message("never"), "never", "key")])
                raise ZeroDivisionError
        await _add(bench, outbox, told, "after")
        outbox.kick()
        await eventually(bench.everything_is_published)
    assert await _texts(bench, told) == ["after"]


@promise("P4")
async def test_a_crash_between_commit_and_publishing_loses_nothing(bench: Bench) -> None:
    """What was committed and not published is published after the restart, once by event id.

    Fails without the reading of left-over rows at start.
    """
    inbox, told = await bench.channel(), await bench.channel()
    seen, crashed = Seen(), bench.outbox()
    await bench.say(inbox, "one", "two")
    stream = bench.stream([inbox], handler=note_and_tell(told), outbox=crashed, after_commit=seen)
    async with bench.running(stream):  # its outbox never runs: it crashed right after the commit
        await seen.count(2)
    assert await _texts(bench, told) == []
    restarted = bench.outbox()
    async with running(restarted.run()):
        await eventually(bench.everything_is_published)
    assert await _texts(bench, told) == ["one", "two"]


@promise("P1")
async def test_a_crash_between_publishing_and_the_mark_repeats_the_same_events(
    bench: Bench,
) -> None:
    """Rows that were published and not marked come again, byte for byte the same.

    This is why readers drop repeated event ids.
    """
    told, outbox = await bench.channel(is_signed=True), bench.outbox()
    await _add(bench, outbox, told, "one", "two")
    for _ in range(2):
        crashing = bench.outbox()
        async with running(crashing._publish_for_ever()):
            await eventually(lambda crashing=crashing: len(crashing._unmarked) == 1)
    records = await bench.read(told)
    assert [r.message.text for r in records] == ["one", "two", "one", "two"]
    assert [(r.event_id, r.value, r.signature) for r in records[:2]] == [
        (r.event_id, r.value, r.signature) for r in records[2:]
    ]


class _Failing(Producer):
    """A producer that fails, before or after the records are in the log."""

    def __init__(self, bench: Bench, *, after: bool) -> None:
        super().__init__(bench.settings.kafka, bench.settings.instance)
        self.failures = 2
        self.after = after

    async def publish(self, records: Sequence[Sealed]) -> None:
        if self.failures and self.after:
            await super().publish(records)
        if self.failures:
            self.failures -= 1
            raise NotPublished("on purpose")
        await super().publish(records)


@promise("P4")
@pytest.mark.parametrize("after", [False, True], ids=["not persisted", "persisted"])
async def test_a_failed_publication_is_repeated_in_order(bench: Bench, after: bool) -> None:
    """Whether the write failed or had persisted, everything is said at least once and in order."""
    told, producer = await bench.channel(), _Failing(bench, after=after)
    outbox = bench.outbox(producer)
    try:
        async with running(outbox.run()):
            for text in ("one", "two", "three"):
                await _add(bench, outbox, told, text)
                outbox.kick()
            await eventually(bench.everything_is_published)
    finally:
        await producer.stop()
    assert list(dict.fromkeys(await _texts(bench, told))) == ["one", "two", "three"]


async def test_a_row_of_an_earlier_transaction_is_not_overtaken(bench: Bench) -> None:
    """A command's row that was committed first is published before a stream's later one."""
    told, outbox = await bench.channel(), bench.outbox()
    await _add(bench, outbox, told, "first")  # committed, and not yet kicked
    later = Outbox(bench.pool, bench.producer, bench.signer, "votes")
    row_id = await _add(bench, later, told, "second")
    assert row_id is not None
    outbox._is_behind = outbox._reads_all = False
    sealed = outbox.sealer.seal([Emission(told.message("second"), "second", "key")])
    async with running(outbox.run()):
        await outbox.publish_now(row_id, sealed)
        await eventually(bench.everything_is_published)
    assert await _texts(bench, told) == ["first", "second"]


async def test_an_instance_that_is_gone_is_spoken_for(bench: Bench) -> None:
    """Rows of another instance are left to it while it lives, and published when it is gone."""
    told, outbox = await bench.channel(), bench.outbox()
    await _add(bench, outbox, told, "orphan")
    await bench.as_owner("update outbox set writer = 'votes-9'")
    outbox._reads_all = False
    async with running(outbox.run()):
        await _add(bench, outbox, told, "mine")
        outbox.kick()
        await eventually(lambda: _marked(bench, 1))
        outbox.recover()
        await eventually(bench.everything_is_published)
    assert await _texts(bench, told) == ["mine", "orphan"]


async def _marked(bench: Bench, wanted: int) -> bool:
    done = await bench.pool.fetchval("select count(*) from outbox where published_at is not null")
    return bool(done == wanted)


async def test_writers_wait_when_kafka_is_far_behind(bench: Bench) -> None:
    """The queue in memory is bounded: a stream is held up rather than running out of memory."""
    outbox = bench.outbox()
    tasks = [asyncio.create_task(outbox.publish_now(n, ())) for n in range(200)]
    done, waiting = await asyncio.wait(tasks, timeout=0.2)
    assert len(done) == 63
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


async def test_what_nobody_can_ask_for_any_more_is_deleted_and_nothing_else(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outbox's own loop drops rows published days ago and answers of a month ago.

    What waits to be published stays however old, and so does every applied event: the law topics
    are kept for ever, and so may bring it again.
    """
    monkeypatch.setattr(outboxes, "TIDY_SECONDS", 0.0)
    await bench.as_owner(
        "insert into outbox (records, created_at, published_at) values"
        f" ({_EMPTY_ROW}, now() - interval '9 days', now() - interval '2 days'),"
        f" ({_EMPTY_ROW}, now() - interval '9 days', now() - interval '20 hours');"
        "insert into outbox (records, created_at) values"
        f" ({_EMPTY_ROW}, now() - interval '40 days');"
        "insert into idempotency (key, request_hash, created_at) values"
        " ('old', '', now() - interval '31 days'), ('new', '', now() - interval '29 days');"
        "insert into applied_events values ('bench', 'an event')"
    )
    old = "select count(*) from outbox where published_at < now() - interval '1 day'"
    async with running(bench.outbox().run()):
        await eventually(lambda: _is_zero(bench, old))
        await eventually(bench.everything_is_published)
        await eventually(
            lambda: _is_zero(bench, "select count(*) from idempotency where key = 'old'")
        )
    assert await bench.pool.fetchval("select count(*) from outbox") == 2
    assert await bench.pool.fetchval("select key from idempotency") == "new"
    assert await bench.pool.fetchval("select count(*) from applied_events") == 1


async def _is_zero(bench: Bench, count: str) -> bool:
    return bool(await bench.pool.fetchval(count) == 0)
