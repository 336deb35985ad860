"""`castonce witness`: watches a board from elsewhere, so that it can't show two faces unseen.

Promises that an alarm can't be overlooked: a red sentence, a file with both signed heads, and exit
code 3, also at every later start until a person has moved the file away. What is no evidence (no
answer, a stranger's signature) is a warning, tried again, and with --once exit code 1.
"""

from __future__ import annotations

from pathlib import Path
from time import sleep as _wait
from typing import Annotated, Final

import typer
import typer.core

from ballots import board_entries, merkle, signed_note
from ballots.errors import BallotError
from ballots.signed_note import Checkpoint, NoteKey
from cli import board_copy, witness_key, witness_state
from cli.board_client import BoardClient
from cli.screen import (
    CliError,
    PoliteGroup,
    show_done,
    show_facts,
    show_failure,
    show_warning,
)
from cli.witness_state import Followed
from cli.witnessing import Alarm, Witness, fits

ALARMED: Final = 3
EVERY_SECONDS: Final = 10.0
_NOW_WHAT: Final = (
    "Show the file to the scrutineers and to other witnesses: anyone can check both signatures. "
    "Nothing is cosigned until it is moved away."
)


class WitnessGroup(PoliteGroup):
    """`castonce witness URL ...` means `castonce witness follow URL ...`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put in the command that may be left away."""
        if args and args[0] != "--help" and args[0] not in self.commands:
            args = ["follow", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=WitnessGroup,
    help="Watch a board from elsewhere: cosign what only grows, raise an alarm at anything else.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.callback()(lambda: None)

BoardKeyOption = Annotated[
    str, typer.Option("--board-key", help="The board's public key: 64 hex digits, or their file.")
]


@app.command()
def keygen(
    out: Annotated[Path, typer.Option("--out", help="File for the key; .pub is put beside it.")],
    name: Annotated[
        str, typer.Option("--name", help="Under which you cosign: a domain of yours and a word.")
    ],
) -> None:
    """Make a witness' key: keep the file, publish the line in .pub."""
    key = witness_key.make(out, name)
    show_done("The key is made.")
    show_facts([("Secret, keep it", out), ("Publish", key.public.text())])


@app.command()
def follow(
    urls: Annotated[list[str], typer.Argument(metavar="URL...", help="Of one and the same board.")],
    state: Annotated[Path, typer.Option("--state", help="Folder for heads and alarms.")],
    key: Annotated[Path, typer.Option("--key", help="File of castonce witness keygen.")],
    board_key: BoardKeyOption,
    *,
    every: Annotated[
        float, typer.Option("--every", min=1, help="Seconds between looks.")
    ] = EVERY_SECONDS,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
) -> None:
    """Follow every election of a board: check, cosign, raise an alarm when it shows two faces."""
    clients = [BoardClient(url) for url in urls]
    witness = Witness(clients, board_copy.key_from(board_key), witness_key.load(key))
    with witness_state.alone_in(state):
        while True:
            is_complete = _look_everywhere(witness, clients, state)
            if once:
                break
            _wait(every)
    if not is_complete:
        raise typer.Exit(1)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A checkpoint.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Somebody else's.")],
    board_key: BoardKeyOption,
    board: Annotated[
        Path | None, typer.Option("--board", help="A board file, for heads of different sizes.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", help="Or a board's address, to ask it for a proof.")
    ] = None,
) -> None:
    """Tell whether two people were shown one board; exit code 3 if not."""
    key = board_copy.key_from(board_key)
    one, other = _head(first, key), _head(second, key)
    if one.origin != other.origin:
        raise CliError("These are heads of two elections.", "Compare heads of one.")
    older, newer = sorted((one, other), key=lambda head: head.size)
    if older == newer:
        show_done(f"One and the same head, of {one.size} entries.")
    elif older.size == newer.size or not _is_one_board(older, newer, board, url):
        show_failure(
            "ALARM. These heads are signed by one board and can't both be true.",
            f"Keep {first} and {second}, and show them to the scrutineers.",
        )
        raise typer.Exit(ALARMED)
    else:
        show_done(f"One board: it grew from {older.size} to {newer.size} entries.")


def _look_everywhere(witness: Witness, clients: list[BoardClient], state: Path) -> bool:
    """One round; returns whether every address told of every election, and exits at an alarm."""
    is_complete, alarms = True, []
    elections = set(witness_state.known_elections(state))
    for client in clients:
        try:
            elections |= {listed.election_id for listed in client.elections()}
        except CliError as error:
            is_complete = _warn(error)
    for election_id in sorted(elections):
        followed = Followed(state, election_id)
        alarms += followed.alarms()
        for client in clients if not followed.alarms() else ():
            try:
                _look(witness, client, followed)
            except CliError as error:
                is_complete = _warn(error)
            except Alarm as alarm:
                alarms.append(followed.raise_alarm(alarm.text()))
                show_failure(f"ALARM. {alarm}", f"Election {election_id}, at {alarm.url}.")
                break
    if alarms:
        show_failure(f"{len(alarms)} alarm(s) to look at.", _NOW_WHAT)
        show_facts([("Alarm", path) for path in alarms])
        raise typer.Exit(ALARMED)
    return is_complete


def _look(witness: Witness, client: BoardClient, followed: Followed) -> None:
    looked = witness.look(client, followed)
    if looked is not None and looked.is_new:
        show_done(f"{followed.election_id}: cosigned {looked.size} entries of {client.url}")


def _warn(error: CliError) -> bool:
    show_warning(str(error))
    return False


def _head(path: Path, key: bytes) -> Checkpoint:
    """A head that the board signed; raises CliError."""
    try:
        note = signed_note.parse(path.read_bytes())
        head = signed_note.parse_checkpoint(note.text)
        signed_note.verify(note, NoteKey(head.origin, key))
    except OSError as error:
        raise CliError(f"{path} can't be read ({error.strerror}).") from None
    except BallotError as refusal:
        raise CliError(f"{path} is no head of this board: {refusal}.") from None
    return head


def _is_one_board(
    older: Checkpoint, newer: Checkpoint, board: Path | None, url: str | None
) -> bool:
    """Whether the older head's tree is the beginning of the newer one's; raises CliError."""
    if board is not None:
        return _is_in_file(older, newer, board)
    if url is not None:
        election_id = newer.origin.rpartition("/")[2]
        path = BoardClient(url).consistency(election_id, older.size, newer.size)
        return fits(older, newer, path)
    raise CliError(
        f"From heads of {older.size} and {newer.size} entries alone it can't be told.",
        "Give --board with a file that castonce board fetch made, or --url of the board.",
    )


def _is_in_file(older: Checkpoint, newer: Checkpoint, board: Path) -> bool:
    try:
        with board.open("rb") as stream:
            tree = merkle.MerkleTree(board_entries.lines(stream))
    except OSError as error:
        raise CliError(f"{board} can't be read ({error.strerror}).") from None
    except BallotError as refusal:
        raise CliError(f"{board} is no board file: {refusal}.") from None
    if tree.size < newer.size:
        raise CliError(f"{board} has {tree.size} lines only.", "Fetch it again.")
    if tree.root(newer.size) != newer.root:
        raise CliError(f"{board} is of another board than the longer head.", "Keep all three.")
    return tree.root(older.size) == older.root
