"""Batches that can't be unpacked must not stop a reader: aiokafka's own iterator does.

A header whose name is no UTF-8 makes every fetch of its partition raise, for ever, and the marker
of a transaction leaves a hole in the offsets: whoever may write to a topic could stop its readers.
Promises that both come out as records without a meaning, one for each offset, which are then
malformed like any other (one producer wrote the whole batch).
"""

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.structs import ConsumerRecord

UNREADABLE = "castonce-unreadable"
"""Header name of a record that stands for one that could not be unpacked."""


class TolerantRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """Unpacks batches whole; ours are neither transactional nor compacted."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[ConsumerRecord]:
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"a checksum of {self._tp} is wrong")
            for record in self._whole(batch):
                if record.offset >= self.next_fetch_offset:
                    self.next_fetch_offset = record.offset + 1
                    yield record
            self.next_fetch_offset = batch.next_offset

    def _whole(self, batch: Any) -> list[ConsumerRecord]:
        if batch.is_control_batch:  # we use no transactions: somebody else's marker, not a gap
            return self._stand_ins(batch, b"control_batch")
        topic, partition = self._tp
        try:
            return [
                ConsumerRecord(
                    topic,
                    partition,
                    record.offset,
                    record.timestamp,
                    record.timestamp_type,
                    record.key,
                    record.value,
                    None,
                    -1,
                    -1,
                    tuple(record.headers),
                )
                for record in batch
            ]
        except (ValueError, CorruptRecordException) as error:
            return self._stand_ins(batch, type(error).__name__.encode())

    def _stand_ins(self, batch: Any, reason: bytes) -> list[ConsumerRecord]:
        topic, partition = self._tp
        return [
            ConsumerRecord(
                topic,
                partition,
                offset,
                batch.max_timestamp,
                batch.timestamp_type,
                None,
                None,
                None,
                -1,
                -1,
                ((UNREADABLE, reason),),
            )
            for offset in range(batch.base_offset, batch.next_offset)
        ]


def install() -> None:
    """Have every consumer of this process unpack like this."""
    fetcher.PartitionRecords = TolerantRecords
