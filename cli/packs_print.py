"""Joining three files into letters, on the printer's own machine: codes, serials, addresses.

Promises that each right gets the code of its own pack, that nothing is written unless all three
files are whole and fit together, that the output appears whole or not at all and is the same when
it is made again, and that no cell runs as a formula. Must never show or log a code or an address.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from ballots import codes
from ballots.errors import BallotError
from cli.packs_files import private_file
from cli.packs_sealed import SealedCodes
from cli.screen import CliError
from cli.spreadsheet import safe_cell
from shared.contracts.fields import RightId, Serial

MAX_LINE_BYTES: Final = 64 * 1024
OnProgress = Callable[[int, int], None]
T = TypeVar("T")


class AssignmentLine(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the export of `codes`."""

    serial: Serial
    right_id: RightId


class AddressLine(Struct, frozen=True):
    """One line of the export of `identity`; whatever else it tells isn't printed."""

    right_id: RightId
    name: str
    address: list[str]
    postcode: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter; the code is secret."""

    serial: str
    code: str = field(repr=False)
    to: AddressLine = field(repr=False)


def join(
    sealed: SealedCodes,
    assignments: Path,
    addresses: Path,
    only: Collection[str] = (),
) -> list[Letter]:
    """The letters in the order of the addresses; with `only`, those of these serials.

    Raises CliError when a file isn't whole, or the files don't fit together.
    """
    serial_of = read_assignments(assignments, sealed.header.election)
    unknown = next((one for one in serial_of.values() if one not in sealed.codes), None)
    if unknown is not None:
        raise CliError(
            f"The pack {grouped_serial(unknown)} isn't in the file of sealed codes.",
            "Take the sealed file that was made together with the imported registration.",
        )
    missing = set(only) - set(serial_of.values())
    if missing:
        raise CliError(
            f"The pack {grouped_serial(min(missing))} stands for nobody.",
            "Export the assignments again: a replacement counts once it was accepted.",
        )
    wanted = {right: serial for right, serial in serial_of.items() if not only or serial in only}
    return _addressed(sealed.codes, wanted, addresses)


def _addressed(
    code_of: Mapping[str, str], serial_of: Mapping[str, str], addresses: Path
) -> list[Letter]:
    letters = [
        Letter(serial_of[line.right_id], code_of[serial_of[line.right_id]], line)
        for line in read_addresses(addresses)
        if line.right_id in serial_of
    ]
    if len({letter.serial for letter in letters}) != len(letters):
        raise CliError("The addresses name one right twice.", "Export the addresses again.")
    if len(letters) != len(serial_of):
        raise CliError(
            f"{len(serial_of) - len(letters)} packs have no address.",
            "Export both files again, one right after the other: the roll may have changed.",
        )
    return letters


def read_assignments(path: Path, election_id: str) -> dict[str, str]:
    """Serial by right; raises CliError unless the export is whole and of this election."""
    *lines, end = _parsed(path)
    told = end.get("end") or {}
    if told.get("assignments") != len(lines):
        raise _cut_off(path)
    if told.get("election_id") != election_id:
        raise CliError(
            f"{path} is of another election than the sealed codes.", "Take the files of one."
        )
    serial_of: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        found = _converted(line, AssignmentLine, path, number)
        if not _is_serial(found.serial) or found.right_id in serial_of:
            raise _wrong(path, number)
        serial_of[found.right_id] = found.serial
    if len(set(serial_of.values())) != len(serial_of):
        raise CliError(f"{path} gives one pack to two rights.", "Don't print it; ask the officer.")
    return serial_of


def read_addresses(path: Path) -> Iterator[AddressLine]:
    """The addresses, in order; raises CliError unless the export is whole."""
    *lines, end = _parsed(path)
    if (end.get("end") or {}).get("addresses") != len(lines):
        raise _cut_off(path)
    for number, line in enumerate(lines, start=1):
        yield _converted(line, AddressLine, path, number)


def write_letters(
    letters: Sequence[Letter],
    election_id: str,
    booth_url: str,
    out: Path,
    on_progress: OnProgress = lambda done, total: None,
) -> None:
    """Write the mail-merge file: UTF-8 with mark, CRLF, mode 0600, every cell quoted."""
    depth = max((len(letter.to.address) for letter in letters), default=1)
    header = ["name", *(f"address_{line}" for line in range(1, depth + 1)), "postcode"]
    with private_file(out) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", write_through=True)
        writer = csv.writer(text, quoting=csv.QUOTE_ALL)
        writer.writerow([*header, "serial", "code", "link"])
        for number, letter in enumerate(letters, start=1):
            writer.writerow(_row(letter, depth, election_id, booth_url))
            if number % 5_000 == 0:
                on_progress(number, len(letters))
        text.detach()
    on_progress(len(letters), len(letters))


def _row(letter: Letter, depth: int, election_id: str, booth_url: str) -> list[str]:
    to = letter.to
    address = [*to.address, *[""] * (depth - len(to.address))]
    return [
        *(_cell(text) for text in (to.name, *address, to.postcode)),
        # Hyphens keep a spreadsheet from reading a serial of digits as a number.
        grouped_serial(letter.serial),
        codes.grouped(letter.code),
        voting_link(booth_url, election_id, letter.code),
    ]


def voting_link(booth_url: str, election_id: str, code: str) -> str:
    """The link for the QR code: the code is in the fragment, which no browser sends."""
    return f"{booth_url.rstrip('/')}/{election_id}#{code}"


def grouped_serial(serial: str) -> str:
    """A serial as it is printed: in groups of four."""
    return "-".join(serial[at : at + 4] for at in range(0, len(serial), 4))


def _cell(text: str) -> str:
    # Line breaks and odd spaces become one space: a cell is one line of a letter.
    return safe_cell(" ".join(text.split()))


def _is_serial(text: str) -> bool:
    try:
        return codes.serial_canonical(text) == text
    except BallotError:
        return False


def _parsed(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    try:
        with path.open("rb") as stream:
            while line := stream.readline(MAX_LINE_BYTES):
                if not line.endswith(b"\n"):
                    raise _cut_off(path)
                found.append(msgspec.json.decode(line, type=dict[str, Any]))
    except OSError as error:
        fault = type(error).__name__
        raise CliError(f"{path} can't be read ({fault}).", "Check the path.") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _wrong(path, len(found) + 1) from None
    if not found:
        raise _cut_off(path)
    return found


def _converted(line: dict[str, Any], kind: type[T], path: Path, number: int) -> T:
    try:
        return msgspec.convert(line, kind)
    except msgspec.ValidationError:
        raise _wrong(path, number) from None


def _cut_off(path: Path) -> CliError:
    return CliError(f"{path} isn't whole: its last line is missing.", "Export it again.")


def _wrong(path: Path, number: int) -> CliError:
    return CliError(f"{path}: line {number} isn't what an export holds.", "Export it again.")
