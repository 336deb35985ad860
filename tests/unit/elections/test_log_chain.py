"""The chain of hashes over a partition of rights: every record, in order, and nothing else."""

from dataclasses import dataclass, field
from hashlib import sha256

import pytest

from services.elections.domain.log_chain import START, along, extended, record_text
from shared.testing.promises import promise


@dataclass(frozen=True)
class Entry:
    """A record as the broker has it."""

    offset: int
    timestamp: int = 1_700_000_000_000
    key: bytes | None = b"k"
    value: bytes | None = b"value"
    headers: tuple[tuple[str, bytes], ...] = field(default=(("ce_id", b"1"), ("ce_type", b"t")))


RECORDS = [Entry(0), Entry(1, value=None, headers=()), Entry(2, key=None), Entry(3)]


def _head(records: list[Entry], head: bytes = START) -> bytes:
    for record in records:
        head = extended(head, record)
    return head


def test_the_text_of_a_record_is_what_the_readme_says() -> None:
    """Somebody who reads the README computes the same hash from a dump of topics."""
    assert record_text(Entry(7, 1234, b"k", b"v", (("h", b"xyz"),))) == b"7|1234|1:k1:v1:h3:xyz"
    assert record_text(Entry(7, 1234, None, None, ())) == b"7|1234|--"
    text = sha256(record_text(RECORDS[0])).digest()
    assert extended(START, RECORDS[0]) == sha256(bytes(32) + text).digest()


@promise("P10")
@pytest.mark.parametrize("cut", range(5))
def test_the_chain_does_not_depend_on_how_records_come_in_batches(cut: int) -> None:
    """Wherever a fetch ends, the hash at each place is the same."""
    whole = dict(along(START, RECORDS))
    first = dict(along(START, RECORDS[:cut]))
    then = dict(along(first.get(cut - 1, START), RECORDS[cut:]))
    assert first | then == whole
    assert whole[3] == _head(RECORDS)


@promise("P10")
@pytest.mark.parametrize(
    "changed",
    [
        Entry(1, 1_700_000_000_001, value=None, headers=()),
        Entry(1, key=b"", value=None, headers=()),
        Entry(1, key=None, value=None, headers=()),
        Entry(1, value=b"", headers=()),
        Entry(1, value=None, headers=(("a", b""),)),
        Entry(9, value=None, headers=()),
    ],
)
def test_every_part_of_a_record_is_in_the_hash(changed: Entry) -> None:
    """Place, stamp, key, value and headers: none can be changed without the hash showing it."""
    assert _head([RECORDS[0], changed]) != _head(RECORDS[:2])


def test_parts_cannot_be_shifted_into_each_other() -> None:
    """The end of the key isn't the beginning of the value."""
    one = Entry(0, key=b"1:", value=b"x", headers=())
    other = Entry(0, key=b"", value=b"1:x", headers=())
    assert record_text(one) != record_text(other)


def test_a_removed_or_swapped_record_changes_the_hash() -> None:
    """Order and number count."""
    assert _head(RECORDS[1:]) != _head(RECORDS)
    assert _head([RECORDS[1], RECORDS[0], *RECORDS[2:]]) != _head(RECORDS)
