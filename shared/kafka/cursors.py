"""Where a reader stands in each partition, and the checks that it stands in the same log.

Promises that no record is applied unless it is the very next one (a gap is a lost record), and
that nothing is applied on top of a log that no longer holds the last record applied. Pure: offsets
in, verdict out. Our topics are neither compacted nor transactional, so offsets have no holes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts.topics import Topic
from shared.kafka.decoding import Raw, fingerprint
from shared.postgres.offsets import Applied, Place

LOG_APPEND_TIME = 1
RETRIED_SECONDS = 5.0
"""A record that is tried in vain for longer waits for more than a reader a moment behind."""


@dataclass(slots=True)
class Cursor:
    """One partition: what PostgreSQL has, which record comes next, and why it stands still."""

    place: Place
    stored: int
    """The next offset as PostgreSQL has it: what the compare-and-set expects."""
    next_offset: int
    witness: bytes | None = None
    """While set, the next record must have this hash: it is the last one applied, not a new one."""
    halted: str | None = None
    retry_at: float | None = None
    retries: int = 0
    retry_reason: str = ""
    retried_since: float | None = None
    """When the next record was tried in vain for the first time."""

    @property
    def stands_still(self) -> bool:
        """Whether no record of this partition may be applied now."""
        return self.halted is not None or self.retry_at is not None

    def rewind(self, offset: int) -> None:
        """The record at this offset comes again."""
        self.next_offset = offset
        self.witness = None

    def advance(self, following: int) -> None:
        """Everything before `following` is committed."""
        self.stored = self.next_offset = following
        self.retries, self.retried_since = 0, None

    def postpone(self, now: float, pause_seconds: float, reason: str) -> None:
        """The next record was tried in vain and is due again after a pause."""
        self.retry_at = now + pause_seconds
        self.retries += 1
        self.retry_reason = reason
        if self.retried_since is None:
            self.retried_since = now

    def is_tried_in_vain(self, now: float) -> bool:
        """Whether the next record is tried for longer than another topic may take to catch up."""
        return self.retried_since is not None and now - self.retried_since > RETRIED_SECONDS


def place(topic: Topic, partition: int, applied: Applied, beginning: int, end: int) -> Cursor:
    """Where to go on after what was applied, given the log's beginning and end.

    Halted when the log ends before it (it was truncated), or begins after it where it is kept for
    ever. Request topics are kept for minutes: what is gone from them is past its deadline.
    """
    stored = applied.next_offset
    cursor = Cursor((topic.name, partition), stored, stored)
    if end < stored:
        cursor.halted = (
            f"the log is shorter than what was applied: it ends at {end}, {stored} were applied"
        )
    elif topic.is_law and beginning > max(stored - 1, 0):
        cursor.halted = (
            f"the log begins at {beginning}, so the records from {max(stored - 1, 0)} on are gone"
        )
    elif stored > beginning:
        cursor.witness = applied.last_hash
        cursor.next_offset = stored - 1
    else:
        cursor.next_offset = max(stored, beginning)
    return cursor


def fresh(cursor: Cursor, records: Sequence[Raw]) -> Sequence[Raw]:
    """The records that were not applied before; none and `cursor.halted` set if something is wrong.

    Checks that each follows the one before, that a record that was applied is still the same one,
    and that the broker has stamped them.
    """
    if not records or cursor.stands_still:
        return ()
    fault = _fault(cursor, records)
    if fault is not None:
        cursor.halted = fault
        return ()
    if cursor.next_offset < cursor.stored:
        cursor.witness = None
        cursor.next_offset = cursor.stored
        return records[1:]
    return records


def _fault(cursor: Cursor, records: Sequence[Raw]) -> str | None:
    first, last = records[0].offset, records[-1].offset
    if first != cursor.next_offset:
        return f"the log jumps from offset {cursor.next_offset} to {first}: records are missing"
    if last - first != len(records) - 1 or not _are_contiguous(records):
        return f"the log has a gap between offsets {first} and {last}: records are missing"
    if records[-1].timestamp_type != LOG_APPEND_TIME:
        return "the topic has producers' stamps: set message.timestamp.type=LogAppendTime"
    if cursor.witness is not None and fingerprint(records[0]) != cursor.witness:
        return f"the record at offset {first} is not the one that was applied: the log was replaced"
    return None


def _are_contiguous(records: Sequence[Raw]) -> bool:
    offset = records[0].offset
    for record in records:
        if record.offset != offset:
            return False
        offset += 1
    return True
