"""The command `castonce-verify`.

Promises exit status 0 only for an archive in which everything holds; 1 with the entry at fault; 2
if there is no archive to judge or the command itself isn't understood. Never prints text from an
archive without making control characters harmless.
"""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TextIO

from castonce_verifier.archive import Archive
from castonce_verifier.crew import Crew, cores
from castonce_verifier.faults import Refused, Unreadable
from castonce_verifier.recount import Report, Rules, recount

HOLDS, REFUSED, UNREADABLE, INTERRUPTED = 0, 1, 2, 130
BAR_WIDTH: Final = 40
_FINGERPRINT: Final = re.compile(r"[A-Za-z0-9+/]{43}", re.ASCII)

NO_FINGERPRINT: Final = (
    "NOT SHOWN: that this is your election. Without --fingerprint anybody could have made it up.\n"
    "  Compare the fingerprint below with the one that was announced before the vote."
)
NO_BOARD: Final = (
    "NOT SHOWN: that no ballot is missing. Voters see that by looking for their own tracker."
)


def run() -> None:
    """Run the command and end the process with its status."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Verify as the arguments say, tell the outcome, and return the exit status."""
    options = _parser().parse_args(arguments)
    rules = Rules(options.fingerprint, options.belenios)
    try:
        with Crew(options.jobs) as crew:
            archive = Archive.open(options.archive)
            report = recount(archive, rules, crew, _Bar(sys.stderr).show)
    except Refused as refused:
        _tell_failure(options.json, "refused", {"entry": refused.entry, "reason": refused.reason})
        return REFUSED
    except Unreadable as unreadable:
        _tell_failure(options.json, "unreadable", {"reason": str(unreadable)})
        return UNREADABLE
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted: nothing was shown.\n")
        return INTERRUPTED
    _tell_report(options.json, report, is_fingerprint_given=rules.fingerprint is not None)
    return HOLDS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="castonce-verify",
        description="Check the public archive of an election and count it again.",
        epilog="Exit status: 0 everything holds; 1 an entry is refused; 2 not readable.",
    )
    parser.add_argument("archive", type=Path, metavar="ARCHIVE.bel")
    parser.add_argument(
        "--belenios",
        action="store_true",
        help="Belenios' own rule on repeated votes: the last ballot of a credential counts "
        "(else a second one is refused)",
    )
    parser.add_argument(
        "--fingerprint",
        type=_fingerprint,
        metavar="TEXT",
        help="the election's fingerprint as it was announced (43 characters)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.add_argument(
        "--jobs", type=_positive, default=cores(), help="processes to use (default: all cores)"
    )
    return parser


def _fingerprint(text: str) -> str:
    if not _FINGERPRINT.fullmatch(text):
        raise argparse.ArgumentTypeError("a fingerprint has 43 letters, digits, + or /")
    return text


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _tell_failure(is_json: bool, verdict: str, fields: dict[str, Any]) -> None:
    if is_json:
        _write_json({"verdict": verdict, **fields})
        return
    what = f"{fields['entry']}\n  {fields['reason']}" if "entry" in fields else fields["reason"]
    sys.stdout.write(f"{verdict.upper()}: {_harmless(what)}\n")


def _tell_report(is_json: bool, report: Report, *, is_fingerprint_given: bool) -> None:
    if is_json:
        fields = asdict(report) | {"fingerprint_was_compared": is_fingerprint_given}
        _write_json({"verdict": "holds", **fields})
        return
    lines = [
        f"EVERYTHING HOLDS: {_harmless(report.name)}",
        f"  fingerprint  {report.fingerprint}",
        f"  ballots      {report.ballots}, of which {report.ballots_counted} count "
        f"({report.credentials} could vote)",
        f"  votes        {report.total_weight}",
        f"  trustees     {report.trustees}, of whom {report.decryptions} decrypted",
        f"  last event   {report.last_event}",
    ]
    lines += [
        f"  question {number}   {', '.join(map(str, counts))}"
        for number, counts in enumerate(report.result, 1)
    ]
    cautions = [NO_BOARD] if is_fingerprint_given else [NO_FINGERPRINT, NO_BOARD]
    sys.stdout.write("\n".join([*cautions, *lines]) + "\n")


def _write_json(fields: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")


def _harmless(text: str) -> str:
    """An archive's text may not move the cursor or hide a line."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


class _Bar:
    """How many ballots are checked, on a terminal only."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_shown = stream.isatty()

    def show(self, done: int, of: int) -> None:
        if not self._is_shown:
            return
        filled = BAR_WIDTH * done // of if of else BAR_WIDTH
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        self._stream.write(f"\r[{bar}] {done} of {of} ballots" + "\n" * (done == of))
        self._stream.flush()
