"""The steps that an officer takes before their hour, or in their turn: open, close, close the post.

Promises that repeating a command is safe, and that "done" is only said of what stands in the log.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from cli.client import HomeOption, InternalApi, TokenFileOption, connect
from cli.election_show import is_past_post, show_end_warnings
from cli.people import ElectionOption, choose_election
from cli.readiness import YesOption, require_packs
from cli.screen import CliError, show_done, show_warning

steps = typer.Typer()

POST_ANSWER_SECONDS = 15.0
ForceOption = Annotated[
    bool,
    typer.Option("--force", help="Don't wait for the calendar's hour, only that; it is recorded."),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why it is forced; it is recorded.")]


@steps.command("open")
def open_election(
    *,
    election: ElectionOption = None,
    force: ForceOption = False,
    reason: ReasonOption = "",
    yes: YesOption = False,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Open an election for voting (it opens by itself at its hour); asks if packs are missing."""
    api = connect("elections", home=home, token_file=token_file)
    _require_reason(force, reason)
    chosen = choose_election(api, election)
    require_packs(chosen, home, token_file, yes)
    _step(api, chosen, "open", force, reason)
    show_done("Voting is open.")


@steps.command("close-online")
def close_online(
    election: ElectionOption = None,
    force: ForceOption = False,
    reason: ReasonOption = "",
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Close the online channel (it closes by itself at its hour)."""
    api = connect("elections", home=home, token_file=token_file)
    chosen = _step(api, election, "close-online", force, reason)
    show_done("Online voting is closed.")
    show_end_warnings(api.get(f"/elections/{chosen}")["end"])


@steps.command("close-post")
def close_post(
    election: ElectionOption = None,
    force: ForceOption = False,
    reason: ReasonOption = "",
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Close the post, if every batch is closed and every scan decided."""
    api = connect("elections", home=home, token_file=token_file)
    chosen = _step(api, election, "close-post", force, reason)
    found = _after_post_answer(api, chosen)
    if is_past_post(found["phase"]):
        show_done("The post is closed.")
        if not found["certifiable"]:
            show_warning("Not every part of the log has said so yet: see `castonce election show`.")
        return
    if found["phase"] == "post_closing":
        raise CliError("Postal hasn't answered yet.", "See `castonce election show` in a moment.")
    answer = found["post_answer"] or {}
    batches = ", ".join(map(str, answer.get("open_batches", []))) or "none"
    raise CliError(
        f"The post isn't ready: open batches {batches}; scans without decision "
        f"{answer.get('undecided', 0)}.",
        "Close the batches with `castonce post batch`, then repeat this command.",
    )


def _step(
    api: InternalApi, election_id: str | None, step: str, is_forced: bool, reason: str
) -> str:
    _require_reason(is_forced, reason)
    chosen = choose_election(api, election_id)
    order(api, f"/elections/{chosen}/{step}", {"force": is_forced, "reason": reason})
    return chosen


def _require_reason(is_forced: bool, reason: str) -> None:
    if is_forced and not reason:
        raise CliError("A forced step needs a reason.", "Add --reason: it is recorded.")


def order(api: InternalApi, path: str, body: dict[str, Any]) -> Any:
    """Have a step taken; its answer. Raises CliError while it isn't back from the log."""
    status, answer = api.post_with_status(path, body)
    if status == 202:
        raise CliError(
            "It is ordered, and not in the log yet.",
            "It will be, without you. See `castonce election show`, and `castonce status`.",
        )
    return answer


def _after_post_answer(api: InternalApi, election_id: str) -> dict[str, Any]:
    """The election once postal has answered and the barriers are there, or after a while."""
    deadline = time.monotonic() + POST_ANSWER_SECONDS
    while True:
        found: dict[str, Any] = api.get(f"/elections/{election_id}")
        was_refused = found["phase"] == "online_closed"
        if was_refused or found["certifiable"] or time.monotonic() > deadline:
            return found
        time.sleep(0.1)
