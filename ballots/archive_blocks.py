"""The outside of an archive: an old-style tar of which every byte follows from names and contents.

Promises one encoding per entry, and that whatever is read is that encoding. Must never look at what
an entry says. Trusts nothing: sizes are held against the bytes that are there before they are used.

Source: Belenios 3.3 specification, "Archive"; POSIX.1-1988 tar without `ustar` and end blocks.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO, Final, NamedTuple

from ballots.errors import ArchiveRefused

BLOCK: Final = 512
MAX_NAME_BYTES: Final = 100
MAX_TIMESTAMP: Final = 8**11 - 1
# A list of four million credentials fits; nothing else comes near.
MAX_CONTENT_BYTES: Final = 300_000_000


class Block(NamedTuple):
    """One entry as it lies in the archive: `start` is where its content begins."""

    number: int
    name: str
    start: int
    timestamp: int
    content: bytes


def encode(name: str, content: bytes, timestamp: int) -> bytes:
    """Return header, content and padding of one entry; `timestamp` in seconds since 1970."""
    return header(name, len(content), timestamp) + content + bytes(-len(content) % BLOCK)


def header(name: str, size: int, timestamp: int) -> bytes:
    """Return the 512 bytes before a content: mode 644, nobody's, no magic."""
    if not 0 <= timestamp <= MAX_TIMESTAMP:
        raise ArchiveRefused(f"{timestamp} is no time in seconds that a header can hold")
    fields = (
        name.encode("ascii").ljust(MAX_NAME_BYTES, b"\0"),
        b"0000644\x000000000\x000000000\x00",
        b"%011o\x00%011o\x00" % (size, timestamp),
    )
    before, after = b"".join(fields), b"0".ljust(BLOCK - 156, b"\0")
    checksum = sum(before) + 8 * ord(" ") + ord("0")
    return before + b"%06o\x00 " % checksum + after


def read(source: BinaryIO, timestamp: int | None) -> Iterator[Block]:
    """Yield the entries from where the source stands; raises ArchiveRefused for any other form.

    Without a timestamp the first header's is taken, and every other one must have the same.
    """
    position = source.tell()
    end = source.seek(0, 2)
    source.seek(position)
    number = 0
    while position < end:
        block = source.read(BLOCK)
        if timestamp is None:
            timestamp = _octal(block[136:147], number)
        name, size = _name(block, number), _octal(block[124:135], number)
        start, padded = position + BLOCK, size + -size % BLOCK
        if len(block) < BLOCK or start + padded > end or size > MAX_CONTENT_BYTES:
            raise ArchiveRefused(f"entry {number} is cut off, or longer than anything known")
        content = source.read(padded)
        if block != header(name, size, timestamp) or any(content[size:]):
            raise ArchiveRefused(f"entry {number} has another header or padding than it should")
        yield Block(number, name, start, timestamp, content[:size])
        position, number = start + padded, number + 1


def opened(source: bytes | BinaryIO) -> BinaryIO:
    """Return the bytes as a file, from its beginning; a file must be seekable and stay as it is."""
    if isinstance(source, bytes):
        return BytesIO(source)
    source.seek(0)
    return source


def _name(block: bytes, number: int) -> str:
    try:
        return block[:MAX_NAME_BYTES].rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError:
        raise ArchiveRefused(f"entry {number} has no name") from None


def _octal(digits: bytes, number: int) -> int:
    # Whatever else int() would let pass (signs, spaces) fails when the header is compared.
    try:
        return int(digits, 8)
    except ValueError:
        raise ArchiveRefused(f"entry {number} has no octal length or time") from None
