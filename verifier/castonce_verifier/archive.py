"""The file: a run of 512-byte blocks, each entry a header and its content.

Promises that every entry stands there in the one form that the format allows: header, name,
padding, hash. Knows nothing of an election. A file that can't be followed to its end is
`Unreadable`; an entry that can be found but isn't as it must be is `Refused`.

Source: specification, "Public data".
"""

import mmap
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final, Literal, NamedTuple

from castonce_verifier.faults import Fault, Unreadable, blaming, require
from castonce_verifier.strict_json import natural, read_compact, record, text

BLOCK: Final = 512
FIRST_NAME: Final = "BELENIOS"
MAX_FIRST_BYTES: Final = 100

_NAME: Final = re.compile(r"([0-9a-f]{64})\.(data|event)\.json")
_OCTAL: Final = re.compile(rb"[0-7]{11}")
_SECONDS: Final = re.compile(r"0|[1-9][0-9]{0,9}")


class Entry(NamedTuple):
    """One record of the archive; its content lies at `start` in the file."""

    number: int
    kind: Literal["data", "event"]
    digest: str
    start: int
    size: int

    def __str__(self) -> str:
        return f"entry {self.number} ({self.digest}.{self.kind}.json)"


class Archive:
    """A file whose blocks, names and hashes hold, and its entries in order."""

    def __init__(self, content: bytes | mmap.mmap) -> None:
        """Check the whole file; raises `Unreadable` or `Refused`."""
        self._content = content
        self.entries: list[Entry] = list(self._read())

    @classmethod
    def open(cls, path: Path) -> "Archive":
        """Read a file, without holding it in memory."""
        try:
            with path.open("rb") as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise Unreadable(f"{path} can't be read: {error}") from error
        return cls(content)

    def content(self, entry: Entry) -> bytes:
        """Return the bytes of an entry."""
        return self._content[entry.start : entry.start + entry.size]

    @property
    def size(self) -> int:
        """How many bytes the file has."""
        return len(self._content)

    def sha256(self) -> str:
        """Return the hash of the whole file."""
        return sha256(self._content).hexdigest()

    def _read(self) -> Iterator[Entry]:
        start, seconds = self._read_first()
        seen: set[str] = set()
        number = 1
        while start < len(self._content):
            name, size = self._follow(start, number)
            with blaming(f"entry {number} ({name})"):
                entry = self._read_entry(number, name, size, start + BLOCK, seconds)
                require(entry.digest not in seen, "stands in the archive a second time")
            seen.add(entry.digest)
            yield entry
            start, number = self._end(start, size), number + 1

    def _read_first(self) -> tuple[int, int]:
        """Check the entry that names the format; return where the next starts, and the time."""
        name, size = self._follow(0, 0)
        if name != FIRST_NAME:
            raise Unreadable("the file doesn't begin with the entry BELENIOS: it is no archive")
        with blaming(f"entry 0 ({FIRST_NAME})"):
            require(size <= MAX_FIRST_BYTES, f"is longer than it can be: {size} bytes")
            fields = record(read_compact(self._body(BLOCK, size)), "version", "timestamp")
            require(natural(fields["version"]) == 1, "is of a version other than 1")
            stamp = text(fields["timestamp"])
            require(_SECONDS.fullmatch(stamp) is not None, "has no time in whole seconds")
            self._require_form(0, name, size, int(stamp))
        return self._end(0, size), int(stamp)

    def _follow(self, start: int, number: int) -> tuple[str, int]:
        """Return the name and size that a header gives, if the file holds all of the entry."""
        header = self._content[start : start + BLOCK]
        if not _OCTAL.fullmatch(header[124:135]):
            raise Unreadable(f"the file can't be followed at entry {number}: cut or damaged")
        size = int(header[124:135], 8)
        if self._end(start, size) > len(self._content):
            raise Unreadable(f"the file ends within entry {number}: it was cut")
        return header[:100].split(b"\0")[0].decode("ascii", "backslashreplace"), size

    def _read_entry(self, number: int, name: str, size: int, start: int, seconds: int) -> Entry:
        found = _NAME.fullmatch(name)
        if found is None:
            raise Fault("has a name that is none of the format's")
        self._require_form(start - BLOCK, name, size, seconds)
        # A view, for an entry may say that it is as large as the file.
        with memoryview(self._content) as content:
            named = sha256(content[start : start + size]).hexdigest()
        require(named == found[1], f"has the hash {named}: it was changed")
        return Entry(number, "data" if found[2] == "data" else "event", named, start, size)

    def _require_form(self, start: int, name: str, size: int, seconds: int) -> None:
        """Header and padding have one form only, so that one election has one archive."""
        header = self._content[start : start + BLOCK]
        require(header == canonical_header(name, size, seconds), "has a header of another form")
        padding = self._content[start + BLOCK + size : self._end(start, size)]
        require(not any(padding), "has something behind its end")

    def _body(self, start: int, size: int) -> bytes:
        return self._content[start : start + size]

    @staticmethod
    def _end(start: int, size: int) -> int:
        return start + BLOCK + -(-size // BLOCK) * BLOCK


def canonical_header(name: str, size: int, seconds: int) -> bytes:
    """Return the only header that an entry of this name and size may have."""
    fields = b"0000644\0" + b"0000000\0" * 2 + b"%011o\0%011o\0" % (size, seconds)
    front = name.encode().ljust(100, b"\0") + fields
    # The sum of all bytes, its own eight taken as spaces.
    total = sum(front) + 8 * ord(" ") + ord("0")
    return (front + b"%06o\0 0" % total).ljust(BLOCK, b"\0")
