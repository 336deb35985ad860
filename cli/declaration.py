"""`castonce declaration`: read a declaration, and make every number of it anew from what is public.

Promises to name the first difference and to end with 1 for any; and to say what it could not look
at for want of a file or a key. Works offline, asks no service.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from ballots import archive, declaration, declaration_sums
from ballots.archive import Archive
from ballots.declaration import Declaration
from ballots.errors import BallotError
from cli import board_copy, declaration_archive
from cli.board import KeyOption, tell_signature
from cli.board_copy import Copy, Paths
from cli.declaration_archive import Difference
from cli.declaration_dump import DumpReader
from cli.declaration_show import show_content
from cli.screen import CliError, make_app, progress_bar, show_done, show_failure, show_warning
from shared.errors import CastonceError

app = make_app("Declarations: read one, and check every number of it.")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The declaration (JSON).")]
SHOWN = 20
"""Differences that are shown; the first is the one to look at."""


class Files(NamedTuple):
    """What a declaration is compared with; a board file never comes without its checkpoint."""

    archive: Path
    board: Path | None
    checkpoint: Path | None
    topics: Path | None


@app.command()
def show(file: FileArgument) -> None:
    """Show a declaration; says nothing about whether it is true."""
    show_content(read(file))
    show_warning("Shown as it stands; `castonce declaration check` compares it with the archive.")


@app.command()
def check(
    file: FileArgument,
    *,
    archive_file: Annotated[
        Path, typer.Option("--archive", help="The public archive, UUID.bel.", dir_okay=False)
    ],
    board_file: Annotated[
        Path | None, typer.Option("--board", help="The board file, UUID.board.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="The board file's checkpoint.")
    ] = None,
    board_key: KeyOption = None,
    topics: Annotated[
        Path | None,
        typer.Option("--topics", help="A dump of the topics, of `castonce replay --dump`."),
    ] = None,
) -> None:
    """Make every number anew from archive, board and topics; exit 1 with the first difference."""
    if (board_file is None) is not (checkpoint is None):
        raise CliError("A board file needs its checkpoint.", "Give --board and --checkpoint.")
    key = None if board_key is None else board_copy.key_from(board_key)
    files = Files(archive_file, board_file, checkpoint, topics)
    declared = read(file)
    differences = [
        *(Difference("sum", "holds", problem) for problem in declaration_sums.problems(declared)),
        *_from_files(declared, files, key),
    ]
    _report(differences)
    _tell_what_is_open(files, key)


def read(file: Path) -> Declaration:
    """The declaration in a file; raises CliError with what is wrong with it."""
    try:
        return declaration.parse(file.read_bytes())
    except OSError as error:
        raise CliError(f"{file} can't be read ({error.strerror}).") from None
    except BallotError as error:
        raise CliError(
            f"{file} is no declaration: {error}.",
            "Take the file as the board gives it; a changed one is worth nothing.",
        ) from None


def _from_files(declared: Declaration, files: Files, key: bytes | None) -> list[Difference]:
    found: list[Difference] = []
    keys: dict[str, str] = {}
    try:
        if files.board is not None and files.checkpoint is not None:
            paths = Paths(files.archive, files.board, files.checkpoint)
            with board_copy.opened(paths, key) as copy:
                found += _of_archive(declared, copy.archive, files.archive)
                found += declaration_archive.of_board(declared, copy, files.board)
                keys = _keys(copy)
        else:
            with files.archive.open("rb") as source:
                found += _of_archive(declared, archive.read(source), files.archive)
        if files.topics is not None:
            found += _of_topics(declared, files.topics, keys)
    except OSError as error:
        raise CliError(f"{error.filename} can't be read ({error.strerror}).") from None
    except (BallotError, CastonceError) as error:
        raise CliError(f"Refused: {error}.", board_copy.EVIDENCE) from None
    return found


def _of_archive(declared: Declaration, read_archive: Archive, file: Path) -> list[Difference]:
    with progress_bar("Adding ballots", read_archive.ballot_count) as bar:
        return list(declaration_archive.of_archive(declared, read_archive, file, bar.advance))


def _of_topics(declared: Declaration, dump: Path, keys: dict[str, str]) -> list[Difference]:
    with progress_bar("Reading topics") as bar:
        reader = DumpReader(dump, declared.election_id, keys, bar.advance)
        bar.show("Reading topics", 0, sum(reader.log.ends.values()))
        retold = asyncio.run(reader.read())
    return list(retold.differences(declared))


def _keys(copy: Copy) -> dict[str, str]:
    setup = copy.board.setup
    if setup is None:
        return {}
    return {name: getattr(setup.keys, name) for name in ("codes", "elections", "votes")}


def _report(differences: list[Difference]) -> None:
    if not differences:
        show_done("Every number of the declaration is what these files come to.")
        return
    show_failure(f"The declaration isn't what these files come to. {differences[0]}.")
    for one in differences[1:SHOWN]:
        show_warning(f"{one}.")
    if len(differences) > SHOWN:
        show_warning(f"And {len(differences) - SHOWN} more.")
    raise typer.Exit(1)


def _tell_what_is_open(files: Files, key: bytes | None) -> None:
    if files.board is None:
        show_warning(
            "Without --board: who signed it, the states of credentials and the board's root were"
            " not looked at."
        )
    else:
        tell_signature(key)
    if files.topics is None:
        show_warning("Without --topics: packs, envelopes, stamps and hashes are its own word.")
    show_warning("The ballots' own proofs, and who may vote: `castonce-verify` checks them.")
