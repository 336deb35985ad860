"""What a trustee's key opened already: one encrypted sum per election, and never a second.

Promises that what was opened is on the disk, beside the key, before anything is decrypted. Two sums
of one election that differ by a ballot are that ballot. Must never hold a secret, and never let a
file that it can't read count as none. Knows nothing of a copy of the key that lies elsewhere.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from ballots import strict_json
from ballots.errors import BallotError
from cli.packs_files import private_file
from cli.screen import CliError

MAX_FILE_BYTES: Final = 10_000
_NOTHING_DECRYPTED: Final = "Nothing was decrypted. Keep the files, and tell the scrutineers."


class Decrypted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file `UUID.decrypted`: which election, the tally's hash, and of how many ballots it is."""

    format: Literal["castonce-decrypted-v1"]
    election_id: str
    tally_sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
    ballots: int


def of_tally(election_id: str, encrypted_tally: bytes, ballots: int) -> Decrypted:
    """What is to be remembered of a tally; its bytes have one spelling only."""
    digest = hashlib.sha256(encrypted_tally).hexdigest()
    return Decrypted("castonce-decrypted-v1", election_id, digest, ballots)


def require_first(key: Path, due: Decrypted) -> bool:
    """Whether nothing of this election was opened with this key yet.

    The same tally may be opened again: returns False. Raises CliError for another one.
    """
    path = beside(key, due.election_id)
    try:
        held = strict_json.decode(path.read_bytes(), Decrypted, max_bytes=MAX_FILE_BYTES)
    except FileNotFoundError:
        return True
    except (OSError, BallotError):
        raise CliError(
            f"What {path} remembers of this election can't be read.",
            "Nothing was decrypted: it isn't known what was opened before. Tell the scrutineers.",
        ) from None
    if held != due:
        raise CliError(
            f"Your key opened another sum of this election before, of {held.ballots} ballots, and"
            f" this one is of {due.ballots}: the difference would show single votes.",
            _NOTHING_DECRYPTED,
        )
    return False


def remember(key: Path, due: Decrypted) -> None:
    """Put down what is about to be opened; raises CliError where another tally was."""
    if not require_first(key, due):
        return
    path = beside(key, due.election_id)
    try:
        with private_file(path) as stream:
            stream.write(strict_json.encode(due) + b"\n")
    except OSError as error:
        raise CliError(
            f"{path} can't be written ({error.strerror}).",
            "Nothing was decrypted: what your key opened must be remembered beside it.",
        ) from None


def beside(key: Path, election_id: str) -> Path:
    """Where a key's folder remembers an election, also for a key that is reached by a link."""
    return key.resolve().parent / f"{election_id}.decrypted"
