"""What lies beside an archive: board file, checkpoints and declaration, and whose keys they need.

Promises that all that can be checked before the ballots is checked first: that the board file is in
step with the archive, the checkpoints with the board file, and that the declaration is the one that
the board has, rightly signed. Its figures are compared once the election is recounted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

from castonce_verifier import merkle
from castonce_verifier.archive import Archive
from castonce_verifier.board import Board
from castonce_verifier.board_file import Posted, read_board_file
from castonce_verifier.checkpoint import (
    NOBODY,
    Checkpoint,
    Signed,
    Signers,
    read_checkpoint,
    require_checkpoint,
)
from castonce_verifier.declaration import Fields, read_declaration
from castonce_verifier.declared import Recounted, require_declared
from castonce_verifier.election import Election
from castonce_verifier.faults import blaming, require

DECLARATION: Final = "the declaration"


@dataclass(frozen=True)
class Evidence:
    """The content of the files that were given; with a declaration or checkpoint a board file."""

    board_file: bytes | None = None
    checkpoints: Sequence[bytes] = ()
    declaration: bytes | None = None
    signers: Signers = NOBODY


class Held(NamedTuple):
    """A board that is in step with its archive, and the declaration on it, if it was given.

    `unchecked` names those whose signature on the newest checkpoint couldn't be checked.
    """

    posted: Posted
    unchecked: Sequence[str]
    declaration: Fields | None


def require_evidence(
    evidence: Evidence, board: Board, election: Election, weights: dict[str, int]
) -> Held | None:
    """Return what the files show; nothing without a board file. Raises `Refused`."""
    if evidence.board_file is None:
        return None
    posted = read_board_file(evidence.board_file, election.uuid, board, weights)
    unchecked = _require_checkpoints(evidence, election.uuid, posted.lines)
    if evidence.declaration is None:
        return Held(posted, unchecked, None)
    with blaming(DECLARATION):
        found = sha256(evidence.declaration).hexdigest()
        is_posted = posted.declaration == found
        require(is_posted, f"has the hash {found}, but the board has {posted.declaration}")
        fields = read_declaration(evidence.declaration, posted.keys.elections)
        return Held(posted, unchecked, fields)


def _require_checkpoints(evidence: Evidence, uuid: str, lines: Sequence[bytes]) -> Sequence[str]:
    """Each holds, and the newest are of the whole board file and seen by all the witnesses.

    Returns whose signatures on the newest couldn't be checked.
    """
    if not evidence.checkpoints:
        return ()
    checkpoints: list[tuple[Checkpoint, Signed]] = []
    for number, raw in enumerate(evidence.checkpoints, 1):
        with blaming(_naming(number, evidence)):
            checkpoint = read_checkpoint(raw)
            signed = require_checkpoint(checkpoint, uuid, lines, evidence.signers)
        checkpoints.append((checkpoint, signed))
    sizes = [checkpoint.size for checkpoint, _ in checkpoints]
    size = max(sizes)
    # Witnesses may have cosigned one head in different files: all those of this size are one.
    newest = [signed for checkpoint, signed in checkpoints if checkpoint.size == size]
    with blaming(_naming(sizes.index(size) + 1, evidence)):
        is_whole = size == len(lines)
        require(is_whole, f"is of {size} entries, but the board file has {len(lines)}")
        found = {witness for signed in newest for witness in signed.witnesses}
        for witness in evidence.signers.witnesses:
            require(
                witness in found, f"isn't cosigned by {witness.name} with the key that was given"
            )
    return sorted({name for signed in newest for name in signed.unknown})


def require_figures(
    held: Held, archive: Archive, election: Election, result: Sequence[Sequence[int]], ballots: int
) -> None:
    """The declaration, if one was given, says what was recounted."""
    if held.declaration is None:
        return
    posted = held.posted
    recounted = Recounted(
        election=election,
        ballots=ballots,
        result=result,
        credentials=posted.credentials(),
        archive={
            "sha256": archive.sha256(),
            "bytes": archive.size,
            "entries": posted.lines_to_result,
            "root": merkle.root(posted.lines[: posted.lines_to_result]).hex(),
        },
    )
    with blaming(DECLARATION):
        require_declared(held.declaration, recounted)


def _naming(number: int, evidence: Evidence) -> str:
    return "the checkpoint" if len(evidence.checkpoints) == 1 else f"checkpoint {number}"
