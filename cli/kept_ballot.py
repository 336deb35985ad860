"""A sealed ballot on its way, kept in a file until its outcome is known.

Promises that the file (mode 0600) is there before a copy of the ballot goes out, so that whatever
ends the command, the very same ballot can be handed in again; and that it is removed at a final
outcome only. Must never hold the code, the answers or the choice: only what the gateway gets too.
"""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

import msgspec
from msgspec import Struct

from ballots import ballot as ballots_ballot
from ballots.errors import BallotError
from cli.packs_files import private_file
from cli.screen import CliError
from shared.contracts.permits import Permit


class KeptBallot(Struct, frozen=True, forbid_unknown_fields=True):
    """What it takes to hand the same ballot in again: where, with which permit, and what.

    `votes_key` is the key whose receipt the elector believes, as it was when the ballot was sealed.
    """

    url: str
    election_id: str
    helpline: str
    votes_key: str
    permit: Permit
    ballot: msgspec.Raw

    @property
    def tracker(self) -> str:
        """The ballot's tracker."""
        return ballots_ballot.tracker(bytes(self.ballot))


def place_for(permit: Permit) -> Path:
    """Where the ballot of this right is kept: one file in this folder, the same at each try."""
    name = hashlib.sha256(f"{permit.election_id}|{permit.right_id}".encode()).hexdigest()[:12]
    return Path(f"castonce-ballot-{name}.json")


def require_none(path: Path) -> None:
    """Raise CliError where a ballot is kept already: another one would look like a second vote."""
    if path.exists():
        raise CliError(
            f"A ballot that you sealed before is kept in {path}. It may be on its way.",
            f"Hand that one in again: {resume_command(path)}",
        )


def keep(path: Path, kept: KeptBallot) -> None:
    """Write the file, whole or not at all; raises CliError while nothing was handed in."""
    try:
        with private_file(path) as stream:
            stream.write(msgspec.json.encode(kept) + b"\n")
    except OSError as error:
        raise CliError(
            f"Your ballot can't be kept in {path} ({error.strerror}). Nothing was cast.",
            "Name another file with --keep.",
        ) from None


def load(path: Path) -> KeptBallot:
    """The kept ballot; raises CliError for a file that holds none."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=KeptBallot)
        ballots_ballot.tracker(bytes(kept.ballot))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, BallotError) as error:
        raise CliError(
            f"{path} can't be read as a kept ballot ({type(error).__name__}).",
            "Give the file that `castonce vote` named.",
        ) from None
    return kept


def forget(path: Path) -> None:
    """Remove the file: its ballot has a final outcome."""
    path.unlink(missing_ok=True)


def resume_command(path: Path) -> str:
    """What to type to hand the same ballot in again."""
    return f"castonce vote --resume {shlex.quote(str(path))}"
