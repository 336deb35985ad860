"""The end of an election: hand in what trustees decrypted, see the result, declare it.

Promises that a declaration is shown before it is signed, and signed only after a yes; that what
stands in its way is listed whole; and that nobody publishes how a handful of people voted without
having been told so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ballots import declaration
from ballots.declaration import Content
from cli.client import HomeOption, InternalApi, TokenFileOption, connect
from cli.declaration_show import show_content
from cli.election_show import decryptions_in_words
from cli.election_steps import order
from cli.people import ElectionOption, choose_election
from cli.readiness import YesOption
from cli.screen import CliError, show_done, show_facts, show_table, show_warning

results = typer.Typer()

MAX_FILE_BYTES = 1_000_000
FEW_VOTES = 10
"""A channel with fewer votes is one whose voters may be known to each other."""
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Write the declaration to this new file, too.")
]


@results.command()
def decryption(
    file: Annotated[
        Path, typer.Argument(help="As `castonce trustee decrypt` wrote it.", dir_okay=False)
    ],
    trustee: Annotated[
        int,
        typer.Option("--trustee", min=0, help="Number of the trustee; found by the key if absent."),
    ] = 0,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Hand in a trustee's partial decryption; every proof in it is checked."""
    api = connect("elections", home=home, token_file=token_file)
    path = f"/elections/{choose_election(api, election)}"
    body = {"partial_decryption": _read(file), "owner": trustee}
    taken = order(api, f"{path}/decryptions", body)
    show_done(f"The partial decryption of trustee {taken['owner']} is checked and taken.")
    found = api.get(path)
    show_facts([("Trustees", decryptions_in_words(found["end"]))])


@results.command()
def result(
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Show the result: by channel and in total once declared, the online votes before."""
    api = connect("elections", home=home, token_file=token_file)
    path = f"/elections/{choose_election(api, election)}"
    found = api.get(f"{path}/declaration")
    if found["declaration"] is not None:
        show_content(declaration.parse(found["declaration"].encode()))
        show_done("This is declared.")
        return
    if found["draft"] is not None:
        show_content(msgspec.convert(found["draft"], Content))
        show_warning("Not declared yet: `castonce election declare` signs and publishes it.")
        return
    _show_online(api.get(path)["end"])
    _show_reasons(found["reasons"])


@results.command()
def declare(
    election: ElectionOption = None,
    out: OutOption = None,
    yes: YesOption = False,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Declare the result: shows all that will be said, asks, then signs and publishes it."""
    api = connect("elections", home=home, token_file=token_file)
    chosen = choose_election(api, election)
    path = f"/elections/{chosen}"
    _require_new(out)
    found = api.get(f"{path}/declaration")
    made = found["declaration"]
    if made is None:
        made = _declared(api, path, found, yes)
        show_done("The result is declared.")
    else:
        show_done("The result was declared before; nothing is done twice.")
    show_facts([("Election", chosen), ("SHA-256", declaration.digest(made.encode()))])
    if out is not None:
        out.write_text(made + "\n", "utf-8")
        show_facts([("Written to", out)])


def _declared(api: InternalApi, path: str, found: dict[str, Any], is_agreed: bool) -> str:
    if found["draft"] is None:
        lines = "\n".join(f"  {reason}" for reason in found["reasons"])
        raise CliError("It can't be declared yet:", lines)
    content = msgspec.convert(found["draft"], Content)
    show_content(content)
    for warning in few_votes(content):
        show_warning(warning)
    if not is_agreed:
        typer.confirm("Sign and publish this declaration? It can't be undone", abort=True)
    return str(order(api, f"{path}/declare", {})["declaration"])


def few_votes(content: Content) -> list[str]:
    """A sentence for each channel with so few votes that its column says how people voted."""
    votes = {"online": content.turnout.online, "by post": content.papers.valid}
    return [
        f"Only {count} voted {channel}: the declaration shows that column, and so how they voted"
        f" if all agree, or to whoever knows how the others did. Fewer than {FEW_VOTES} is few."
        for channel, count in votes.items()
        if 0 < count < FEW_VOTES
    ]


def _show_online(end: dict[str, Any]) -> None:
    if end["online"] is None:
        show_facts([("Trustees", decryptions_in_words(end))])
        return
    for question in end["online"]:
        rows = [(one["answer"], one["online"]) for one in question["answers"]]
        if question["blank"] is not None:
            rows.append(("(blank)", question["blank"]))
        show_table(question["question"], ("Answer", "Online"), rows)


def _show_reasons(reasons: list[str]) -> None:
    show_warning("Online votes only, and not declared. Still in the way:")
    for reason in reasons:
        show_warning(reason)


def _read(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_FILE_BYTES:
            raise CliError(f"{file} is too long for a partial decryption.")
        return file.read_text("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError):
        raise CliError(
            f"{file} can't be read as a partial decryption.",
            "It is the file that `castonce trustee decrypt` wrote.",
        ) from None


def _require_new(out: Path | None) -> None:
    if out is not None and out.exists():
        raise CliError(f"{out} exists already.", "Name a new file.")
