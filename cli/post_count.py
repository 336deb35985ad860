"""`castonce post count`: enter the paper count from a file; a second officer enters it again.

Promises that the figures are shown as they were read before anything is sent, and that a file with
an unknown key, a missing figure or a figure that is no number is refused by its place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from cli.client import HomeOption, InternalApi, TokenFileOption, new_key
from cli.people import ElectionOption
from cli.post_room import choose_election, connect_postal
from cli.screen import CliError, show_done, show_table, show_warning
from services.postal.domain.papers import PapersFound

EXAMPLE: Final = "See docs/examples/paper-count.toml."


def count(
    file: Annotated[Path, typer.Argument(help="The figures (TOML).", exists=True, dir_okay=False)],
    *,
    anew: Annotated[
        bool, typer.Option("--anew", help="Replace another officer's unconfirmed entry.")
    ] = False,
    second_token_file: Annotated[
        Path | None, typer.Option(help="The second officer's token, if both are here.")
    ] = None,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Enter the paper count. Takes two officers: both tokens, or each runs this once."""
    papers = read_papers(file)
    _show(papers)
    postal = connect_postal(home, token_file, "officer")
    election_id = choose_election(postal, election)
    seen = enter(postal, election_id, papers, anew=anew)
    if seen["state"] == "pending" and second_token_file is not None:
        second = connect_postal(home, second_token_file, "officer")
        seen = enter(second, election_id, papers)
    if seen["state"] == "pending":
        show_warning(
            f"Entered by {seen['first_official']}. A second officer must enter the same figures, "
            "from their own count and with their own token."
        )
    else:
        officers = f"{seen['first_official']} and {seen['second_official']}"
        show_done(f"The paper count is confirmed by {officers}: nothing changes it any more.")


def enter(
    postal: InternalApi, election_id: str, papers: PapersFound, *, anew: bool = False
) -> Mapping[str, Any]:
    """Enter a count as the officer whose token this is; what came of it. Raises CliError."""
    body = msgspec.to_builtins(papers) | {"anew": anew}
    seen: Mapping[str, Any] = postal.post(
        f"/elections/{election_id}/papers", body, idempotency_key=new_key()
    )
    return seen


def read_papers(path: Path) -> PapersFound:
    """The paper count in a file; raises CliError naming the place that is wrong."""
    try:
        table = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{path} can't be read ({type(error).__name__}).", EXAMPLE) from None
    except tomllib.TOMLDecodeError as error:
        raise CliError(f"{path} is not TOML: {error}.", EXAMPLE) from None
    try:
        return msgspec.convert(table, PapersFound)
    except msgspec.ValidationError as error:
        words, _, place = str(error).partition(" - at `$")
        where = place.removeprefix(".").rstrip("`") or "the file"
        raise CliError(f"{path}, {where}: {words}.", EXAMPLE) from None


def _show(papers: PapersFound) -> None:
    for question in papers.questions:
        rows: list[tuple[object, ...]] = list(question.answers.items())
        rows += [("blank", question.blank)] if question.blank else []
        show_table(question.question, ("Answer", "Papers"), rows)
    rejected = [(f"rejected: {reason}", found) for reason, found in papers.rejected.items()]
    found = papers.valid + sum(papers.rejected.values())
    show_table("Papers", ("", "Papers"), [("valid", papers.valid), *rejected, ("found", found)])
