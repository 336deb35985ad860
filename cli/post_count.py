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
    correct: Annotated[
        bool, typer.Option("--correct", help="Replace the confirmed count, before the declaration.")
    ] = False,
    reason: Annotated[
        str, typer.Option(help="Why it is corrected: in the log only as one word of a list.")
    ] = "",
    second_token_file: Annotated[
        Path | None, typer.Option(help="The second officer's token, if both are here.")
    ] = None,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Enter the paper count. Takes two officers: both tokens, or each runs this once."""
    if correct and not reason:
        raise CliError("Say why the count is corrected.", "Add --reason.")
    papers = read_papers(file)
    _show(papers)
    postal = connect_postal(home, token_file, "officer")
    election_id = choose_election(postal, election)
    why: dict[str, Any] = {"correct": True, "reason": reason} if correct else {}
    seen = enter(postal, election_id, papers, anew=anew, **why)
    if _first_of(seen) and second_token_file is not None:
        second = connect_postal(home, second_token_file, "officer")
        seen = enter(second, election_id, papers, **why)
    _show_seen(seen)


def enter(
    postal: InternalApi, election_id: str, papers: PapersFound, *, anew: bool = False, **why: Any
) -> Mapping[str, Any]:
    """Enter a count as the officer whose token this is; what came of it. Raises CliError.

    `why`: `correct` and `reason`, where it corrects a confirmed count.
    """
    body = msgspec.to_builtins(papers) | {"anew": anew} | why
    seen: Mapping[str, Any] = postal.post(
        f"/elections/{election_id}/papers", body, idempotency_key=new_key()
    )
    return seen


def _first_of(seen: Mapping[str, Any]) -> str | None:
    """Whose entry waits for a second officer."""
    begun: str | None = seen["pending_correction"]
    return seen["first_official"] if seen["state"] == "pending" else begun


def _show_seen(seen: Mapping[str, Any]) -> None:
    if first := _first_of(seen):
        show_warning(
            f"Entered by {first}. A second officer must enter the same figures, "
            "from their own count and with their own token."
        )
        return
    count = f"Correction {seen['correction']} of the" if seen["correction"] else "The"
    officers = f"{seen['first_official']} and {seen['second_official']}"
    show_done(
        f"{count} paper count is confirmed by {officers}. Until the declaration two officers can"
        " correct it (--correct)."
    )


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
