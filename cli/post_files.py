"""Files of scans, as a scanner or a spreadsheet writes them: a serial a line, or serial,batch.

Promises that each line has the same scan id whenever the file is read again, so that sending it
twice counts nothing twice, while a serial that stands there twice is two envelopes.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ballots import codes
from ballots.errors import BallotError
from cli.screen import CliError

MAX_SCANS = 1_000_000
MAX_SERIAL = 64
"""Characters of a serial as people may write it, with spaces and hyphens."""

_BATCH = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class ScanLine:
    """One envelope; `serial` is as it was read."""

    line: int
    serial: str
    batch: int
    scan_id: str


def read_scans(path: Path, election_id: str, batch: int) -> list[ScanLine]:
    """Every line that isn't blank; `batch` where a line names none. Raises CliError."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(
            f"{path} can't be read ({type(error).__name__}).", "Give a text file in UTF-8."
        ) from None
    found: list[ScanLine] = []
    seen: Counter[tuple[str, int]] = Counter()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or (number == 1 and line.strip().lower().startswith("serial")):
            continue
        serial, its_batch = _cells(line, number, batch)
        envelope = (_spelt(serial), its_batch)
        seen[envelope] += 1
        scan_id = _scan_id(election_id, *envelope, seen[envelope])
        found.append(ScanLine(number, serial, its_batch, scan_id))
    if len(found) > MAX_SCANS:
        raise CliError(f"{path} has more than {MAX_SCANS:,} scans.", "Split it.")
    return found


def _cells(line: str, number: int, batch: int) -> tuple[str, int]:
    cells = [cell.strip().strip('"') for cell in line.replace(";", ",").split(",")]
    wrong = CliError(f"Line {number} isn't a serial, or a serial and a batch.", "Mend the file.")
    if not 1 <= len(cells[0]) <= MAX_SERIAL or len(cells) > 2:
        raise wrong
    if len(cells) == 1 or not cells[1]:
        return cells[0], batch
    if _BATCH.fullmatch(cells[1]) is None:
        raise wrong
    return cells[0], int(cells[1])


def _spelt(serial: str) -> str:
    """The serial in its one spelling, so that it is the same envelope however it was typed."""
    try:
        return codes.serial_canonical(serial)
    except BallotError:
        return serial


def _scan_id(election_id: str, serial: str, batch: int, occurrence: int) -> str:
    text = f"castonce-scan-v1|{election_id}|{batch}|{serial}|{occurrence}"
    return sha256(text.encode()).hexdigest()[:24]
