"""A roll file to electors: every good row, and every bad one with its line and the reason.

Promises that no row is dropped in silence (good + bad = rows), that a membership number stands for
one elector only, and that whoever seems to be on the roll twice is reported. Never raises for one
row; `RollUnreadable` is for whole files.
"""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from services.identity.domain import cells
from services.identity.domain.answers import canonical, membership_key
from services.identity.domain.columns import Header, Meaning, read_header
from services.identity.domain.dates import (
    DateOrder,
    UnclearDate,
    decide_order,
    parse_date,
    parse_year,
)
from services.identity.domain.doubles import Doubles, Duplicate, Person
from services.identity.domain.encoding import decode
from services.identity.domain.faults import RollUnreadable
from services.identity.domain.rows import Row, read_rows, split_lines
from shared.contracts.elections import Fact

MAX_ROWS = 1_000_000
"""Electors of the largest ballot that this system is made for."""

_STEP = 5_000
"""Rows between two reports of progress."""

OrderChoice = Literal["auto", "day_first", "month_first"]
OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Elector:
    """One good row. `answers` holds canonical answers by fact: never store or show them."""

    line: int
    membership_number: str
    membership_key: str
    first_names: str
    surname: str
    address: tuple[str, ...]
    postcode: str
    email: str
    answers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that is no elector: its line, why, and its cells so that it can be mended."""

    line: int
    reason: str
    cells: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Roll:
    """What a file holds, and how it was read."""

    encoding: str
    header: Header
    date_order: DateOrder
    electors: Sequence[Elector]
    bad_rows: Sequence[BadRow]
    duplicates: Sequence[Duplicate]
    warnings: Sequence[str]

    @property
    def row_count(self) -> int:
        """Rows below the header that aren't blank."""
        return len(self.electors) + len(self.bad_rows)


class _BadCell(Exception):
    """A cell makes its row bad; the text is the reason."""


def read_roll(
    content: bytes,
    facts: Collection[Fact],
    today: date,
    order: OrderChoice = "auto",
    on_progress: OnProgress = lambda stage, done, total: None,
) -> Roll:
    """The electors of a roll file whose election asks for `facts`.

    `order` reads dates such as 3/4/1980; `auto` lets the file decide. Raises RollUnreadable.
    """
    decoded = decode(content)
    lines = split_lines(decoded.text)
    header = read_header(lines, facts)
    rows = _body(lines, header, on_progress)
    date_order, warnings = _date_order(header, rows, order)
    reader = _RowReader(header, facts, today, date_order)
    for number, row in enumerate(rows):
        if number % _STEP == 0:
            on_progress("checking", number, len(rows))
        reader.take(row)
    electors, bad_rows, duplicates = reader.finish()
    return Roll(decoded.encoding, header, date_order, electors, bad_rows, duplicates, warnings)


def _body(lines: list[str], header: Header, on_progress: OnProgress) -> list[Row]:
    rows: list[Row] = []
    for row in read_rows(lines, header.delimiter):
        if row.line <= header.line:
            continue
        if len(rows) >= MAX_ROWS:
            raise RollUnreadable(row.line, f"The file has more than {MAX_ROWS:,} rows.")
        rows.append(row)
        if len(rows) % _STEP == 0:
            on_progress("reading", row.line, len(lines))
    return rows


def _date_order(
    header: Header, rows: Sequence[Row], choice: OrderChoice
) -> tuple[DateOrder, list[str]]:
    """Day or month first: as chosen, as the dates prove, as the header says, else day first."""
    if choice != "auto":
        return choice, []
    columns = [i for meaning in _DATED if (i := header.index(meaning)) is not None]
    texts = [row.cells[i] for i in columns for row in rows if i < len(row.cells)]
    proved = decide_order(texts)
    if proved == "unclear":
        return "unclear", ["Some dates are day/month and others month/day: see the bad rows."]
    if header.date_order is not None and proved not in (None, header.date_order):
        raise RollUnreadable(header.line, "The header announces another order than the dates have.")
    decided = proved or header.date_order
    if decided is None and any("/" in text for text in texts):
        return "day_first", ["No date proves its order: they were read as day/month/year."]
    return decided or "day_first", []


_DATED: tuple[Meaning, ...] = ("date_of_birth", "year_joined")


class _RowReader:
    """Collects the rows of one file under its header."""

    def __init__(
        self, header: Header, facts: Collection[Fact], today: date, order: DateOrder
    ) -> None:
        self._header = header
        self._facts = tuple(facts)
        self._today = today
        self._order = order
        self._places = {meaning: i for i, meaning in enumerate(header.meanings) if meaning}
        self._address = header.indices("address")
        self._electors: list[Elector] = []
        self._bad: list[BadRow] = []
        self._doubles = Doubles()

    def take(self, row: Row) -> None:
        """Add one row as an elector or as a bad row."""
        try:
            elector, person = self._elector(row)
        except _BadCell as problem:
            self._bad.append(BadRow(row.line, str(problem), tuple(row.cells)))
            return
        self._electors.append(elector)
        self._doubles.add(row.line, elector.membership_key, person, row.cells)

    def finish(self) -> tuple[list[Elector], list[BadRow], list[Duplicate]]:
        """Electors, bad rows by line, duplicates; rows that share a number become bad rows."""
        refused = self._doubles.refusals()
        good = [one for one in self._electors if one.line not in refused]
        bad = self._bad + [BadRow(line, why, cells) for line, (why, cells) in refused.items()]
        bad.sort(key=lambda row: row.line)
        return good, bad, self._doubles.duplicates()

    def _elector(self, row: Row) -> tuple[Elector, Person]:
        row_cells = self._clean(row)
        number = self._get(row_cells, "membership_number")
        key = sys.intern(membership_key(number))
        if not key:
            raise _BadCell("The membership number is missing.")
        surname = self._get(row_cells, "surname") or self._get(row_cells, "full_name")
        if not surname:
            raise _BadCell("The name is missing.")
        born = self._date_of_birth(row_cells)
        postcode = self._get(row_cells, "postcode").upper()
        first_names = self._get(row_cells, "first_names")
        elector = Elector(
            line=row.line,
            membership_number=number,
            membership_key=key,
            first_names=first_names,
            surname=surname,
            address=tuple(row_cells[i] for i in self._address if row_cells[i]),
            postcode=postcode,
            email=self._get(row_cells, "email"),
            answers={fact: self._answer(row_cells, fact) for fact in self._facts},
        )
        return elector, (f"{first_names} {surname}", born, postcode)

    def _clean(self, row: Row) -> list[str]:
        if row.fault:
            raise _BadCell(row.fault)
        width = len(self._header.titles)
        if len(row.cells) > width and any(map(str.strip, row.cells[width:])):
            raise _BadCell(f"There are {len(row.cells)} cells under {width} column titles.")
        try:
            made = [cells.clean(text) for text in row.cells[:width]]
        except cells.UnusableCell:
            raise _BadCell(self._unusable(row)) from None
        made.extend([""] * (width - len(made)))
        return made

    def _unusable(self, row: Row) -> str:
        """Which cell of a row can't be used, and why."""
        for title, text in zip(self._header.titles, row.cells, strict=False):
            try:
                cells.clean(text)
            except cells.UnusableCell as problem:
                return f"{title[:40] or 'A cell'} {problem}."
        return "A cell can't be used."

    def _get(self, row_cells: Sequence[str], meaning: Meaning) -> str:
        place = self._places.get(meaning)
        return "" if place is None else row_cells[place]

    def _date_of_birth(self, row_cells: Sequence[str]) -> str:
        text = self._get(row_cells, "date_of_birth")
        if not text:
            return ""
        try:
            born = parse_date(text, self._order)
        except UnclearDate as problem:
            raise _BadCell(f"Date of birth {problem}.") from problem
        if born > self._today:
            raise _BadCell("Date of birth lies in the future.")
        return born.isoformat()

    def _answer(self, row_cells: Sequence[str], fact: Fact) -> str:
        text = self._get(row_cells, fact)
        title = fact.replace("_", " ").capitalize()
        if not text:
            raise _BadCell(f"{title} is missing; the election asks for it.")
        if fact == "year_joined":
            self._require_past_year(text)
        answer = canonical(fact, text, self._order)
        if answer is None:
            raise _BadCell(f"{title} holds no letter or digit.")
        return answer

    def _require_past_year(self, text: str) -> None:
        try:
            year = parse_year(text, self._order)
        except UnclearDate as problem:
            raise _BadCell(f"Year joined {problem}.") from problem
        if year > self._today.year:
            raise _BadCell("Year joined lies in the future.")
