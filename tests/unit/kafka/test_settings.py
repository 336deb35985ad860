"""How our clients are built: each of the library's defaults that would lose or repeat messages."""

from aiokafka.consumer import fetcher  # noqa: TID251  (whose defaults we look at)

from shared.contracts.fields import MAX_RECORD_BYTES
from shared.contracts.topics import RIGHTS
from shared.kafka import producer
from shared.kafka.consumer import PARTITION_FETCH_BYTES, GroupConsumer
from shared.kafka.producer import BATCH_BYTES, Producer
from shared.kafka.unpacking import TolerantRecords


async def test_a_consumer_does_nothing_by_itself() -> None:
    """No automatic commit, no jump to the newest record, no skipped large record, static member.

    The defaults are: commit every 5 s what may not be applied, start at the end, fetch 1 MiB.
    """
    consumer = GroupConsumer("127.0.0.1:9", "codes", "codes-0", [RIGHTS])
    raw = consumer._raw
    try:
        assert raw._enable_auto_commit is False
        assert raw._auto_offset_reset == "none"
        assert raw._group_instance_id.startswith("codes-0-codes-")
        assert raw._max_partition_fetch_bytes == PARTITION_FETCH_BYTES > 2 * MAX_RECORD_BYTES
        assert fetcher.PartitionRecords is TolerantRecords
    finally:
        await consumer.stop()


async def test_the_producer_is_idempotent_and_waits_for_all() -> None:
    """No record is lost on a leader's word alone, none is doubled by a retry, none expires.

    The defaults are acks=1 and no idempotence.
    """
    raw = Producer("127.0.0.1:9", "codes-0")._build()
    try:
        assert raw._sender._acks == -1
        assert raw._txn_manager is not None
        assert raw._message_accumulator._linger_time == 0
        assert raw._request_timeout_ms > producer.ACK_SECONDS * 1000
        assert MAX_RECORD_BYTES < BATCH_BYTES < 1024 * 1024
    finally:
        await producer.discard(raw)
