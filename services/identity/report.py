"""What an official is told about a roll file: counts, first rows, duplicates, what would change.

Goes to the official who sent the file, and nowhere else.
"""

from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from services.identity.domain.doubles import Duplicate
from services.identity.domain.plan import Placed, Plan
from services.identity.domain.roll import BadRow, Elector, Roll

FIRST_ROWS = 5
EXAMPLES = 20
BAD_ROWS_PER_LINE = 500


class ColumnRead(Struct, frozen=True):
    """A column of the file and what it was taken for; '' where it isn't used."""

    title: str
    meaning: str


class FirstRow(Struct, frozen=True):
    """A row as it was understood, so that a person sees dates and accents come out right."""

    line: int
    membership_number: str
    name: str
    address: str
    postcode: str
    answers: dict[str, str]


class DuplicateLines(Struct, frozen=True):
    """Lines that share a membership number, or seem to be one person under several numbers."""

    kind: Literal["membership_number", "person"]
    lines: list[int]


class BadRowTold(Struct, frozen=True):
    """A row that is no elector."""

    line: int
    reason: str
    cells: list[str]


class RollReport(Struct, frozen=True, kw_only=True):
    """What a file holds and what its import did, or would do.

    `electors_in_database` and `events_in_log` count the whole roll of the election.
    """

    dry_run: bool
    imported: bool
    encoding: str
    delimiter: str
    date_order: str
    columns: list[ColumnRead]
    rows: int
    good_rows: int
    bad_rows: int
    added: int
    changed: int
    unchanged: int
    absent: int
    electors_in_database: int
    events_in_log: int
    first_rows: list[FirstRow]
    duplicates: list[DuplicateLines]
    changed_numbers: list[str]
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class Counts:
    """What database and log hold of the election's roll after the import."""

    electors: int
    events: int
    is_imported: bool


def make_report(is_dry_run: bool, roll: Roll, plan: Plan, counts: Counts) -> RollReport:
    """The report of a file; first rows are shown by a dry run only."""
    return RollReport(
        dry_run=is_dry_run,
        imported=counts.is_imported,
        encoding=roll.encoding,
        delimiter=roll.header.delimiter,
        date_order=roll.date_order,
        columns=[
            ColumnRead(title, meaning or "")
            for title, meaning in zip(roll.header.titles, roll.header.meanings, strict=True)
        ],
        rows=roll.row_count,
        good_rows=len(roll.electors),
        bad_rows=len(roll.bad_rows),
        added=len(plan.added),
        changed=len(plan.changed),
        unchanged=plan.unchanged,
        absent=plan.absent,
        electors_in_database=counts.electors,
        events_in_log=counts.events,
        first_rows=[_first_row(one) for one in roll.electors[:FIRST_ROWS]] if is_dry_run else [],
        duplicates=[_duplicate(found) for found in roll.duplicates],
        changed_numbers=[_number(one) for one in plan.changed[:EXAMPLES]],
        warnings=list(roll.warnings),
    )


def told(rows: list[BadRow]) -> list[BadRowTold]:
    """Bad rows as they are sent."""
    return [BadRowTold(row.line, row.reason, list(row.cells)) for row in rows]


def _first_row(elector: Elector) -> FirstRow:
    return FirstRow(
        line=elector.line,
        membership_number=elector.membership_number,
        name=f"{elector.first_names} {elector.surname}".strip(),
        address=", ".join(elector.address),
        postcode=elector.postcode,
        answers=dict(elector.answers),
    )


def _duplicate(found: Duplicate) -> DuplicateLines:
    return DuplicateLines(found.kind, list(found.lines))


def _number(placed: Placed) -> str:
    return placed.elector.membership_number
