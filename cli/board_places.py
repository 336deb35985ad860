"""Where a ballot stands on a board, shown by a path to the signed head or by the whole board.

Promises that a place is believed only under the head; that a ballot isn't there is what a whole
board shows, and what a distant one merely says.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ballots import board_entries, merkle
from ballots.board_entries import SetupEntry
from ballots.errors import BallotError
from ballots.signed_note import Checkpoint
from cli import board_copy
from cli.board_client import BoardClient, NotThere
from cli.screen import CliError


class Place(NamedTuple):
    """A head, the setup under it, and the ballot's entry from 0; None where it isn't there."""

    head: Checkpoint
    setup: SetupEntry
    entry: int | None


def at(client: BoardClient, election_id: str, tracker: str, board_key: bytes | None) -> Place:
    """The place of a ballot on a distant board; raises CliError for a path that leads elsewhere."""
    head = board_copy.opened_head(client.checkpoint(election_id), election_id, board_key)
    setup = board_copy.proven_setup(client, election_id, head)
    try:
        found = client.inclusion(election_id, tracker, head.size)
    except NotThere:
        return Place(head, setup, None)
    path = [bytes.fromhex(step) for step in found.path]
    leaf = board_entries.ballot_leaf(tracker)
    try:
        merkle.verify_inclusion(head.root, found.index, head.size, leaf, path)
    except BallotError as refusal:
        raise CliError(
            f"The board's proof of the ballot is false: {refusal}.", board_copy.EVIDENCE
        ) from None
    return Place(head, setup, found.index)


def within(
    board: Path, checkpoint: Path, election_id: str, tracker: str, board_key: bytes | None
) -> Place:
    """The place of a ballot in a copied board file, of which every line is read."""
    try:
        head = board_copy.opened_head(checkpoint.read_bytes(), election_id, board_key)
        with board.open("rb") as lines:
            folded, tree = board_copy.folded(lines, election_id)
    except OSError as error:
        raise CliError(f"{error.filename} can't be read ({error.strerror}).") from None
    except BallotError as refusal:
        raise CliError(f"The board is refused: {refusal}.", board_copy.EVIDENCE) from None
    board_copy.require_head(tree, head)
    if folded.setup is None:
        raise CliError("The board is empty.", "Fetch it again with `castonce board fetch`.")
    return Place(head, folded.setup, folded.trackers.get(tracker))
