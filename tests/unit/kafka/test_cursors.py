"""Where a reader goes on, and when it refuses to: pure checks on offsets and hashes."""

from dataclasses import dataclass, field

import pytest

from shared.contracts.topics import CODES_REQUESTS, RIGHTS
from shared.kafka.cursors import Cursor, fresh, place
from shared.kafka.decoding import fingerprint
from shared.postgres.offsets import Applied
from shared.testing.promises import promise


@dataclass
class Fake:
    """A record as the broker hands it out."""

    offset: int
    value: bytes | None = b"{}"
    key: bytes | None = b"k"
    headers: tuple[tuple[str, bytes], ...] = ()
    topic: str = RIGHTS.name
    partition: int = 0
    timestamp: int = 1
    timestamp_type: int = 1
    extra: dict[str, str] = field(default_factory=dict)


def records(first: int, count: int) -> list[Fake]:
    return [Fake(offset) for offset in range(first, first + count)]


def at(next_offset: int, witness: bytes | None = None, stored: int | None = None) -> Cursor:
    return Cursor((RIGHTS.name, 0), next_offset if stored is None else stored, next_offset, witness)


def test_a_new_reader_starts_at_the_beginning() -> None:
    """Nothing applied: the first record is the one at offset 0."""
    cursor = place(RIGHTS, 0, Applied(), beginning=0, end=10)
    assert (cursor.next_offset, cursor.witness, cursor.halted) == (0, None, None)


def test_a_reader_goes_on_at_the_last_record_applied_to_see_that_it_is_the_same() -> None:
    """The record before the stored offset is read again as a witness, and not applied again."""
    last = Fake(4, b"last")
    cursor = place(RIGHTS, 0, Applied(5, fingerprint(last)), beginning=0, end=7)
    assert cursor.next_offset == 4
    assert fresh(cursor, [last, *records(5, 2)]) == records(5, 2)
    assert (cursor.halted, cursor.next_offset) == (None, 5)


@promise("P3")
@pytest.mark.parametrize(
    "changed",
    [Fake(4, b"other"), Fake(4, b"last", key=b"x"), Fake(4, b"last", headers=(("a", b"b"),))],
)
def test_a_replaced_record_halts(changed: Fake) -> None:
    """Another value, key or header where the last applied record stood: the log was replaced.

    Fails without the hash kept beside the offset.
    """
    cursor = place(RIGHTS, 0, Applied(5, fingerprint(Fake(4, b"last"))), beginning=0, end=7)
    assert not fresh(cursor, [changed, *records(5, 2)])
    assert "replaced" in (cursor.halted or "")


@promise("P3")
def test_a_log_that_is_shorter_than_what_was_applied_halts() -> None:
    """Records that were applied are gone from the end: others would take their place."""
    cursor = place(RIGHTS, 0, Applied(5, b"h"), beginning=0, end=4)
    assert "shorter" in (cursor.halted or "")


@promise("P3")
@pytest.mark.parametrize(("stored", "beginning"), [(0, 1), (5, 5), (5, 9)])
def test_a_law_that_lost_its_beginning_halts(stored: int, beginning: int) -> None:
    """The law is kept for ever: where it begins behind the last applied record, some are gone."""
    cursor = place(RIGHTS, 0, Applied(stored, b"h"), beginning=beginning, end=20)
    assert "gone" in (cursor.halted or "")


@pytest.mark.parametrize(("stored", "beginning"), [(0, 3), (5, 5), (5, 9)])
def test_expired_requests_are_passed_over(stored: int, beginning: int) -> None:
    """Requests are kept for minutes: what has expired is past its deadline anyway."""
    cursor = place(CODES_REQUESTS, 0, Applied(stored, b"h"), beginning=beginning, end=20)
    assert (cursor.halted, cursor.next_offset, cursor.stored) == (None, beginning, stored)


@promise("P13")
def test_a_jump_between_fetches_halts() -> None:
    """The next record must be the next offset; a client that skipped one must not be believed.

    Fails without the contiguity check (aiokafka #1173 skips a record without a word).
    """
    cursor = at(5)
    assert not fresh(cursor, records(6, 2))
    assert cursor.halted == "the log jumps from offset 5 to 6: records are missing"


@promise("P13")
@pytest.mark.parametrize("offsets", [(5, 7), (5, 6, 6), (5, 7, 7, 8), (5, 6, 5)])
def test_a_hole_within_a_fetch_halts(offsets: tuple[int, ...]) -> None:
    """Every record of a fetch is one after the one before, even where first and last would fit."""
    cursor = at(5)
    assert not fresh(cursor, [Fake(offset) for offset in offsets])
    assert "gap" in (cursor.halted or "")


def test_producers_stamps_halt() -> None:
    """A record that its producer stamped must not decide whether a ballot was in time."""
    cursor = at(5)
    assert not fresh(cursor, [Fake(5, timestamp_type=0)])
    assert "LogAppendTime" in (cursor.halted or "")


def test_a_partition_that_stands_still_takes_nothing() -> None:
    """Records that arrive while a partition waits or is halted are left for later."""
    waiting, halted = at(5), at(5)
    waiting.retry_at, halted.halted = 1.0, "why"
    assert not fresh(waiting, records(5, 1))
    assert not fresh(halted, records(5, 1))
    assert (waiting.halted, halted.halted) == (None, "why")


def test_a_fingerprint_tells_parts_apart() -> None:
    """Moving a byte from one part of a record to the next one makes another record."""
    prints = {
        fingerprint(fake)
        for fake in (
            Fake(0, b"ab", key=b"c"),
            Fake(0, b"b", key=b"ca"),
            Fake(0, None, key=b"cab"),
            Fake(0, b"", key=b"cab"),
            Fake(0, b"ab", key=b"c", headers=(("x", b"yz"),)),
            Fake(0, b"ab", key=b"c", headers=(("xy", b"z"),)),
        )
    }
    assert len(prints) == 6


@promise("P15")
def test_a_record_tried_for_seconds_is_tried_in_vain_until_it_is_applied() -> None:
    """A reader a moment behind is waited for; after five seconds the partition counts as stuck.

    The first try counts, however often it is tried; what is applied ends it.
    """
    cursor = at(5)
    cursor.postpone(100.0, 0.1, "not yet")
    cursor.postpone(104.0, 5.0, "still not")
    assert not cursor.is_tried_in_vain(105.0)
    assert cursor.is_tried_in_vain(105.1)
    assert (cursor.retry_at, cursor.retries, cursor.retry_reason) == (109.0, 2, "still not")
    cursor.advance(6)
    assert not cursor.is_tried_in_vain(200.0)
    assert cursor.retries == 0
