"""`castonce ballot`: open a ballot that was audited instead of cast.

Promises to tell the choices only of a ballot that is made again, number by number, from what the
booth showed, and that this machine alone does it: the opening is sent nowhere. Must never hand in a
ballot. Trusts the election's text as the archive or the gateway gives it; its fingerprint, which is
on the letter, says whether it is the right one.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from ballots import archive_reading, opening
from ballots import election as belenios
from ballots.election import Election
from ballots.errors import BallotError
from ballots.opening import Opened, Opening
from cli.booth import Booth
from cli.outcomes import BoothError
from cli.screen import CliError, console, make_app, show_done, show_facts, show_warning
from deploy.local import ports
from deploy.local.home import Home

app = make_app("Open a ballot that was audited instead of cast.")

_EVIDENCE: Final = (
    "Don't vote on that device. Keep the file, and tell the helpline: it may be evidence."
)


@app.command(name="open")
def open_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The opening, as the booth saved it; - reads it.")
    ],
    *,
    tracker: Annotated[
        str | None, typer.Option("--tracker", help="The one that you noted before you audited.")
    ] = None,
    archive: Annotated[
        Path | None, typer.Option("--archive", help="The archive, UUID.bel: nobody learns of it.")
    ] = None,
    url: Annotated[
        str | None, typer.Option("--url", help="Of the voting service (default: the local stack).")
    ] = None,
    home: Annotated[Path | None, typer.Option("--home", help="Folder of the local stack.")] = None,
) -> None:
    """Say what an audited ballot holds, having made it again from its opening."""
    found = _read(file)
    election = _from_archive(archive) if archive else _from_gateway(found.election_id, url, home)
    opened = _opened(election, found)
    if tracker is not None and tracker != opened.tracker:
        raise CliError(
            f"This is another ballot: its tracker is {opened.tracker}.",
            f"The device showed {tracker} before, and opened a different one. {_EVIDENCE}",
        )
    _tell(election, opened)
    if tracker is None:
        show_warning("Is that the tracker which the booth showed before? Only then it shows much.")


def _read(file: Path) -> Opening:
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return opening.parse(raw)
    except (OSError, BallotError) as error:
        raise CliError(
            f"{file} can't be read as an opening ({type(error).__name__}).",
            'Give the file that the booth saved when you chose "Audit this one".',
        ) from None


def _opened(election: Election, found: Opening) -> Opened:
    try:
        return opening.check(election, found)
    except BallotError as error:
        raise CliError(f"This ballot isn't what its opening says: {error}.", _EVIDENCE) from None


def _from_archive(path: Path) -> Election:
    try:
        with path.open("rb") as source:
            return belenios.parse(archive_reading.read(source).election)
    except (OSError, BallotError) as error:
        raise CliError(
            f"{path} can't be read as an archive: {error}.",
            "Copy it from the board: castonce board fetch URL ELECTION --out FOLDER",
        ) from None


def _from_gateway(election_id: str, url: str | None, home: Path | None) -> Election:
    address = url or f"http://127.0.0.1:{ports.load(Home.locate(home)).of('gateway')}"
    try:
        page = asyncio.run(_page(address, election_id))
        return belenios.parse(page["election"].encode())
    except BoothError as error:
        raise CliError(str(error), "--archive UUID.bel needs no service.") from None
    except BallotError as error:
        raise CliError(f"{address} has no election to check with: {error}.", _EVIDENCE) from None


async def _page(address: str, election_id: str) -> dict[str, Any]:
    async with Booth(address) as booth:
        return await booth.election(election_id)


def _tell(election: Election, opened: Opened) -> None:
    show_done("The ballot was made again from its opening: it holds this and nothing else.")
    for question, chosen in zip(election.questions, opened.choices, strict=True):
        names = [question.answers[number] for number in chosen or ()]
        words = ", ".join(names) or ("a blank vote" if chosen is None else "nobody")
        console.print(f"  {question.question}  {words}", markup=False)
    show_facts([("Tracker", opened.tracker), ("Fingerprint", election.fingerprint)])
    show_warning("Compare the fingerprint with your letter. This ballot was not cast.")
