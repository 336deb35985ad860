"""`castonce receipt`: what a voter can check alone, of a ballot cast online or of none.

Promises to say what a check shows and what it doesn't, and that no code leaves this machine:
whoever types one to find a credential has it derived here. Must never send a code or a credential
anywhere. Trusts the keys that are given; without them, says what that leaves open.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from ballots import ballot, codes, credentials
from ballots.board_entries import FinalState
from ballots.errors import BallotError, CodeRefused
from cli import board_copy, board_places
from cli.board import KeyOption, tell_signature
from cli.board_client import BoardClient
from cli.board_copy import Copy, Paths
from cli.board_places import Place
from cli.screen import CliError, make_app, progress_bar, show_done, show_facts, show_warning
from shared import keys
from shared.contracts.fields import ElectionId, Tracker
from shared.contracts.permits import Receipt

app = make_app("Check a receipt, or that a credential cast nothing online.")

NOT_SHOWN: Final = 3
_EVIDENCE: Final = "Keep the receipt and tell the helpline or a scrutineer: it is evidence."
_IN_WORDS: Final[dict[FinalState, str]] = {
    "spare": "spare: it stands for nobody, and may not vote",
    "active": "active: it may vote, unless its right is used by post",
    "replaced": "replaced: another pack stands for the right, and this one may not vote",
    "withdrawn": "withdrawn: the right was taken away, and may not be used",
}


class _ReceiptFields(msgspec.Struct, frozen=True):
    # What a receipt's own type leaves open, since `votes` fills it.
    election_id: ElectionId
    tracker: Tracker


@app.command()
def check(
    receipt: Annotated[Path, typer.Argument(metavar="RECEIPT", help="File of castonce vote.")],
    *,
    votes_key: Annotated[
        str | None, typer.Option("--votes-key", help="Public key of votes, as it was published.")
    ] = None,
    board_url: Annotated[
        str | None,
        typer.Option("--board-url", help="Address of a board; it learns that you ask for this."),
    ] = None,
    board: Annotated[
        Path | None, typer.Option("--board", help="A fetched board file; nobody learns anything.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="The board file's checkpoint.")
    ] = None,
    board_key: KeyOption = None,
) -> None:
    """Check that a receipt is signed and, with a board, that the ballot is on it."""
    found = _read_receipt(receipt)
    key = None if board_key is None else board_copy.key_from(board_key)
    place = _place(found, board_url, board, checkpoint, key)
    _require_signed(found, _votes_key(votes_key, place))
    if place is None:
        show_warning("Whether the ballot is on the board wasn't looked at: --board-url does it.")
    else:
        _tell_place(found, place)
        tell_signature(key)
    show_warning("Neither says, nor could say to anybody, how you voted.")


@app.command()
def none(
    archive: Annotated[Path, typer.Option("--archive", help="The archive, UUID.bel.")],
    board: Annotated[Path, typer.Option("--board", help="The board file, UUID.board.")],
    checkpoint: Annotated[Path, typer.Option("--checkpoint", help="The signed checkpoint.")],
    board_key: KeyOption = None,
    credential: Annotated[
        str | None,
        typer.Option("--credential", help="The public credential; else your code is asked for."),
    ] = None,
) -> None:
    """Show from public files alone that a credential cast nothing online.

    Exit code 3 where that isn't shown yet: before the ballots' end, or without the board's key.
    """
    key = None if board_key is None else board_copy.key_from(board_key)
    paths = Paths(archive, board, checkpoint)
    code = None if credential else _ask_code()
    size = archive.stat().st_size if archive.exists() else 0
    with (
        progress_bar("Reading", size) as bar,
        board_copy.opened(paths, key, lambda done: bar.show("Reading", done)) as copy,
    ):
        public = credential or credentials.derive(code or "", copy.election.uuid).public
        _require_unused(copy, public)
        is_shown = copy.board.is_ended and key is not None
        _tell_unused(copy, public, is_shown=is_shown)
    tell_signature(key)
    if not is_shown:
        raise typer.Exit(NOT_SHOWN)


def _read_receipt(path: Path) -> Receipt:
    try:
        raw = path.read_bytes()
        msgspec.json.decode(raw, type=_ReceiptFields)
        return msgspec.json.decode(raw, type=Receipt)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CliError(
            f"{path} can't be read as a receipt ({type(error).__name__}).",
            "Give the file that `castonce vote --receipt FILE` wrote.",
        ) from None


def _place(
    receipt: Receipt,
    url: str | None,
    board: Path | None,
    checkpoint: Path | None,
    key: bytes | None,
) -> Place | None:
    if (board is None) != (checkpoint is None) or (url and board):
        raise CliError(
            "A board is one address, or two files.",
            "Give --board-url, or --board together with --checkpoint.",
        )
    if url is not None:
        return board_places.at(BoardClient(url), receipt.election_id, receipt.tracker, key)
    if board is not None and checkpoint is not None:
        return board_places.within(board, checkpoint, receipt.election_id, receipt.tracker, key)
    return None


def _votes_key(given: str | None, place: Place | None) -> str:
    """The key of votes: as given, which the board must not contradict, or the board's."""
    known = None if given is None else board_copy.key_from(given).hex()
    told = None if place is None else place.setup.keys.votes
    if known and told and known != told:
        raise CliError("The board names another key of votes than you did.", _EVIDENCE)
    key = known or told
    if key is None:
        raise CliError(
            "A receipt is checked against a key.",
            "Give --votes-key, or --board-url, or --board with --checkpoint.",
        )
    return key


def _require_signed(receipt: Receipt, votes_key: str) -> None:
    """Say that the receipt is signed; raises CliError if not."""
    if not keys.verify(votes_key, receipt.signed_text(), receipt.signature):
        raise CliError(
            "The receipt isn't signed by the key of votes.",
            f"It shows nothing. Is it whole, and is {votes_key} the right key?",
        )
    recorded = datetime.fromtimestamp(receipt.recorded_at_ms / 1000, UTC)
    show_done("The receipt is signed: votes said that this ballot is recorded for ever.")
    show_facts(
        [
            ("Tracker", receipt.tracker),
            ("Recorded", f"{recorded:%Y-%m-%d %H:%M:%S} UTC"),
            ("Election", receipt.election_id),
            ("Key of votes", votes_key),
        ]
    )


def _tell_place(receipt: Receipt, place: Place) -> None:
    if place.entry is None:
        raise CliError(
            f"The ballot isn't among the {place.head.size} entries of this board.",
            f"In the first seconds after the receipt that is normal. Later: {_EVIDENCE}",
        )
    show_done(f"The ballot is entry {place.entry + 1} of {place.head.size} on the board.")
    show_facts([("Board", place.head.origin), ("Root", place.head.root.hex())])


def _ask_code() -> str:
    """A well-formed code, typed unseen; it stays on this machine."""
    code: str = typer.prompt("Your voting code (it isn't shown)", hide_input=True)
    try:
        return codes.canonical(code)
    except CodeRefused as error:
        raise CliError("The code isn't well formed.", f"Check it: {error}.") from None


def _require_unused(copy: Copy, credential: str) -> None:
    if credential not in copy.credentials:
        raise CliError(
            "This credential isn't in the election's list: nobody could vote with it here.",
            "Was it typed rightly, and is it this election's?",
        )
    for raw in copy.archive.ballots():
        if ballot.peek(raw) == credential:
            _require_forged(copy, raw)
            raise CliError(
                "A ballot on the board is in this credential's name, and isn't by it: its proofs"
                f" don't hold. Its tracker is {ballot.tracker(raw)}.",
                f"Whoever holds the code didn't make it: the board is false. {board_copy.EVIDENCE}",
            )


def _require_forged(copy: Copy, raw: bytes) -> None:
    """Raise CliError where a ballot's proofs hold: then who made it had the code."""
    try:
        ballot.verify(copy.election, raw)
    except BallotError:
        return
    raise CliError(
        f"This credential cast a ballot online: its tracker is {ballot.tracker(raw)}.",
        "If its elector says otherwise, tell a scrutineer.",
    )


def _state(copy: Copy, credential: str) -> str:
    """The credential's final state; before the ballots end no change of it has been told."""
    found = copy.board.state_of(credential)
    if copy.board.is_ended:
        return _IN_WORDS[found]
    told = "none" if found == "spare" else found
    return f"{told} told so far: changes since the packs were made are told when the ballots end"


def _tell_unused(copy: Copy, credential: str, *, is_shown: bool) -> None:
    none_of = f"None of the {copy.archive.ballot_count} ballots"
    if is_shown:
        show_done(f"{none_of} on the board is of this credential.")
    elif copy.board.is_ended:
        show_warning(f"{none_of} in these files is of this credential; whose they are isn't known.")
    else:
        show_warning(
            f"NOT SHOWN YET: the ballots haven't ended. {none_of} so far is of this credential;"
            " look again then."
        )
    show_facts(
        [
            ("Credential", credential),
            ("Its state", _state(copy, credential)),
            ("Election", copy.election.name),
        ]
    )
    show_warning("Who its elector is, these files don't say. castonce-verify checks the ballots.")
