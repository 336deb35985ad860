"""`castonce roll`: import a roll, look somebody up, withdraw a right, unlock an online channel.

Shows people's particulars on the official's own screen only. Repeating a command is safe.
"""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import CutOff, HomeOption, InternalApi, TokenFileOption, connect
from cli.people import ElectionOption, choose_election, clock_time, find_elector
from cli.roll_report import show_report
from cli.screen import (
    CliError,
    console,
    make_app,
    progress_bar,
    show_done,
    show_facts,
    show_table,
    show_warning,
)
from cli.spreadsheet import write_csv

app = make_app("The roll: who may vote, and what stands in their way.")

IMPORT_TIMEOUT_SECONDS = 600.0
DECISION_SECONDS = 10.0
_STAGES = {
    "reading": "Reading the file",
    "checking": "Checking rows",
    "comparing": "Comparing with the roll",
    "writing": "Writing to the database",
    "signing": "Signing events",
    "announcing": "Events in the log",
}


class Dates(StrEnum):
    """How dates such as 3/4/1980 are read."""

    auto = "auto"
    day_first = "day-first"
    month_first = "month-first"


WhoArgument = Annotated[str, typer.Argument(metavar="WHO", help="Membership number, or right id.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept with your staff id.")]


@app.command("import")
def import_roll(
    file: Annotated[Path, typer.Argument(help="The roll as CSV.", exists=True, dir_okay=False)],
    *,
    election: ElectionOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    bad_rows: Annotated[
        Path | None, typer.Option("--bad-rows", help="Write bad rows to this CSV file.")
    ] = None,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Import the good rows and leave the bad ones.")
    ] = False,
    every: Annotated[
        bool, typer.Option("--all", help="Show every bad row and duplicate, however many.")
    ] = False,
    dates: Annotated[Dates, typer.Option(help="Order of day and month.")] = Dates.auto,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Import a roll file, wholly or not at all; the same file twice changes nothing."""
    identity = connect(
        "identity", home=home, token_file=token_file, timeout_seconds=IMPORT_TIMEOUT_SECONDS
    )
    path = f"/elections/{choose_election(identity, election)}/roll"
    params: dict[str, str | int | bool] = {
        "dry_run": dry_run,
        "skip_bad_rows": skip_bad_rows,
        "dates": dates.value.replace("-", "_"),
    }
    report, found = send_roll(identity, path, file.read_bytes(), params)
    show_report(report, found, is_whole=every)
    if bad_rows is not None:
        count = write_bad_rows(bad_rows, report, found)
        console.print(f"{count} bad rows are in {bad_rows}, which holds people's particulars.")
    if not report["imported"] and not dry_run:
        raise CliError(
            f"Nothing was imported: {len(found)} rows are bad.",
            "Mend the file and import it again, or leave them out with --skip-bad-rows.",
        )


def send_roll(
    identity: InternalApi, path: str, content: bytes, params: dict[str, str | int | bool]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Send the file under a progress bar: the report and every bad row.

    Raises CliError, and CutOff unless all rows came that the report counts.
    """
    bad_rows: list[dict[str, Any]] = []
    with progress_bar("Sending the file") as bar:
        for line in identity.stream(path, content=content, params=params):
            if "progress" in line:
                news = line["progress"]
                bar.show(_STAGES.get(news["stage"], news["stage"]), news["done"], news["total"])
            bad_rows.extend(line.get("bad_rows", ()))
            if "report" in line and line["report"]["bad_rows"] == len(bad_rows):
                return line["report"], bad_rows
    raise CutOff()


def write_bad_rows(path: Path, report: dict[str, Any], bad_rows: list[dict[str, Any]]) -> int:
    """Write the bad rows with line and reason before their own cells; how many they are."""
    titles = [column["title"] for column in report["columns"]]
    rows = ([row["line"], row["reason"], *row["cells"]] for row in bad_rows)
    return write_csv(path, ["Line", "Reason", *titles], rows)


@app.command()
def find(
    who: WhoArgument,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Show an elector and how the right stands."""
    show_elector(find_elector(connect("identity", home=home, token_file=token_file), who, election))


@app.command()
def locked(
    election: ElectionOption = None, home: HomeOption = None, token_file: TokenFileOption = None
) -> None:
    """List electors whose online channel is locked."""
    identity = connect("identity", home=home, token_file=token_file)
    found = identity.get(f"/elections/{choose_election(identity, election)}/locked")["electors"]
    show_table(
        f"Locked ({len(found)})",
        ["Number", "Name", "Since", "Unlocking asked by"],
        [
            (
                one["membership_number"],
                one["name"],
                clock_time(one["locked_at_ms"]),
                one["unlock_asked_by"],
            )
            for one in found
        ],
    )


@app.command()
def withdraw(
    who: WhoArgument,
    reason: ReasonOption,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Take an unused right away (died, left, expelled); a right that was used stays."""
    identity = connect("identity", home=home, token_file=token_file)
    elector = find_elector(identity, who, election)
    path = f"/rights/{elector['right_id']}"
    asked = identity.post(f"{path}/withdraw", json={"reason": reason})
    decided = _await_decision(identity, path, asked["withdrawal_id"])
    if decided["withdrawn_at_ms"]:
        show_done(f"Withdrawn since {clock_time(decided['withdrawn_at_ms'])}.")
    elif refused := decided["withdrawals_refused"].get(asked["withdrawal_id"]):
        raise CliError(
            f"Not withdrawn: {refused.replace('_', ' ')}.",
            "See `castonce cases list` if the right was used.",
        )
    else:
        show_warning("Asked for; the decision is not here yet: see `castonce roll find`.")


def _await_decision(identity: InternalApi, path: str, withdrawal_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + DECISION_SECONDS
    while True:
        elector: dict[str, Any] = identity.get(path)
        is_decided = elector["withdrawn_at_ms"] or withdrawal_id in elector["withdrawals_refused"]
        if is_decided or time.monotonic() > deadline:
            return elector
        time.sleep(0.1)


@app.command()
def unlock(
    who: WhoArgument,
    reason: ReasonOption,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Unlock an online channel after five wrong answers; takes two officials, one by one."""
    identity = connect("identity", home=home, token_file=token_file)
    elector = find_elector(identity, who, election)
    path = f"/rights/{elector['right_id']}/unlock"
    _, answer = identity.post_with_status(path, json={"reason": reason})
    if answer["state"] == "unlocked":
        show_done("Unlocked: five attempts are left again.")
    else:
        console.print("Asked for. A second official must run the same command within a day.")


def show_elector(elector: dict[str, Any]) -> None:
    """One elector on the screen."""
    show_facts(
        [
            ("Number", elector["membership_number"]),
            ("Name", elector["name"]),
            ("Address", ", ".join([*elector["address"], elector["postcode"]])),
            ("Right", elector["right_id"]),
            ("Standing", _standing(elector)),
            ("Online", _online(elector)),
        ]
    )


def _standing(elector: dict[str, Any]) -> str:
    if elector["withdrawn_at_ms"]:
        return f"withdrawn since {clock_time(elector['withdrawn_at_ms'])}"
    return "may vote"


def _online(elector: dict[str, Any]) -> str:
    if not elector["locked_at_ms"]:
        return f"open, {elector['wrong_answers']} wrong answers"
    asked = f"; {elector['unlock_asked_by']} asks to unlock" if elector["unlock_asked_by"] else ""
    return f"locked since {clock_time(elector['locked_at_ms'])}{asked}"
