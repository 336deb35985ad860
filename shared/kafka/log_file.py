"""The law in a file: every record with its place and the stamp that the broker gave it.

Promises that what is read back is what was written, in log order within each partition, so that a
replay from it decides the same as one from the broker. Must never be produced to a broker again:
it would get other stamps, and so be another law. Holds sealed ballots by right: keep it closed.

The file is a line `castonce-law-1`, then frames of a 4-byte big-endian length and MessagePack. A
frame [topic, partition, end] begins a partition; [offset, stamp, stamp type, key, value, headers]
is one of its records.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec
from aiokafka.structs import ConsumerRecord

from shared.errors import CastonceError
from shared.kafka.decoding import Raw
from shared.kafka.replay import Log
from shared.postgres.offsets import Place

MAGIC = b"castonce-law-1\n"
LENGTH_BYTES = 4
MOST = 1000

_Heading = tuple[str, int, int]
_Entry = tuple[int, int, int, bytes | None, bytes | None, list[tuple[str, bytes | None]]]
_PACKER = msgspec.msgpack.Encoder()
_HEADINGS = msgspec.msgpack.Decoder(_Heading)
_ENTRIES = msgspec.msgpack.Decoder(_Entry)


class NotALaw(CastonceError):
    """The file is no dump of topics, or was cut short: make it anew, `castonce replay --dump`."""

    code = "not_a_law"


async def write(
    path: Path, log: Log, ends: Mapping[Place, int], tell: Callable[[int], None] | None = None
) -> int:
    """Write every record before these ends to a new file that only its owner reads; their number.

    Raises FileExistsError, or ReplayFailed when the log doesn't reach so far.
    """
    opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "wb") as file:
        file.write(MAGIC)
        for place, end in sorted(ends.items()):
            _put(file, _PACKER.encode((*place, end)))
            async for records in log.read(place, end, MOST):
                for raw in records:
                    _put(file, _packed(raw))
                if tell is not None:
                    tell(len(records))
    return sum(ends.values())


def _put(file: BinaryIO, body: bytes) -> None:
    file.write(len(body).to_bytes(LENGTH_BYTES, "big"))
    file.write(body)


def _packed(raw: Raw) -> bytes:
    entry = (raw.offset, raw.timestamp, raw.timestamp_type, raw.key, raw.value, list(raw.headers))
    return _PACKER.encode(entry)


class FileLog:
    """A law read from a file; implements `replay.Log`."""

    def __init__(self, path: Path) -> None:
        """Finds the partitions; raises NotALaw, or OSError."""
        self._path = path
        self.ends: dict[Place, int] = {}
        self._starts: dict[Place, int] = {}
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise NotALaw(f"{path} is no dump of topics.")
            size = path.stat().st_size
            while file.tell() < size:
                topic, partition, end = _heading(file)
                self.ends[topic, partition] = end
                self._starts[topic, partition] = file.tell()
                for _ in range(end):
                    _skip(file)
            if file.tell() != size:
                raise NotALaw(f"{path} is cut short.")

    async def read(
        self, place: Place, end: int, most: int, begin: int = 0
    ) -> AsyncIterator[Sequence[Raw]]:
        """See `Log.read`; raises NotALaw when the file doesn't reach so far."""
        if end > self.ends.get(place, 0):
            raise NotALaw(
                f"{self._path} holds {self.ends.get(place, 0)} records of {place[0]}[{place[1]}],"
                f" but {end} were applied: make a newer one."
            )
        with self._path.open("rb") as file:
            file.seek(self._starts[place])
            for _ in range(begin):
                _skip(file)
            for first in range(begin, end, most):
                yield [_record(place, _next(file)) for _ in range(min(most, end - first))]


def _next(file: BinaryIO) -> bytes:
    length = int.from_bytes(file.read(LENGTH_BYTES), "big")
    body = file.read(length)
    if not body or len(body) != length:
        raise NotALaw("the file is cut short.")
    return body


def _heading(file: BinaryIO) -> _Heading:
    try:
        heading: _Heading = _HEADINGS.decode(_next(file))
    except msgspec.DecodeError:
        raise NotALaw("the file is damaged.") from None
    return heading


def _skip(file: BinaryIO) -> None:
    file.seek(int.from_bytes(file.read(LENGTH_BYTES), "big"), os.SEEK_CUR)


def _record(place: Place, body: bytes) -> Raw:
    try:
        offset, stamp_ms, stamp_type, key, value, headers = _ENTRIES.decode(body)
    except msgspec.DecodeError:
        raise NotALaw(f"a record of {place[0]}[{place[1]}] is damaged.") from None
    where = (*place, offset, stamp_ms, stamp_type)
    record: Raw = ConsumerRecord(*where, key, value, None, -1, -1, tuple(headers))
    return record
