"""How a handler ends, and what that does to its record, its partition and the others."""

import asyncio
from typing import Any

import asyncpg
import pytest

from shared.consumer_types import Done, Emission, Halt, Outcome, Quarantine, Record, Retry
from shared.contracts.quarantine import RecordQuarantined
from shared.kafka import cursors
from shared.testing.plumbing import Bench, Notes, Seen, eventually, note
from shared.testing.promises import promise


@promise("P15")
async def test_a_retried_record_comes_again_and_nothing_overtakes_it(bench: Bench) -> None:
    """What came before a Retry is kept, the record itself comes again, other partitions go on."""
    inbox, seen = await bench.channel(partitions=2), Seen()
    refusals = iter(range(3))

    async def handle(record: Record[Any], work: Any) -> Outcome:
        if record.message.text == "later" and next(refusals, None) is not None:
            return Retry("not yet")
        return await note(record, work)

    await bench.say(inbox, "before", "later", "after", partition=0)
    await bench.say(inbox, "other", partition=1)
    async with bench.running(bench.stream([inbox], handler=handle, after_commit=seen)):
        await seen.count(4)
    assert await bench.texts() == ["before", "later", "after", "other"]
    assert [r.message.text for r in seen.records].index("other") < 3


@promise("P15")
async def test_a_partition_that_is_tried_again_and_again_says_what_it_waits_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endless Retry makes the service not ready, with offset and reason, until it ends.

    The other partitions go on all the time.
    """
    monkeypatch.setattr(cursors, "RETRIED_SECONDS", 0.2)
    inbox, seen, is_there = await bench.channel(partitions=2), Seen(), False

    async def handle(record: Record[Any], work: Any) -> Outcome:
        if record.message.text == "later" and not is_there:
            return Retry("its election isn't known yet")
        return await note(record, work)

    await bench.say(inbox, "before", "later", partition=0)
    stream = bench.stream([inbox], handler=handle, after_commit=seen)
    async with bench.running(stream):
        await eventually(lambda: "isn't known yet" in (stream.status() or ""))
        assert f"{inbox.topic.name}[0] waits at 1" in (stream.status() or "")
        await bench.say(inbox, "other", partition=1)
        await seen.count(2)
        is_there = True
        await seen.count(3)
        assert stream.status() is None
    assert await bench.texts() == ["before", "later", "other"]


@promise("P13")
async def test_a_halted_partition_stops_alone_and_says_why(bench: Bench) -> None:
    """A Halt stops its partition before the record; the others go on; readiness names it."""
    inbox, seen = await bench.channel(partitions=2), Seen()

    async def handle(record: Record[Any], work: Any) -> Outcome:
        if record.message.text == "wrong":
            return Halt("this must not be")
        return await note(record, work)

    await bench.say(inbox, "before", "wrong", "after", partition=0)
    stream = bench.stream([inbox], handler=handle, after_commit=seen)
    async with bench.running(stream):
        await eventually(lambda: "this must not be" in (stream.status() or ""))
        await bench.say(inbox, "other", "another", partition=1)
        await seen.count(3)
        assert f"{inbox.topic.name}[0]" in (stream.status() or "")
    assert await bench.texts() == ["before", "other", "another"]


async def test_an_event_behind_a_halt_is_not_taken_for_applied(bench: Bench) -> None:
    """After the fault is mended, everything from the halted record on is applied.

    Fails unless the claims of event ids behind a cut are given back.
    """
    inbox, is_mended = await bench.channel(), False

    async def handle(record: Record[Any], work: Any) -> Outcome:
        if record.message.text == "wrong" and not is_mended:
            return Halt("not yet mended")
        return await note(record, work)

    await bench.say(inbox, "before", "wrong", "after")
    stream = bench.stream([inbox], handler=handle)
    async with bench.running(stream):
        await eventually(lambda: "mended" in (stream.status() or ""))
    is_mended, seen = True, Seen()
    async with bench.running(bench.stream([inbox], handler=handle, after_commit=seen)):
        await seen.count(2)
    assert await bench.texts() == ["before", "wrong", "after"]


@promise("P13")
async def test_a_quarantined_record_is_kept_and_announced(bench: Bench) -> None:
    """Its coordinates, reason and bytes are kept, `RecordQuarantined` is said, the rest goes on."""
    inbox, seen, outbox = await bench.channel(), Seen(), bench.outbox()

    async def handle(record: Record[Any], work: Any) -> Outcome:
        if record.message.text == "poison":
            return Quarantine("it can't be applied")
        return await note(record, work)

    await bench.say(inbox, "before", "poison", "after")
    stream = bench.stream([inbox], handler=handle, after_commit=seen, outbox=outbox)
    async with bench.running(stream, outbox):
        await seen.count(3)
        await eventually(bench.everything_is_published)
    assert await bench.texts() == ["before", "after"]
    row = await bench.pool.fetchrow("select * from quarantine")
    assert (row["offset"], row["reason"]) == (1, "it can't be applied")
    assert b"poison" in row["value"]
    (said,) = await bench.notices(inbox)
    assert said == RecordQuarantined(
        service="votes",
        topic=inbox.topic.name,
        partition=0,
        offset=1,
        reason="it can't be applied",
    )


async def test_a_handler_that_raises_halts_its_partition_at_that_record(bench: Bench) -> None:
    """An error of the code stops the partition there, keeps what came before, names the record."""
    inbox, seen = await bench.channel(partitions=2), Seen()

    async def handle(record: Record[Any], work: Any) -> Outcome:
        if record.message.text == "bug":
            raise KeyError("bug")
        return await note(record, work)

    await bench.say(inbox, "before", "bug", "after", partition=0)
    await bench.say(inbox, "other", partition=1)
    stream = bench.stream([inbox], handler=handle, after_commit=seen)
    async with bench.running(stream):
        await seen.count(2)
        await eventually(lambda: "offset 1: KeyError" in (stream.status() or ""))
    assert await bench.texts() == ["before", "other"]


async def test_a_record_that_the_database_refuses_is_found_among_the_rest(bench: Bench) -> None:
    """A set-based write that fails for one record halts that record's partition only."""
    inbox, seen = await bench.channel(partitions=2), Seen()
    await bench.say(inbox, "a", "b", "refused", "c", partition=0)
    await bench.say(inbox, "other", partition=1)

    class Strict(Notes):
        async def save(self, sql: Any, work: Any) -> None:
            if any(row[3] == "refused" for row in work):
                raise asyncpg.CheckViolationError("no such text")
            await super().save(sql, work)

    stream = bench.stream([inbox], store=Strict(), after_commit=seen)
    async with bench.running(stream):
        await seen.count(3)
        await eventually(lambda: "offset 2 can't be applied" in (stream.status() or ""))
    assert await bench.texts() == ["a", "b", "other"]


async def test_an_emission_that_is_too_large_halts_instead_of_blocking_the_outbox(
    bench: Bench,
) -> None:
    """A message larger than a record may be is refused before it is committed."""
    inbox, told = await bench.channel(), await bench.channel()

    async def handle(record: Record[Any], work: Any) -> Outcome:
        return Done([Emission(told.message("x" * 900_001), "id", "key")])

    await bench.say(inbox, "one")
    stream = bench.stream([inbox], handler=handle)
    async with bench.running(stream):
        await eventually(lambda: "EmissionTooLarge" in (stream.status() or ""))
    assert await bench.everything_is_published()


async def test_prepare_sees_the_records_before_the_transaction(bench: Bench) -> None:
    """What `prepare` finds out is there when the handlers run."""
    inbox, seen, prepared = await bench.channel(), Seen(), dict[str, int]()

    async def prepare(records: Any) -> None:
        await asyncio.sleep(0)
        prepared.update({record.event_id: len(record.message.text) for record in records})

    async def handle(record: Record[Any], work: Any) -> Outcome:
        work.append((record.topic, 0, record.offset, "", prepared[record.event_id]))
        return Done()

    await bench.say(inbox, "four", "three")
    stream = bench.stream([inbox], handler=handle, prepare=prepare, after_commit=seen)
    async with bench.running(stream):
        await seen.count(2)
    assert [row["number"] for row in await bench.notes()] == [4, 5]


@promise("P1")
async def test_a_store_may_write_everything_in_one_statement(bench: Bench) -> None:
    """With `apply` the store writes rows, offsets and outbox row itself, and nothing is doubled."""
    inbox, told = await bench.channel(), await bench.channel()
    seen, outbox = Seen(), bench.outbox()

    class OneStatement(Notes):
        async def apply(self, sql: Any, work: Any, fetch: Any, outbox_row: Any) -> int | None:
            assert not sql.is_in_transaction()
            row_id: int | None = await sql.fetchval(
                "with written as (insert into notes select $8, 0, n, t, 0"
                " from unnest($9::bigint[], $10::text[]) as x (n, t))"
                " select finish_fetch($1, $2, $3, $4, $5, $6, $7)",
                *fetch.arguments(),
                outbox_row,
                inbox.topic.name,
                [row[2] for row in work],
                [row[3] for row in work],
            )
            return row_id

    async def handle(record: Record[Any], work: Any) -> Outcome:
        await note(record, work)
        return Done([Emission(told.message(record.message.text), record.event_id, "k")])

    await bench.say(inbox, *(f"{n}" for n in range(1200)))
    store = OneStatement()
    stream = bench.stream(
        [inbox], handler=handle, store=store, outbox=outbox, after_commit=seen, dedupe_events=False
    )
    async with bench.running(stream, outbox):
        await seen.count(1200)
        await eventually(bench.everything_is_published)
    assert await bench.texts() == [f"{n}" for n in range(1200)]
    assert [r.message.text for r in await bench.read(told)] == [f"{n}" for n in range(1200)]
