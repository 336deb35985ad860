"""Text of a roll file to rows of cells, each with the line where it starts.

Promises that a broken row costs that row only: after a quote that is never closed reading goes on
with the next line. Never raises for what a file contains.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

MAX_LINES_PER_ROW = 20
"""A quoted cell may hold line breaks, an address has few: beyond this a quote is missing."""

DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row; `line` counts from 1. `fault` is set where it couldn't be read."""

    line: int
    cells: list[str]
    fault: str = ""


class _RunawayQuote(Exception):
    """More lines were drawn for one row than a row can have."""


class _Lines:
    """Feeds lines to the CSV reader and can be set back to where a row began."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self.position = 0
        self.row_start = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.position >= len(self._lines):
            raise StopIteration
        if self.position - self.row_start >= MAX_LINES_PER_ROW:
            raise _RunawayQuote
        self.position += 1
        return self._lines[self.position - 1]


def split_lines(text: str) -> list[str]:
    """The lines of a text with their ends; only CR, LF and CRLF end a line."""
    return list(io.StringIO(text, newline=""))


def read_rows(lines: list[str], delimiter: str) -> Iterator[Row]:
    """Every row that isn't blank, in order; a broken one has a `fault` and its raw first line."""
    feed = _Lines(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=True)
    while True:
        feed.row_start = start = feed.position
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _RunawayQuote:
            feed.position = start + 1
            yield Row(start + 1, [lines[start].rstrip("\r\n")], "A quotation mark is never closed.")
        except csv.Error as error:
            feed.position = start + 1
            yield Row(start + 1, [lines[start].rstrip("\r\n")], _in_words(error))
        else:
            if any(cell and not cell.isspace() for cell in cells):
                yield Row(start + 1, cells)


def _in_words(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end of data" in text:
        return "A quotation mark is never closed."
    if "expected after" in text:
        return "Something follows a closing quotation mark."
    if "field larger than" in text:
        return "A cell is too long."
    return "The row is no valid CSV."
