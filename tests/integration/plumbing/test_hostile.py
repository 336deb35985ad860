"""What somebody who may write to a topic could do to its readers, and can't."""

from typing import Any

from aiokafka import AIOKafkaProducer  # noqa: TID251  (the hostile one: ours can't do such things)
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from shared.testing.plumbing import Bench, Seen, eventually
from shared.testing.promises import promise


class _NoUtf8(str):
    """A header name that is no UTF-8, as clients in other languages can send."""

    def encode(self, *_: Any) -> bytes:
        return b"\xff\xfe"


@promise("P15")
async def test_a_header_that_is_no_text_stops_no_reader(bench: Bench) -> None:
    """The batch that holds it is malformed, record by record; what follows is applied.

    Fails without `shared.kafka.unpacking`: aiokafka raises on every fetch of the partition.
    """
    inbox, seen = await bench.channel(), Seen()
    await bench.say(inbox, "before")
    raw = AIOKafkaProducer(bootstrap_servers=bench.settings.kafka)
    await raw.start()
    try:
        batch = raw.create_batch()
        batch._builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 1_000_000)
        for name in ("ce_id", _NoUtf8("x"), "ce_id"):
            batch.append(timestamp=None, key=b"k", value=b"{}", headers=[(name, b"1")])
        await (await raw.send_batch(batch, inbox.topic.name, partition=0))
    finally:
        await raw.stop()
    await bench.say(inbox, "after")
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(2)
    assert await bench.texts() == ["before", "after"]
    kept = await bench.pool.fetch('select "offset", reason from quarantine order by "offset"')
    assert [tuple(row) for row in kept] == [(n, "unreadable_batch") for n in (1, 2, 3)]


@promise("P15")
async def test_a_transactions_marker_is_no_gap(bench: Bench) -> None:
    """A transactional producer leaves a marker in the log; it is malformed, not a lost record.

    Fails without the stand-ins for control batches: the partition would halt for a gap.
    """
    inbox, seen = await bench.channel(), Seen()
    topic, partition, key, value, headers = bench.sealed(inbox, "inside")
    raw = AIOKafkaProducer(bootstrap_servers=bench.settings.kafka, transactional_id=topic)
    await raw.start()
    try:
        async with raw.transaction():
            await raw.send_and_wait(topic, value, key, partition, headers=headers)
    finally:
        await raw.stop()

    async def is_quarantined() -> bool:
        return await bench.pool.fetchval("select reason from quarantine") == "unreadable_batch"

    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await eventually(is_quarantined)  # the broker writes the marker a moment later
        await bench.say(inbox, "after")
        await seen.count(2)
    assert await bench.texts() == ["inside", "after"]


async def test_a_compressed_batch_needs_no_codec(bench: Bench) -> None:
    """The broker unpacks what producers compress: a bomb is refused there, not read here."""
    inbox, seen = await bench.channel(), Seen()
    topic, partition, key, value, headers = bench.sealed(inbox, "k " + "x" * 5000)
    raw = AIOKafkaProducer(bootstrap_servers=bench.settings.kafka, compression_type="gzip")
    await raw.start()
    try:
        await raw.send_and_wait(topic, value, key, partition, headers=headers)
    finally:
        await raw.stop()
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(1)
    assert await bench.texts() == ["k " + "x" * 5000]
