"""`castonce board`: a copy of the public board for anyone, and what its head says.

Promises that what is kept is what the signed head was made over, that a download goes on where it
stopped, that nothing signed is overwritten by what contradicts it, and that without the board's key
it is said what that leaves open.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import board_copy, board_fetch
from cli.board_client import BoardClient
from cli.board_copy import Copy, Paths
from cli.screen import make_app, progress_bar, show_done, show_facts, show_warning

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
    board_fetch.fetch(BoardClient(url), election, paths, key)
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


def _tell(copy: Copy, paths: Paths) -> None:
    ended = "the ballots have ended" if copy.archive.is_ended else "still open"
    show_done(f"{copy.election.name}: {copy.archive.ballot_count} ballots, {ended}.")
    facts: list[tuple[str, object]] = [
        ("Archive", paths.archive),
        ("Board file", paths.board),
        ("Checkpoint", paths.checkpoint),
    ]
    if copy.board.declaration_sha256:
        facts.append(("Declaration", paths.declaration))
    show_facts([*facts, ("Fingerprint", copy.election.fingerprint), ("Entries", copy.board.size)])
    show_facts([("Check every proof", f"castonce-verify {paths.archive}")])


def tell_signature(key: bytes | None) -> None:
    if key is None:
        show_warning(
            "Without --board-key nobody knows who made this: the head's signature wasn't checked."
        )
