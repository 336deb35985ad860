"""Bytes of a roll file to text, whatever program saved it.

Promises that text is never guessed into nonsense: bytes that fit no encoding, or two at once, are
refused with their line. Knows UTF-8 and UTF-16 with or without byte order mark, and Windows-1252.
"""

import codecs
import re
from dataclasses import dataclass

from services.identity.domain.faults import RollUnreadable

MAX_FILE_BYTES = 64 * 1024 * 1024
"""A million rows of 64 bytes; bounds memory."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_BYTES = 4096
# Latin letters as UTF-8 writes them. In Windows-1252 such a pair is "Ã©", which no name has.
_UTF8_PAIR = re.compile(rb"[\xc3-\xc5][\x80-\xbf]")
_LINE_END = re.compile("\r\n|\n|\r")
_LINE_END_BYTES = re.compile(b"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file and the name of the encoding that it was in."""

    text: str
    encoding: str


def decode(content: bytes) -> Decoded:
    """The text of the file, without byte order mark; raises RollUnreadable naming the line."""
    if len(content) > MAX_FILE_BYTES:
        raise RollUnreadable(1, f"The file is larger than {MAX_FILE_BYTES // 2**20} MiB.")
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return Decoded(_strictly(content[len(mark) :], encoding), encoding)
    if (wide := _wide_encoding(content)) is not None:
        return Decoded(_strictly(content, wide), wide)
    try:
        return Decoded(content.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        return _decode_windows(content, error.start)


def _wide_encoding(content: bytes) -> str | None:
    """UTF-16 without a mark shows as zeros in every other byte of mostly Latin text."""
    sample = content[:_SAMPLE_BYTES]
    half = len(sample) // 2
    if half == 0 or len(content) % 2:
        return None
    if sample[1::2].count(0) > half * 0.6 and sample[0::2].count(0) == 0:
        return "utf-16-le"
    if sample[0::2].count(0) > half * 0.6 and sample[1::2].count(0) == 0:
        return "utf-16-be"
    return None


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "replace")
        line = 1 + len(_LINE_END.findall(before))
        raise RollUnreadable(
            line, f"This is no {encoding.upper()} text. Save the file again as CSV UTF-8."
        ) from error


def _decode_windows(content: bytes, not_utf8_at: int) -> Decoded:
    if (pair := _UTF8_PAIR.search(content)) is not None:
        raise RollUnreadable(
            _line_at(content, min(pair.start(), not_utf8_at)),
            "Some lines are UTF-8 and others are not. Save the file again as CSV UTF-8.",
        )
    try:
        return Decoded(content.decode("cp1252"), "cp1252")
    except UnicodeDecodeError as error:
        raise RollUnreadable(
            _line_at(content, error.start),
            f"Byte 0x{content[error.start]:02X} is no letter in UTF-8 or Windows-1252. "
            "Save the file again as CSV UTF-8.",
        ) from error


def _line_at(content: bytes, position: int) -> int:
    return 1 + len(_LINE_END_BYTES.findall(content[:position]))
