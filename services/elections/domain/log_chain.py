"""The chain of hashes over a partition of rights: one hash that says what stands in it so far.

Promises that the hash depends on every record up to a place, in order, and on nothing else: not on
who reads, when, or how many records at once. Must never skip a record, however malformed.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final, Protocol

START: Final = bytes(32)
"""The chain's hash before the first record."""


class LogRecord(Protocol):
    """A record as the broker has it, and as a dump of topics keeps it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


def record_text(record: LogRecord) -> bytes:
    """What is hashed of a record: place, broker's stamp, key, value and headers, in that order.

    `OFFSET|STAMP|`, then each part as its length in bytes, a colon, and the bytes; `-` where there
    is none. A header is two parts, its name and its value.
    """
    parts: list[bytes | None] = [record.key, record.value]
    for name, value in record.headers:
        parts += [name.encode(), value]
    written = [b"-" if part is None else b"%d:%b" % (len(part), part) for part in parts]
    return b"%d|%d|" % (record.offset, record.timestamp) + b"".join(written)


def extended(head: bytes, record: LogRecord) -> bytes:
    """The chain's hash with one more record: SHA-256 of the hash before and the record's hash."""
    return sha256(head + sha256(record_text(record)).digest()).digest()


def along(head: bytes, records: Sequence[LogRecord]) -> Iterator[tuple[int, bytes]]:
    """Each record's offset, with the chain's hash up to and including it."""
    for record in records:
        head = extended(head, record)
        yield record.offset, head
