"""`castonce packs keys | make | print`: what happens away from the servers, without a network.

Run on the credential authority's and the printer's own machines. Must never show a code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
import typer

from ballots import codes as code_forms
from ballots.errors import BallotError
from cli import packs_files
from cli.packs_make import make_packs
from cli.packs_print import join, write_letters
from cli.packs_sealed import read_sealed
from cli.screen import CliError, console, progress_bar, show_done, show_warning
from shared.contracts.fields import ElectionId

Key = Annotated[Path, typer.Option("--authority-key", help="The authority's authority.key.")]


def keys(
    folder: Annotated[Path, typer.Argument(help="Where to put the four key files.")],
) -> None:
    """Make the key pairs of the credential authority and of the printer. Needs no network."""
    public = packs_files.make_keys(folder)
    show_done(f"Two key pairs are in {folder}. The .key files are secret; keep copies apart.")
    typer.echo(f"authority  {public[packs_files.AUTHORITY]}")
    typer.echo(f"printer    {public[packs_files.PRINTER]}")
    console.print("The officer needs the authority's public key to create the election.")


def make(
    *,
    election: Annotated[str, typer.Option("--election", help="Id of the election.")],
    count: Annotated[int, typer.Option(min=1, max=1_000_000, help="Packs: one per elector.")],
    spares: Annotated[int, typer.Option(min=0, max=500_000, help="Packs for lost ones.")],
    authority_key: Key,
    printer_key: Annotated[Path, typer.Option(help="The printer's printer.pub.")],
    out: Annotated[Path, typer.Option(help="A new folder for the two files.")],
    processes: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes (default: one per core).")
    ] = None,
) -> None:
    """Make codes, the registration file and the sealed file. Needs no network."""
    _require_election_id(election)
    authority = packs_files.load_authority(authority_key)
    printer = packs_files.load_public(printer_key)
    with progress_bar("Making packs", count + spares) as bar:
        made = make_packs(
            election,
            count,
            spares,
            authority=authority,
            printer_public=printer,
            out=out,
            processes=processes,
            on_progress=lambda done, total: bar.show("Making packs", done, total),
        )
    show_done(f"{made.size} packs are in {out}.")
    # Plain lines, never cut to the width of the screen: people copy them.
    typer.echo(f"root  {made.root}")
    typer.echo(f"size  {made.size}")
    typer.echo(f"for codes        {made.registration}  (confidential)")
    typer.echo(f"for the printer  {made.sealed}  (only the printer's key opens it)")
    console.print("Tell the officer root and size by a way that nobody can change on the way.")


def print_packs(
    *,
    sealed: Annotated[Path, typer.Option(help="The sealed file.")],
    printer_key: Annotated[Path, typer.Option(help="The printer's printer.key.")],
    assignments: Annotated[Path, typer.Option(help="From `packs export-assignments`.")],
    addresses: Annotated[Path, typer.Option(help="From `packs export-addresses`.")],
    booth_url: Annotated[
        str, typer.Option(help="Where electors vote, as it is printed: https://...")
    ],
    out: Annotated[Path, typer.Option(help="The CSV file for mail merge; it holds codes.")],
    serial: Annotated[
        list[str] | None, typer.Option(help="Only this pack, such as a replacement; repeatable.")
    ] = None,
    authority_key: Annotated[
        Path | None, typer.Option(help="The authority's authority.pub, to insist on it.")
    ] = None,
) -> None:
    """Join codes, serials and addresses into letters. Needs no network; can be repeated."""
    _require_https(booth_url)
    pinned = None if authority_key is None else packs_files.load_public(authority_key)
    only = {canonical_serial(one) for one in serial or ()}
    with progress_bar("Opening the codes") as bar:
        opened = read_sealed(sealed, packs_files.load_private(printer_key), pinned)
        bar.show("Joining", 0)
        letters = join(opened, assignments, addresses, only)
        write_letters(
            letters,
            opened.header.election,
            booth_url,
            out,
            lambda done, total: bar.show("Writing letters", done, total),
        )
    if letters:
        show_done(f"{len(letters)} letters are in {out}. It holds codes: delete it after printing.")
    else:
        show_warning(f"No letter is in {out}: no pack was assigned when the files were exported.")
    if pinned is None:
        typer.echo(f"signed by the authority with key {opened.authority}")


def _require_https(booth_url: str) -> None:
    try:
        parts = urlsplit(booth_url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "https" or not parts.hostname:
        raise CliError(
            f"{booth_url!r} is no https address, and the letters' links lead there with the code.",
            "Give --booth-url such as https://vote.example.org/.",
        )


def _require_election_id(election_id: str) -> None:
    try:
        msgspec.convert(election_id, ElectionId)
    except msgspec.ValidationError:
        raise CliError("That is no election id.", "See `castonce election list`.") from None


def canonical_serial(serial: str) -> str:
    """A typed serial in its canonical spelling; raises CliError."""
    try:
        return code_forms.serial_canonical(serial)
    except BallotError as error:
        raise CliError(f"{serial} is no pack serial: {error}.", "Look at the letter.") from None
