"""Which files are checked together: the archive and what lies beside it.

Promises that a file that was named or found is read or the command ends, and that nobody can think
a key was used that wasn't: a key without the file that it is for is an error.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from castonce_verifier.checkpoint import Signers
from castonce_verifier.evidence import Evidence
from castonce_verifier.faults import Unreadable

# Far above what they can be; whoever gives a wrong file should hear so at once.
MAX_NOTE_BYTES: Final = 100_000
MAX_DECLARATION_BYTES: Final = 1_000_000
MAX_BOARD_BYTES: Final = 200_000_000


class Beside(NamedTuple):
    """The files that are checked with an archive."""

    board: Path | None
    checkpoints: Sequence[Path]
    declaration: Path | None

    def all(self) -> list[Path]:
        """Return those that there are."""
        named = [self.board, *self.checkpoints, self.declaration]
        return [path for path in named if path is not None]


def find_beside(archive: Path, named: Beside) -> Beside:
    """Return the files that were named, and for those that weren't the ones beside the archive.

    Raises `Unreadable` if the archive has no name, or nobody can say what lies beside it.
    """
    if not archive.name:
        raise Unreadable(f"{archive} is no archive")
    board = named.board or _there(archive.with_suffix(".board"))
    checkpoint = _there(archive.with_suffix(".checkpoint"))
    declaration = named.declaration or _there(archive.with_suffix(".declaration.json"))
    checkpoints = named.checkpoints or ([checkpoint] if checkpoint else [])
    return Beside(board, checkpoints, declaration)


def read_beside(beside: Beside, signers: Signers) -> Evidence:
    """Return the content of the files; raises `Unreadable`, also if one lacks its companion."""
    if beside.board is None and beside.all():
        raise Unreadable(f"{beside.all()[0]} can be checked only with the board file: --board")
    is_signer_known = signers.board_key is not None or bool(signers.witnesses)
    if is_signer_known and not beside.checkpoints:
        raise Unreadable("a key was given, but no checkpoint that is signed with it: --checkpoint")
    return Evidence(
        board_file=_read(beside.board, MAX_BOARD_BYTES) if beside.board else None,
        checkpoints=[_read(path, MAX_NOTE_BYTES) for path in beside.checkpoints],
        declaration=_read(beside.declaration, MAX_DECLARATION_BYTES)
        if beside.declaration
        else None,
        signers=signers,
    )


def _there(path: Path) -> Path | None:
    try:
        return path if path.exists() else None
    except OSError as error:
        raise Unreadable(f"{path} can't be looked for: {error}") from error


def _read(path: Path, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise Unreadable(f"{path} can't be read: {error}") from error
    if len(content) > most_bytes:
        raise Unreadable(f"{path} is larger than any such file: more than {most_bytes} bytes")
    return content
