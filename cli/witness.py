"""`castonce witness`: watches a board from elsewhere, so that it can't show two faces unseen.

Promises that an alarm can't be overlooked: a file with both signed heads, a red sentence in every
round, and exit code 3, also at every later start until a person has moved the file away; and that
one election's alarm doesn't end the watch over the others. What is no evidence (no answer, a
stranger's signature) is a warning, tried again, and with --once exit code 1.
"""

from __future__ import annotations

import re
from pathlib import Path
from time import sleep as _wait
from typing import Annotated, Final, NamedTuple

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
from cli.witness_alarm import Alarm
from cli.witness_state import Followed
from cli.witnessing import Witness, fits

ALARMED: Final = 3
EVERY_SECONDS: Final = 10.0
_ELECTION: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]{14,32}")
_NOW_WHAT: Final = (
    "Show the file to the scrutineers and to other witnesses: it says what they can check. "
    "Nothing of that election is cosigned until it is moved away."
)


class Round(NamedTuple):
    """What came of looking everywhere: whether all was told, and the alarms that stand."""

    is_complete: bool
    alarms: list[Path]


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
    trust: Annotated[
        list[Path] | None,
        typer.Option("--trust", help="A head to begin with, from somebody else; may be repeated."),
    ] = None,
) -> None:
    """Follow every election of a board: check, cosign, raise an alarm when it shows two faces."""
    clients = [BoardClient(url) for url in urls]
    public = board_copy.key_from(board_key)
    witness = Witness(clients, public, witness_key.load(key))
    with witness_state.alone_in(state):
        for path in trust or []:
            _begin_with(witness, path, public, state)
        looked = _look_everywhere(witness, clients, state)
        while not once and _has_waited(every, looked):
            looked = _look_everywhere(witness, clients, state)
    if looked.alarms:
        raise typer.Exit(ALARMED)
    if not looked.is_complete:
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


def _look_everywhere(witness: Witness, clients: list[BoardClient], state: Path) -> Round:
    """Look at every election at every address; what isn't told somewhere doesn't hide the rest."""
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
    return Round(is_complete, alarms)


def _has_waited(seconds: float, looked: Round) -> bool:
    """Wait for the next round; False where somebody ends the watch while there is an alarm."""
    try:
        _wait(seconds)
    except KeyboardInterrupt:
        if not looked.alarms:
            raise
        return False
    return True


def _begin_with(witness: Witness, path: Path, board_key: bytes, state: Path) -> None:
    election_id = _head(path, board_key).origin.rpartition("/")[2]
    if _ELECTION.fullmatch(election_id) is None:
        raise CliError(f"{path} is no head of an election's board.")
    witness.trust(path.read_bytes(), election_id, Followed(state, election_id))


def _look(witness: Witness, client: BoardClient, followed: Followed) -> None:
    looked = witness.look(client, followed)
    if looked is not None and looked.is_new:
        show_done(f"{followed.election_id}: cosigned {looked.size} entries of {client.url}")
    if looked is not None and looked.is_first:
        show_warning(
            f"{followed.election_id}: this is the first head seen here, and was believed. Compare"
            " it with somebody's earlier one (castonce witness compare), or begin with --trust."
        )


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
