"""What an officer must have seen before a step that can't be taken back: counts, root and size.

Promises that nothing goes on without a yes, from the keyboard or by --yes, and that a count that
can't be asked is said to be unknown, never taken for enough.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from cli.client import connect
from cli.screen import CliError, show_facts, show_warning

YesOption = Annotated[bool, typer.Option("--yes", help="Don't ask before what can't be undone.")]
_WITH_A_PACK = ("unused", "undelivered", "voted_online", "voted_by_post")
"""The states of `packs balance` in which a pack stands for an elector who may vote."""


class Packs(NamedTuple):
    """How many electors may vote, and how many of them have a pack."""

    electors: int
    with_pack: int


def require_packs(election_id: str, home: Path | None, token: Path | None, is_agreed: bool) -> None:
    """Ask before electors are left without a pack; raises typer.Abort for a no."""
    try:
        found = count_packs(election_id, home, token)
    except CliError as error:
        show_warning(f"It isn't known how many electors have a pack: {error.title}")
    else:
        if found.electors and found.with_pack >= found.electors:
            return
        show_warning(_what_is_missing(found))
    if not is_agreed:
        typer.confirm("Open the election all the same? It can't be undone", abort=True)


def count_packs(election_id: str, home: Path | None, token: Path | None) -> Packs:
    """Electors of the roll who aren't withdrawn, and packs that stand; raises CliError."""
    path = f"/elections/{election_id}"
    roll: dict[str, Any] = connect("identity", home=home, token_file=token).get(f"{path}/summary")
    packs = connect("codes", home=home, token_file=token).get(f"{path}/packs/balance")["states"]
    return Packs(
        roll["electors"] - roll["withdrawn"], sum(packs.get(state, 0) for state in _WITH_A_PACK)
    )


def require_list(election_id: str, root: str, size: int, is_agreed: bool) -> None:
    """Show the credential list that will be fixed, and ask; raises typer.Abort for a no."""
    show_facts([("Election", election_id), ("Size", f"{size:,} credentials")])
    # A line of its own, never cut to the width of the screen: it is compared digit by digit.
    typer.echo(f"Root      {root}")
    if not is_agreed:
        question = "Are root and size what the authority told you? They can't be changed afterwards"
        typer.confirm(question, abort=True)


def _what_is_missing(found: Packs) -> str:
    if not found.electors:
        return "Nobody is on the roll: import one with `castonce roll import` first."
    missing = found.electors - found.with_pack
    return (
        f"{found.electors:,} electors are on the roll and {found.with_pack:,} packs stand for"
        f" them: {missing:,} electors can't vote. Give them packs with `castonce packs import` or"
        " `castonce packs grant` first."
    )
