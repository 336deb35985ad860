"""The header of a roll file: which column means what, under the names that people give them.

Promises that no column is used by its place, that two columns never compete for one meaning, and
that a missing column is named.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from services.identity.domain.answers import squeeze
from services.identity.domain.dates import DateOrder
from services.identity.domain.faults import RollUnreadable
from services.identity.domain.rows import DELIMITERS, Row, read_rows
from shared.contracts.elections import Fact

Meaning = Literal[
    "membership_number",
    "full_name",
    "first_names",
    "surname",
    "date_of_birth",
    "postcode",
    "year_joined",
    "address",
    "email",
]

MAX_COLUMNS = 200

_NAMES: dict[Meaning, str] = {
    "membership_number": (
        "membershipnumber membershipno membershipnum membershipid membershipref membershipreference"
        " membernumber memberno membernum memberid memberref memberreference memno memnr"
        " membershipnr membernr memid studentnumber studentid studentno"
    ),
    "full_name": "name fullname membername electorname displayname",
    "first_names": (
        "firstname firstnames forename forenames givenname givennames christianname first fname"
    ),
    "surname": "surname lastname familyname secondname last lname surnames",
    "date_of_birth": "dateofbirth dob birthdate birthday dateborn born birthdob",
    "postcode": "postcode postalcode postcd pcode zip zipcode",
    "year_joined": (
        "yearjoined joined joinedyear joinyear yearofjoining datejoined joindate joiningdate"
        " joineddate joinedon membersince dateofjoining yearofmembership"
    ),
    "address": (
        "address fulladdress postaladdress mailingaddress homeaddress street streetaddress house"
        " housename housenumber flat town city towncity posttown cityortown locality district"
        " village county region country"
    ),
    "email": "email emailaddress eaddress",
}
_MEANINGS = {name: meaning for meaning, names in _NAMES.items() for name in names.split()}
_ADDRESS_LINE = re.compile(r"(postal|home|mailing)?(address|addr|add)(line)?[1-9]|line[1-9]")
_BRACKETS = re.compile(r"[(\[].*?[)\]]")
_DAY_FIRST = re.compile(r"\bd{1,2}[-/. ]?m{1,3}[-/. ]?y{2,4}\b", re.IGNORECASE)
_MONTH_FIRST = re.compile(r"\bm{1,2}[-/. ]?d{1,2}[-/. ]?y{2,4}\b", re.IGNORECASE)
_IN_WORDS: dict[str, str] = {
    "membership_number": "Membership number",
    "surname": "Surname",
    "date_of_birth": "Date of birth",
    "postcode": "Postcode",
    "year_joined": "Year joined",
}


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a file: `meanings[i]` is what column i holds, None where it isn't used."""

    line: int
    delimiter: str
    titles: tuple[str, ...]
    meanings: tuple[Meaning | None, ...]
    date_order: DateOrder | None

    def index(self, meaning: Meaning) -> int | None:
        """The column that holds this, or None."""
        return self.meanings.index(meaning) if meaning in self.meanings else None

    def indices(self, meaning: Meaning) -> tuple[int, ...]:
        """The columns that hold parts of this, in the file's order."""
        return tuple(i for i, found in enumerate(self.meanings) if found == meaning)


def meaning_of(title: str) -> Meaning | None:
    """What a column with this title holds: case, spaces, punctuation and brackets don't matter."""
    for text in (title, _BRACKETS.sub("", title)):
        squeezed = squeeze(text)
        if (found := _MEANINGS.get(squeezed)) is not None:
            return found
        if _ADDRESS_LINE.fullmatch(squeezed):
            return "address"
    return None


def read_header(lines: list[str], facts: Collection[Fact]) -> Header:
    """The header of the file, under the delimiter that makes most sense of its first row.

    `facts` must each have a column, as must number and name; raises RollUnreadable otherwise.
    """
    candidates = [found for mark in DELIMITERS if (found := _under(lines, mark)) is not None]
    if not candidates:
        raise RollUnreadable(1, "The file is empty.")
    header = max(candidates, key=lambda found: len(found.meanings) - found.meanings.count(None))
    _require_sane(header)
    _require_columns(header, facts)
    return header


def first_row(lines: list[str], delimiter: str) -> Row | None:
    """The first row that says something; Excel's `sep=;` line doesn't."""
    for row in read_rows(lines[:40], delimiter):
        if not (row.line == 1 and row.cells[0].strip().lower().startswith("sep=")):
            return row
    return None


def _under(lines: list[str], delimiter: str) -> Header | None:
    row = first_row(lines, delimiter)
    if row is None:
        return None
    titles = tuple(cell.strip() for cell in row.cells)
    return Header(
        row.line, delimiter, titles, tuple(map(meaning_of, titles)), _announced_order(titles)
    )


def _announced_order(titles: Sequence[str]) -> DateOrder | None:
    text = " ".join(titles)
    is_day_first, is_month_first = _DAY_FIRST.search(text), _MONTH_FIRST.search(text)
    if bool(is_day_first) == bool(is_month_first):
        return None
    return "day_first" if is_day_first else "month_first"


def _require_sane(header: Header) -> None:
    if len(header.titles) > MAX_COLUMNS:
        raise RollUnreadable(header.line, f"There are more than {MAX_COLUMNS} columns.")
    for meaning in _NAMES:
        places = header.indices(meaning)
        if len(places) > 1 and meaning != "address":
            titles = " and ".join(repr(header.titles[i][:60]) for i in places[:2])
            raise RollUnreadable(header.line, f"Columns {titles} mean the same: remove one.")


def _require_columns(header: Header, facts: Collection[Fact]) -> None:
    missing = [
        _IN_WORDS[fact]
        for fact in ("membership_number", *sorted(set(facts) - {"membership_number"}))
        if header.index(fact) is None
    ]
    if header.index("full_name") is None and header.index("surname") is None:
        missing = [*(title for title in missing if title != "Surname"), "Surname or Name"]
    if missing:
        found = ", ".join(repr(title[:40]) for title in header.titles[:12])
        raise RollUnreadable(
            header.line, f"These columns are missing: {', '.join(missing)}. Found: {found}."
        )
