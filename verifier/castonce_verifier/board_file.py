"""The board file: one line for each entry of the bulletin board, in step with the archive.

Promises that each line is the only one that could stand there. What follows from the archive is
compared byte by byte; what doesn't (the setup's keys, states of credentials) is read strictly, and
the states' signatures are checked. That everybody sees the same lines is for the checkpoint.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from castonce_verifier import merkle
from castonce_verifier.board import Board
from castonce_verifier.election import tracker_of
from castonce_verifier.faults import Refused, Unreadable, blaming, require
from castonce_verifier.signatures import read_key
from castonce_verifier.states import States, is_in_order
from castonce_verifier.strict_json import digest, natural, read_compact, record, write

BOARD_FILE: Final = "the board file"
# Far above any that can be right: a statement about 5,000 credentials has 340,000.
MAX_LINE_BYTES: Final = 1_000_000
_STATES: Final = b'{"entry":"states",'


class Keys(NamedTuple):
    """Under which keys statements on the board are believed."""

    codes: bytes
    elections: bytes
    votes: bytes


class Posted(NamedTuple):
    """A board file that is in step with its archive."""

    lines: Sequence[bytes]
    keys: Keys
    states: States
    lines_to_result: int
    declaration: str | None
    credentials_root: str

    def credentials(self) -> dict[str, object]:
        """How many credentials there are, their root, and how many are in each state."""
        counts = self.states.counts()
        names = ("active", "replaced", "withdrawn", "spare")
        of_state = {name: counts[name] for name in names}
        return {"size": sum(counts.values()), "root": self.credentials_root} | of_state


class _Due(NamedTuple):
    """A line that must come, and what it is about."""

    line: bytes
    what: str


def read_board_file(raw: bytes, uuid: str, board: Board, weights: dict[str, int]) -> Posted:
    """Return the lines of a board file; raises `Refused` at the first that isn't as it must be.

    `weights` has the archive's credentials. Raises `Unreadable` if the file was cut.
    """
    coming = _split(raw)
    first = next(coming)
    with blaming(_naming(0)):
        _require_short(first)
        keys, root = _read_setup(first, board.events[0].digest, weights)
    lines = [first]
    states = States(uuid, keys.codes, weights.keys())
    due = _due(board)
    next_due = next(due, None)
    place = lines_to_result = 0
    declaration: str | None = None
    seen: set[bytes] = set()
    for number, line in enumerate(coming, 1):
        with blaming(_naming(number)):
            _require_short(line)
            if line.startswith(_STATES):
                is_in_time = place <= len(board.ballots)
                require(is_in_time, "is about credentials, but the ballots have ended")
                require(line not in seen, "stands on the board a second time")
                seen.add(line)
                states.add(line)
            elif next_due:
                require(line == next_due.line, f"isn't {next_due.what}")
                next_due, place = next(due, None), place + 1
                lines_to_result = number + 1
            else:
                require(declaration is None, "follows the declaration")
                declaration = _read_declaration(line)
        lines.append(line)
    if next_due:
        raise Refused(BOARD_FILE, f"ends without {next_due.what}")
    return Posted(lines, keys, states, lines_to_result, declaration, root)


def _split(raw: bytes) -> Iterator[bytes]:
    """Yield the lines one by one: a file of nothing but line ends is refused at its first."""
    if not raw.endswith(b"\n"):
        raise Unreadable("the board file doesn't end with a line's end: it was cut")
    start = 0
    while start < len(raw):
        end = raw.index(b"\n", start)
        yield raw[start:end]
        start = end + 1


def _read_setup(line: bytes, event: str, weights: dict[str, int]) -> tuple[Keys, str]:
    names = ("entry", "event", "credentials_root", "credentials_size", "keys")
    fields = record(read_compact(line), *names)
    require(fields["entry"] == "setup", "isn't the setup")
    require(digest(fields["event"]) == event, "is about another setup than the archive's")
    require(is_in_order(weights.keys()), "is about credentials that the archive has out of order")
    require(set(weights.values()) <= {1}, "is about credentials of different weight")
    size = natural(fields["credentials_size"])
    require(size == len(weights), f"names {size} credentials, but the archive has {len(weights)}")
    root = merkle.root(credential.encode() for credential in weights).hex()
    is_of_list = digest(fields["credentials_root"]) == root
    require(is_of_list, f"names another list of credentials than the archive's, of root {root}")
    keys = record(fields["keys"], "codes", "elections", "votes")
    return Keys(*map(read_key, keys.values())), root


def _due(board: Board) -> Iterator[_Due]:
    """What follows the setup, but for states of credentials and the declaration."""
    for ballot in board.ballots:
        tracker = tracker_of(ballot.digest)
        line = write({"entry": "ballot", "tracker": tracker}).encode()
        yield _Due(line, f"the ballot with tracker {tracker}")
    kinds = ["end", "tally", *["decryption"] * len(board.decryptions), "result"]
    for kind, event in zip(kinds, board.events[1 + len(board.ballots) :], strict=True):
        line = write({"entry": kind, "event": event.digest}).encode()
        yield _Due(line, f"the {kind} with event {event.digest}")


def _read_declaration(line: bytes) -> str:
    fields = record(read_compact(line), "entry", "sha256")
    require(fields["entry"] == "declaration", "follows the result, but isn't the declaration")
    return digest(fields["sha256"])


def _require_short(line: bytes) -> None:
    require(len(line) <= MAX_LINE_BYTES, "is longer than a line can be")


def _naming(number: int) -> str:
    return f"board entry {number}"
