"""The files of a committee's three steps, told apart by what is in them.

Promises that neither names nor order of files matter, that a file given twice counts once, and that
one of another kind is named. Must never guess: a line that is none of these is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ballots import committee, threshold_records
from ballots.channel import SignedMessage
from ballots.committee import Certificates
from ballots.errors import BallotError, Malformed
from ballots.threshold_records import MemberInput, MemberOutput, Polynomial
from cli.screen import CliError

MAX_FILE_BYTES = 50_000_000


@dataclass
class Exchanged:
    """What the given files hold, each once; nothing is verified yet."""

    certificates: list[SignedMessage] = field(default_factory=list)
    polynomials: list[Polynomial] = field(default_factory=list)
    inputs: list[MemberInput] = field(default_factory=list)
    outputs: list[MemberOutput] = field(default_factory=list)

    def verified_certificates(self) -> Certificates:
        """All members' certificates, put in order; raises CliError with the reason."""
        try:
            ordered = sorted(
                self.certificates, key=lambda one: committee.certified(one).context.index
            )
            return committee.verify_certificates(ordered)
        except BallotError as refusal:
            raise CliError(
                f"The certificates are refused: {refusal}.",
                "Give the certificate of every member of this committee, and no other.",
            ) from None


def read(paths: Iterable[Path]) -> Exchanged:
    """What files of one record a line hold; raises CliError for one that is none of these."""
    found = Exchanged()
    for path in paths:
        for line in dict.fromkeys(_lines(path)):
            _sort(found, line, path)
    return found


def _lines(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES)
    except OSError as error:
        raise CliError(f"{path} can't be read: {error.strerror}.") from None
    return [line for line in raw.split(b"\n") if line]


def _sort(found: Exchanged, line: bytes, path: Path) -> None:
    kinds: tuple[tuple[Callable[[bytes], Any], list[Any]], ...] = (
        (committee.parse_certificate, found.certificates),
        (threshold_records.parse_polynomial, found.polynomials),
        (threshold_records.parse_input, found.inputs),
        (threshold_records.parse_output, found.outputs),
    )
    for parse, held in kinds:
        try:
            value = parse(line)
        except Malformed:
            continue
        except BallotError as refusal:
            raise CliError(f"{path} is refused: {refusal}.") from None
        if value not in held:
            held.append(value)
        return
    raise CliError(
        f"{path} is no file of a committee's steps.",
        "These end in .cert, .polynomial, .vinput or .voutput.",
    )
