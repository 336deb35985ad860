"""What must be shown to a trustee before they open anything: the whole election, and no other.

Promises that what is opened are all ballots of the closed board which its key and the given
witnesses signed, each by a listed credential that is finally active, and that the list is the one
whose root the authority made. Whoever could have anything else decrypted could read a vote. Must
never take a file's word for another's. Trusts the keys that the trustee has from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from ballots import archive, ballot, credentials, election, signed_note
from ballots import trustees as trustees_record
from ballots.archive import Archive
from ballots.board_entries import Board
from ballots.election import Election
from ballots.errors import BallotError, NoteRefused, TallyRefused
from ballots.signed_note import COSIGNATURE, Checkpoint, NoteKey
from ballots.trustees import Trustees
from cli import board_copy
from cli.board_copy import Paths
from cli.screen import CliError, show_done, show_facts, show_warning

NOTHING_DECRYPTED = "Nothing was decrypted. Keep the files, and tell the scrutineers."


class Signers(NamedTuple):
    """Whose signatures a head must carry: the board's, and each of these witnesses'."""

    board_key: bytes
    witnesses: tuple[NoteKey, ...]


class Shown(NamedTuple):
    """The closed board: its fold, its head, and when each witness says it saw the head."""

    board: Board
    head: Checkpoint
    cosigned_seconds: dict[str, int]


class Opened(NamedTuple):
    """An archive that may be due: its election, trustees and listed credentials, and the board."""

    archive: Archive
    election: Election
    trustees: Trustees
    listed: list[str]
    list_root: str
    shown: Shown | None

    def ballots(self) -> Iterator[bytes]:
        """Each ballot, verified, by a credential of its own; raises BallotError."""
        unused = set(self.listed)
        for number, raw in enumerate(self.archive.ballots(), 1):
            credential = ballot.verify(self.election, raw).credential
            if credential not in unused:
                raise TallyRefused(
                    f"the credential of ballot {number} isn't listed, or voted twice"
                )
            unused.remove(credential)
            if self.shown is not None:
                _require_active(self.shown.board, credential, number)
            yield raw


def witness_keys(texts: Iterable[str]) -> tuple[NoteKey, ...]:
    """Keys of witnesses as they publish them, or files with them; each must be another's."""
    found: list[NoteKey] = []
    for text in texts:
        key = _witness_key(text)
        if any(key.name == one.name or key.public == one.public for one in found):
            raise CliError(f"{key.name} is one witness, given twice.", "Give each of them once.")
        found.append(key)
    return tuple(found)


@contextmanager
def opened(paths: Paths, signers: Signers) -> Iterator[Opened]:
    """An archive with its board, under the board's last head; raises CliError."""
    with board_copy.opened(paths, signers.board_key) as copy, _refusals():
        shown = Shown(copy.board, copy.checkpoint, _cosigned(paths.checkpoint, copy, signers))
        root = credentials.merkle_root(copy.credentials)
        yield Opened(copy.archive, *_parsed(copy.archive), copy.credentials, root, shown)


@contextmanager
def opened_alone(path: Path) -> Iterator[Opened]:
    """An archive of which nobody says that it is whole; raises CliError."""
    with path.open("rb") as source, _refusals():
        read = archive.read(source)
        listed = msgspec.json.decode(read.credentials, type=list[str])
        yield Opened(read, *_parsed(read), listed, credentials.merkle_root(listed), None)


def require_due(read: Archive) -> bytes:
    """The encrypted tally of a closed election; raises CliError where it isn't to be opened."""
    if not read.is_ended or read.encrypted_tally is None:
        raise CliError(
            "The election isn't closed: ballots may still come in.", "Decrypt once it is tallied."
        )
    if read.ballot_count == 1:
        raise CliError(
            "There is a single ballot: its decryption would be somebody's vote.",
            "It must not be decrypted, and the election can't be declared without it. Tell the"
            " officers: the ballot must be held again.",
        )
    if not read.num_tallied == read.total_weight == read.ballot_count:
        raise CliError(
            f"The tally is said to be of {read.num_tallied} ballots, and there are"
            f" {read.ballot_count}.",
            NOTHING_DECRYPTED,
        )
    return read.encrypted_tally


def require_root(due: Opened, expected: str | None) -> None:
    """Raise CliError where the list isn't the one whose root the trustee was given."""
    if expected is not None and expected.strip().lower() != due.list_root:
        raise CliError(
            f"The credentials aren't those of the root that you gave: theirs is {due.list_root}.",
            f"{NOTHING_DECRYPTED} Whoever makes up a list can make up ballots.",
        )


def tell(due: Opened) -> None:
    """Show what is about to be opened, and what is known about it."""
    read, held = due.archive, due.election
    show_facts(
        [
            ("Election", held.name),
            ("Fingerprint", held.fingerprint),
            ("Ballots", f"{read.ballot_count}, of {_credentials(due)}"),
            ("List's root", due.list_root),
            *((f"Question {number}", one.question) for number, one in enumerate(held.questions, 1)),
            ("Decrypted so far by", ", ".join(str(one.owner) for one in read.partials) or "nobody"),
        ]
    )
    if due.shown is None:
        show_warning(
            "WITHOUT THE BOARD it isn't known whether these are all ballots, or whose they are."
            " Whoever left some out, or made some up, reads a vote in the sum. Better fetch the"
            " board, and give --board-key."
        )
    else:
        _tell_shown(due.shown)


def _tell_shown(shown: Shown) -> None:
    head = shown.head
    show_facts([("Board", f"{head.origin}, {head.size} entries, root {head.root.hex()}")])
    for name, seconds in shown.cosigned_seconds.items():
        at = datetime.fromtimestamp(seconds, UTC)
        show_facts([("Cosigned by", f"{name}, {at:%Y-%m-%d %H:%M:%S} UTC")])
    show_done("The closed board's last checkpoint verifies, and the archive is what it says.")
    if not shown.cosigned_seconds:
        show_warning(
            "Only the board itself says that everybody sees this board: compare its root with"
            " other people's, or give --witness-key."
        )


def _credentials(due: Opened) -> str:
    listed = f"{len(due.listed)} credentials"
    if due.shown is None:
        return listed
    board = due.shown.board
    return f"{listed}, {sum(board.state_of(one) == 'active' for one in due.listed)} of them active"


def _require_active(board: Board, credential: str, number: int) -> None:
    state = board.state_of(credential)
    if state != "active":
        raise TallyRefused(f"the credential of ballot {number} may not vote: it is {state}")


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except (BallotError, msgspec.DecodeError) as refusal:
        raise CliError(f"The archive is refused: {refusal}.", NOTHING_DECRYPTED) from None


def _parsed(read: Archive) -> tuple[Election, Trustees]:
    held, crew = election.parse(read.election), trustees_record.parse(read.trustees)
    if crew.election_key != held.public_key:
        raise TallyRefused("the trustees' keys don't make the election's key")
    return held, crew


def _cosigned(path: Path, copy: board_copy.Copy, signers: Signers) -> dict[str, int]:
    """When each witness saw the head (seconds since 1970); raises CliError if one didn't."""
    note = signed_note.parse(path.read_bytes())
    if signed_note.parse_checkpoint(note.text) != copy.checkpoint:
        raise CliError(f"{path} changed while it was read.", "Repeat the command.")
    found = {}
    for key in signers.witnesses:
        if key.name == copy.checkpoint.origin or key.public == signers.board_key:
            raise CliError(f"{key.name} is the board itself: a board can't be its own witness.")
        try:
            found[key.name] = signed_note.verify_cosignature(note, key)
        except NoteRefused as refusal:
            raise CliError(
                f"The head isn't cosigned by {key.name}: {refusal}.",
                f"{NOTHING_DECRYPTED} Take the witness' own `head` of this size as --checkpoint.",
            ) from None
    return found


def _witness_key(text: str) -> NoteKey:
    try:
        path = Path(text)
        key = signed_note.key_from_text(path.read_text().strip() if path.is_file() else text)
    except (OSError, ValueError, BallotError):
        raise CliError(
            f"{text!r} is no witness' key.",
            "Give the line that the witness publishes, or its file.",
        ) from None
    if key.algorithm != COSIGNATURE:
        raise CliError(f"{key.name} is a key for notes, not of a witness.")
    return key
