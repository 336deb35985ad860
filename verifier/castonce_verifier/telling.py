"""The outcome in words or as JSON, and above all what it doesn't show.

Never prints text from a file without making control characters and ends of lines harmless: nothing
that a file says looks like a line of the report.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, NamedTuple, TextIO

from castonce_verifier.files import Beside
from castonce_verifier.recount import Report

BAR_WIDTH: Final = 40
MAX_TEXT: Final = 1_000
MAX_TRACKERS: Final = 10

NO_FINGERPRINT: Final = (
    "that this is your election. Without --fingerprint anybody could have made it up.\n"
    "  Compare the fingerprint below with the one that was announced before the vote."
)
NO_BOARD: Final = (
    "that no ballot is missing, and none by a credential that was replaced or withdrawn.\n"
    "  That takes the board file: --board."
)
NO_BOARD_IN_BELENIOS: Final = (
    "that no ballot is missing, and none by somebody who may not vote any more.\n"
    "  That takes a board file, which --belenios doesn't look at."
)
NO_CHECKPOINT: Final = (
    "that the board stands by this board file. Anybody could have made it up.\n"
    "  That takes a signed checkpoint and the board's key: --checkpoint, --board-key."
)
NO_BOARD_KEY: Final = (
    "that the board signed the checkpoint. Without --board-key anybody could have made up\n"
    "  checkpoint, board file and the keys in it."
)
NO_WITNESS: Final = (
    "that everybody sees the same board. Compare the root below with other people's,\n"
    "  or give the keys of witnesses who cosigned the checkpoint: --witness-key."
)
NO_DECLARATION: Final = (
    "that the declared result is this one. The board has a declaration: --declaration."
)
NOT_DECLARED: Final = "that the result was declared. The board has no declaration yet."
YOUR_BALLOT: Final = "that your own ballot is there. Look for your tracker on the board."
# What no file shows to somebody alone: all else can be had, and without it only a part holds.
_NEVER_SHOWN: Final = frozenset((NO_WITNESS, YOUR_BALLOT))


class Given(NamedTuple):
    """What the person who verifies gave beside the archive."""

    has_fingerprint: bool
    has_board_key: bool
    has_witnesses: bool
    beside: Beside
    is_belenios: bool
    ignored: Sequence[Path]


def not_shown(report: Report, given: Given) -> list[str]:
    """Return a sentence for each thing that stays open, the gravest first."""
    open_ends = [] if given.has_fingerprint else [NO_FINGERPRINT]
    if given.is_belenios:
        return [*open_ends, NO_BOARD_IN_BELENIOS, *_of_belenios(report, given), YOUR_BALLOT]
    if report.board is None:
        return [*open_ends, NO_BOARD, YOUR_BALLOT]
    if not given.beside.checkpoints:
        open_ends.append(NO_CHECKPOINT)
    elif not given.has_board_key:
        open_ends.append(NO_BOARD_KEY)
    elif not given.has_witnesses:
        open_ends.append(NO_WITNESS)
    if given.beside.declaration is None:
        open_ends.append(NO_DECLARATION if report.board.has_declaration else NOT_DECLARED)
    return [*open_ends, YOUR_BALLOT]


def _of_belenios(report: Report, given: Given) -> list[str]:
    """What its rule passes over: earlier ballots of a credential, and files beside the archive."""
    open_ends = []
    if report.ballots_replaced:
        trackers = report.ballots_replaced[:MAX_TRACKERS]
        more = len(report.ballots_replaced) - len(trackers)
        open_ends.append(
            f"that voters meant their later ballot. {len(report.ballots_replaced)} did not count,\n"
            "  for a later one of the same credential did: "
            + ", ".join(trackers)
            + f", and {more} more" * (more > 0)
        )
    if given.ignored:
        names = ", ".join(_harmless(str(path)) for path in given.ignored)
        open_ends.append(f"what lies beside the archive and --belenios doesn't look at:\n  {names}")
    return open_ends


def tell_failure(is_json: bool, verdict: str, fields: dict[str, Any]) -> None:
    """Say that the archive was refused, or why it couldn't be judged."""
    if is_json:
        _write_json({"verdict": verdict, **fields})
        return
    what = [_harmless(fields[name]) for name in ("entry", "reason") if name in fields]
    sys.stdout.write(f"{verdict.upper()}: " + "\n  ".join(what) + "\n")


def tell_report(is_json: bool, report: Report, given: Given) -> bool:
    """Say what holds, and first what isn't shown; return whether all that files can show is."""
    open_ends = not_shown(report, given)
    is_complete = _NEVER_SHOWN.issuperset(open_ends)
    if is_json:
        facts = {
            "fingerprint_was_compared": given.has_fingerprint,
            "board_key_was_used": given.has_board_key,
            "files": [str(path) for path in given.beside.all()],
            "not_shown": [" ".join(sentence.split()) for sentence in open_ends],
        }
        verdict = "holds" if is_complete else "holds_in_part"
        _write_json({"verdict": verdict, **asdict(report), **facts})
        return is_complete
    cautions = [f"NOT SHOWN: {sentence}" for sentence in open_ends]
    heading = "EVERYTHING HOLDS" if is_complete else "ONLY A PART IS SHOWN, AND THAT HOLDS"
    lines = [f"{heading}: {_harmless(report.name)}", *_lines(report, given.beside)]
    sys.stdout.write("\n".join([*cautions, *lines]) + "\n")
    return is_complete


def _lines(report: Report, beside: Beside) -> list[str]:
    """The report, a fact a line."""
    lines = [
        f"  fingerprint  {report.fingerprint}",
        f"  ballots      {report.ballots}, of which {report.ballots_counted} count "
        f"({report.credentials} credentials on the list)",
        f"  votes        {report.total_weight}",
        f"  trustees     {report.trustees}, of whom {report.decryptions} decrypted "
        f"(needed: {', '.join(report.trustees_needed)})",
        f"  last event   {report.last_event}",
    ]
    if report.board:
        states = [f"{count} {state}" for state, count in report.board.credentials.items()]
        lines += [
            f"  credentials  {', '.join(states)}",
            f"  board        {report.board.entries} entries, root {report.board.root}",
        ]
        unchecked = report.board.unchecked_signatures
        lines += [
            f"  not checked  {_harmless(name)}'s signature: no key given" for name in unchecked
        ]
    lines += [f"  checked too  {_harmless(str(path))}" for path in beside.all()]
    return lines + [
        f"  question {number}   {', '.join(map(str, counts))}"
        for number, counts in enumerate(report.result, 1)
    ]


def _write_json(fields: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")


def _harmless(text: str) -> str:
    """A file's text may not move the cursor, hide a line, or look like one of ours."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    # Many spaces would begin a line of their own where a terminal breaks it.
    shown = " ".join(shown.split())
    return shown if len(shown) <= MAX_TEXT else shown[:MAX_TEXT] + "..."


class Bar:
    """How many ballots are checked, on a terminal only."""

    def __init__(self, stream: TextIO) -> None:
        """Draw on this stream."""
        self._stream = stream
        self._is_shown = stream.isatty()

    def show(self, done: int, of: int) -> None:
        """Draw anew."""
        if not self._is_shown:
            return
        filled = BAR_WIDTH * done // of if of else BAR_WIDTH
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        self._stream.write(f"\r[{bar}] {done} of {of} ballots" + "\n" * (done == of))
        self._stream.flush()
