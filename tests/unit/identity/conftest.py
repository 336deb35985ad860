"""Roll files for tests: one made-up roll, written the way that different programs write it."""

import csv
import io
from collections.abc import Sequence
from datetime import date

import pytest

from services.identity.domain.roll import OrderChoice, Roll, read_roll
from shared.contracts.elections import Fact

HEADER = ("Membership No", "First name(s)", "Surname", "DOB", "Post code", "Address", "Year joined")
PEOPLE = (
    ("000123", "Zoë Anne", "Brontë-Smith", "31/01/1950", "SW1A 1AA", "1 High St\nHaworth", "1998"),
    ("000124", "Seán", "Ó Néill", "02/03/1961", "bt1 5gs", '"The Cot", Row 2', "2001"),
    ("000125", "Ann", "Müller; née Fox", "29/02/1972", "EH1  1BB", "3,\tQueen Rd", "2015"),
    ("A-99/7", "Jean", "O'Hara", "05/12/1999", "CF10 3NP", "", "1990"),
)


class RollFiles:
    """Writes and reads roll files."""

    header = HEADER
    people = PEOPLE
    today = date(2022, 8, 1)
    facts: tuple[Fact, ...] = ("date_of_birth", "postcode")

    def write(
        self,
        rows: Sequence[Sequence[str]] = PEOPLE,
        header: Sequence[str] = HEADER,
        delimiter: str = ",",
        encoding: str = "utf-8",
        line_end: str = "\r\n",
    ) -> bytes:
        """A file with this header and these rows."""
        out = io.StringIO(newline="")
        # Python's writer quotes a line break only if it is its own.
        quoting = csv.QUOTE_ALL if line_end == "\r" else csv.QUOTE_MINIMAL
        writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
        writer.writerow(header)
        writer.writerows(rows)
        if encoding == "utf-16-be-bom":
            return b"\xfe\xff" + out.getvalue().encode("utf-16-be")
        return out.getvalue().encode(encoding)

    def read(
        self, content: bytes, facts: Sequence[Fact] | None = None, order: OrderChoice = "auto"
    ) -> Roll:
        """The roll in the file, read on a fixed day."""
        return read_roll(content, facts or self.facts, self.today, order)

    def read_rows(self, *rows: Sequence[str], header: Sequence[str] = HEADER) -> Roll:
        """The roll of a file with these rows."""
        return self.read(self.write(rows, header))

    def reasons(self, roll: Roll) -> dict[int, str]:
        """Bad rows: line to reason."""
        return {row.line: row.reason for row in roll.bad_rows}


@pytest.fixture(scope="session")
def rolls() -> RollFiles:
    """Writer and reader of roll files."""
    return RollFiles()
