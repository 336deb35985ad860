"""The command `castonce-verify`.

Promises exit status 0 only if everything holds in the archive and in all files that were named or
found beside it, and with `--complete` only if nothing is missing beside it; 1 with the entry at
fault; 2 if there is no archive to judge or the command itself isn't understood.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from castonce_verifier.archive import Archive
from castonce_verifier.checkpoint import Signers, WitnessKey, read_witness_key
from castonce_verifier.crew import Crew, cores
from castonce_verifier.faults import Fault, Refused, Unreadable
from castonce_verifier.files import Beside, find_beside, read_beside
from castonce_verifier.recount import Rules, recount
from castonce_verifier.signatures import read_key
from castonce_verifier.telling import Bar, Given, tell_failure, tell_report

HOLDS, REFUSED, UNREADABLE, INTERRUPTED = 0, 1, 2, 130
_FINGERPRINT: Final = re.compile(r"[A-Za-z0-9+/]{43}")


def run() -> None:
    """Run the command and end the process with its status."""
    # A title in letters that this terminal hasn't must not end a report half-way.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Verify as the arguments say, tell the outcome, and return the exit status."""
    options = _options(arguments)
    rules = Rules(options.fingerprint, options.belenios)
    beside = Beside(options.board, options.checkpoint, options.declaration)
    signers = Signers(options.board_key, options.witness_key)
    ignored: Sequence[Path] = ()
    try:
        found = find_beside(options.archive, beside)
        if options.belenios:
            ignored = found.all()
        else:
            beside = found
        evidence = read_beside(beside, signers)
        with Crew(options.jobs) as crew:
            archive = Archive.open(options.archive)
            report = recount(archive, rules, crew, Bar(sys.stderr).show, evidence)
    except Refused as refused:
        tell_failure(options.json, "refused", {"entry": refused.entry, "reason": refused.reason})
        return REFUSED
    except Unreadable as unreadable:
        tell_failure(options.json, "unreadable", {"reason": str(unreadable)})
        return UNREADABLE
    except MemoryError:
        reason = "it takes more memory than there is: nothing was shown"
        tell_failure(options.json, "unreadable", {"reason": reason})
        return UNREADABLE
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted: nothing was shown.\n")
        return INTERRUPTED
    given = Given(
        has_fingerprint=rules.fingerprint is not None,
        has_board_key=signers.board_key is not None,
        has_witnesses=bool(signers.witnesses),
        beside=beside,
        is_belenios=options.belenios,
        ignored=ignored,
    )
    is_complete = tell_report(options.json, report, given)
    return HOLDS if is_complete or not options.complete else REFUSED


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="castonce-verify",
        description="Check the public archive of an election and count it again.",
        epilog="Exit status: 0 all that was given holds; 1 an entry is refused, or with --complete "
        "something isn't shown; 2 not readable.",
    )
    parser.add_argument("archive", type=Path, metavar="ARCHIVE.bel")
    _add_files(parser)
    parser.add_argument(
        "--belenios",
        action="store_true",
        help="Belenios' own rule on repeated votes: the last ballot of a credential counts "
        "(else a second one is refused); for archives without a board file",
    )
    parser.add_argument(
        "--complete",
        action="store_true",
        help="status 1 too while anything isn't shown but your own ballot and what witnesses saw",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.add_argument(
        "--jobs", type=_positive, default=cores(), help="processes to use (default: all cores)"
    )
    options = parser.parse_args(arguments)
    beside = (options.board, options.checkpoint, options.declaration)
    if options.belenios and any((*beside, options.board_key, options.witness_key)):
        parser.error("--belenios is for archives that have neither board file nor declaration")
    names = [witness.name for witness in options.witness_key]
    if len(set(names)) < len(names):
        parser.error("--witness-key names one witness twice: one signature would count for two")
    return options


def _add_files(parser: argparse.ArgumentParser) -> None:
    """What else is checked, and against what."""
    parser.add_argument(
        "--fingerprint",
        type=_fingerprint,
        metavar="TEXT",
        help="the election's fingerprint as it was announced (43 characters)",
    )
    parser.add_argument(
        "--board", type=Path, metavar="FILE", help="board file (default: ARCHIVE.board, if there)"
    )
    parser.add_argument(
        "--board-key", type=_board_key, metavar="HEX", help="the board's key (64 hex digits)"
    )
    parser.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="signed checkpoint (default: ARCHIVE.checkpoint, if there); give older ones too, "
        "and the board file must go on from each",
    )
    parser.add_argument(
        "--declaration",
        type=Path,
        metavar="FILE",
        help="declaration (default: ARCHIVE.declaration.json, if there)",
    )
    parser.add_argument(
        "--witness-key",
        type=_witness_key,
        action="append",
        default=[],
        metavar="NAME+ID+KEY",
        help="key of a witness who must have cosigned the newest checkpoint; may be repeated",
    )


def _fingerprint(text: str) -> str:
    if not _FINGERPRINT.fullmatch(text):
        raise argparse.ArgumentTypeError("a fingerprint has 43 letters, digits, + or /")
    return text


def _board_key(text: str) -> bytes:
    try:
        return read_key(text)
    except Fault as fault:
        raise argparse.ArgumentTypeError("a board's key has 64 lower-case hex digits") from fault


def _witness_key(text: str) -> WitnessKey:
    try:
        return read_witness_key(text)
    except Fault as fault:
        raise argparse.ArgumentTypeError(f"{text} {fault}") from fault


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number
