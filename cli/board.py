"""`castonce board`: a copy of the public board for anyone, and what its head says.

Promises that what is kept is what the signed head was made over, that a download goes on where it
stopped, and that without the board's key it is said what that leaves open.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from ballots import archive_blocks, archive_records, board_entries
from ballots.board_entries import Board
from ballots.errors import BallotError
from ballots.signed_note import Checkpoint
from cli import board_copy
from cli.board_client import BoardClient
from cli.board_copy import Copy, Paths
from cli.screen import CliError, make_app, progress_bar, show_done, show_facts, show_warning

app = make_app("The public board: look at it, and keep a copy.")

UrlArgument = Annotated[str, typer.Argument(metavar="URL", help="Address of a board.")]
ElectionArgument = Annotated[str, typer.Argument(metavar="ELECTION", help="The election's id.")]
KeyOption = Annotated[
    str | None,
    typer.Option("--board-key", help="The board's public key: 64 hex digits, or their file."),
]


@app.command()
def fetch(
    url: UrlArgument,
    election: ElectionArgument,
    out: Annotated[Path, typer.Option("--out", help="Folder for the copy.")],
    board_key: KeyOption = None,
) -> None:
    """Copy archive, board file, checkpoint and declaration; again, to bring the copy up to date."""
    key = None if board_key is None else board_copy.key_from(board_key)
    out.mkdir(parents=True, exist_ok=True)
    paths = Paths.within(out, election)
    _fetch(BoardClient(url), election, paths, key)
    with (
        progress_bar("Checking", paths.archive.stat().st_size) as bar,
        board_copy.opened(paths, key, lambda done: bar.show("Checking", done)) as copy,
    ):
        _tell(copy, paths)
    tell_signature(key)


@app.command()
def show(url: UrlArgument, election: ElectionArgument, board_key: KeyOption = None) -> None:
    """Show the board's signed head, and the keys of its setup."""
    key = None if board_key is None else board_copy.key_from(board_key)
    client = BoardClient(url)
    head = board_copy.opened_head(client.checkpoint(election), election, key)
    setup = board_copy.proven_setup(client, election, head)
    show_facts(
        [
            ("Board", head.origin),
            ("Entries", head.size),
            ("Root", head.root.hex()),
            ("Credentials", f"{setup.credentials_size}, root {setup.credentials_root}"),
            ("Key of votes", setup.keys.votes),
            ("Key of codes", setup.keys.codes),
            ("Key of elections", setup.keys.elections),
        ]
    )
    tell_signature(key)


def _fetch(client: BoardClient, election_id: str, paths: Paths, key: bytes | None) -> None:
    """Bring all files to the state of one signed head, and keep that head last."""
    raw = client.checkpoint(election_id)
    head = board_copy.opened_head(raw, election_id, key)
    with progress_bar("Board") as bar:
        client.download(election_id, "board", paths.board, lambda *n: bar.show("Board", *n))
        board = _cut_board(paths.board, election_id, head)
        client.download(election_id, "archive", paths.archive, lambda *n: bar.show("Archive", *n))
        _cut_archive(paths.archive, board)
    _fetch_declaration(client, election_id, paths, board)
    paths.checkpoint.write_bytes(raw)


def _fetch_declaration(client: BoardClient, election_id: str, paths: Paths, board: Board) -> None:
    paths.declaration.unlink(missing_ok=True)
    if not board.declaration_sha256:
        return
    raw = client.declaration(election_id)
    if hashlib.sha256(raw).hexdigest() != board.declaration_sha256:
        raise CliError("The declaration isn't the one on the board.", board_copy.EVIDENCE)
    paths.declaration.write_bytes(raw)


def _cut_board(path: Path, election_id: str, head: Checkpoint) -> Board:
    """Leave off the lines after the head: they are fetched again with a later one."""
    with path.open("r+b") as stream:
        _cut_after_line(stream, head.size)
        stream.seek(0)
        try:
            board, tree = board_copy.folded(stream, election_id)
        except BallotError as refusal:
            raise CliError(f"The board is refused: {refusal}.", board_copy.EVIDENCE) from None
    board_copy.require_head(tree, head)
    return board


def _cut_after_line(stream: BinaryIO, count: int) -> None:
    for _ in range(count):
        if not stream.readline(board_entries.MAX_LINE_BYTES + 1):
            return
    stream.truncate()


def _cut_archive(path: Path, board: Board) -> None:
    """Leave off what was archived after the head, so that archive and lines are one story."""
    left = 1 + len(board.trackers) + len(board.events)
    with path.open("r+b") as stream:
        try:
            for block in archive_blocks.read(stream, None):
                left -= block.name.endswith(archive_records.EVENT_SUFFIX)
                if left == 0:
                    stream.truncate()
                    return
        except BallotError as refusal:
            raise CliError(f"The archive is refused: {refusal}.", board_copy.EVIDENCE) from None
    raise CliError("The archive is behind the board's head.", "Repeat the command in a moment.")


def _tell(copy: Copy, paths: Paths) -> None:
    ended = "the ballots have ended" if copy.archive.is_ended else "still open"
    show_done(f"{copy.election.name}: {copy.archive.ballot_count} ballots, {ended}.")
    facts: list[tuple[str, object]] = [
        ("Archive", paths.archive),
        ("Board file", paths.board),
        ("Checkpoint", paths.checkpoint),
    ]
    if paths.declaration.exists():
        facts.append(("Declaration", paths.declaration))
    show_facts([*facts, ("Fingerprint", copy.election.fingerprint), ("Entries", copy.board.size)])
    show_facts([("Check every proof", f"castonce-verify {paths.archive}")])


def tell_signature(key: bytes | None) -> None:
    if key is None:
        show_warning(
            "Without --board-key nobody knows who made this: the head's signature wasn't checked."
        )
