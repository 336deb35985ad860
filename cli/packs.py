"""`castonce packs`: making, registering, printing and replacing ballot packs.

The commands here talk to `codes` and `identity` as an officer; those that need no network are in
`packs_offline` and `packs_check`. No code is ever shown or sent.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from cli import packs_check, packs_files, packs_offline
from cli.client import CutOff, HomeOption, InternalApi, TokenFileOption, connect, new_key
from cli.packs_print import grouped_serial
from cli.people import ElectionOption, choose_election, find_elector
from cli.screen import (
    CliError,
    console,
    make_app,
    progress_bar,
    show_done,
    show_table,
    show_warning,
)

app = make_app("Ballot packs: made, registered, printed, replaced.")

LONG_SECONDS = 900.0
DECISION_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.1
_STAGES = {
    "reading": "Reading the file",
    "checking": "Checking credentials",
    "storing": "Drawing packs for electors",
    "granting": "Granting",
}

ReasonOption = Annotated[
    str, typer.Option("--reason", help="Why; kept with your staff id in codes, not in the log.")
]


app.command()(packs_offline.keys)
app.command()(packs_offline.make)
app.command("print")(packs_offline.print_packs)
app.command()(packs_check.check)


@app.command("import")
def import_registration(
    registration: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    *,
    leave_over: Annotated[
        bool, typer.Option("--leave-over", help="Keep packs beyond the electors as spares.")
    ] = False,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Take a registration in: draw packs for electors and grant them; again changes nothing."""
    election_id = election or _election_of(registration)
    codes = _codes(home, token_file)
    report = send_registration(codes, election_id, registration.read_bytes(), leave_over)
    show_done(
        f"{report['assigned']} electors have a pack; {report['spares']} spares, "
        f"{report['left_over']} left over."
        if report["is_new"]
        else "This registration was taken in before: nothing changed."
    )


def send_registration(
    codes: InternalApi, election_id: str, content: bytes, leave_over: bool
) -> dict[str, Any]:
    """Send a registration under a progress bar; the report. Raises CliError."""
    lines = codes.stream(
        f"/elections/{election_id}/registration",
        content=content,
        params={"leave_over": leave_over},
    )
    with progress_bar("Sending the registration") as bar:
        for line in lines:
            if "progress" in line:
                news = line["progress"]
                bar.show(_STAGES.get(news["stage"], news["stage"]), news["done"], news["total"])
            if "report" in line:
                return dict(line["report"])
    raise CutOff()


@app.command()
def grant(
    *, election: ElectionOption = None, home: HomeOption = None, token_file: TokenFileOption = None
) -> None:
    """Give spares to electors who came on the roll after the import."""
    election_id = _election(election, home, token_file)
    path = f"/elections/{election_id}/packs/grant"
    done = _codes(home, token_file).post(path, idempotency_key=new_key())
    show_done(f"{done['granted']} electors got a spare pack.")


@app.command("export-assignments")
def export_assignments(
    *,
    out: Annotated[Path, typer.Option(help="The file for the printer.")],
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Write which pack stands for which right, for `packs print`."""
    election_id = _election(election, home, token_file)
    api = _codes(home, token_file)
    count = export(api, f"/elections/{election_id}/assignments", out, "assignments")
    if not count:
        show_warning(f"No assignment is in {out}: `castonce packs import` gives electors packs.")
        return
    show_done(f"{count} assignments are in {out}.")


@app.command("export-addresses")
def export_addresses(
    *,
    out: Annotated[Path, typer.Option(help="The file for the printer; it holds names.")],
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Write names and addresses by right, for `packs print`."""
    identity = connect("identity", home=home, token_file=token_file, timeout_seconds=LONG_SECONDS)
    election_id = choose_election(identity, election)
    count = export(identity, f"/elections/{election_id}/addresses", out, "addresses")
    show_done(f"{count} addresses are in {out}: people's particulars.")


def export(api: InternalApi, path: str, out: Path, what: str) -> int:
    """Write an NDJSON answer to a private file; how many lines it told.

    Raises CliError, and CutOff unless all came that its end counts; then no file is written.
    """
    with packs_files.private_file(out) as stream:
        for count, line in enumerate(api.stream(path, method="GET")):
            stream.write(msgspec.json.encode(line) + b"\n")
            if "end" in line and line["end"][what] == count:
                return count
        raise CutOff()


@app.command()
def replace(
    who: Annotated[str, typer.Argument(help="Membership number, or right id.")],
    *,
    reason: ReasonOption,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Replace a lost pack by a spare; refused if the elector has voted."""
    identity = connect("identity", home=home, token_file=token_file)
    right_id = str(find_elector(identity, who, election)["right_id"])
    seen = replaced(_codes(home, token_file), right_id, reason)
    if seen["outcome"] == "refused":
        raise CliError(
            f"The old pack stands: {seen['reason'].replace('_', ' ')}.",
            "If the elector says that they didn't vote, look at `castonce cases list`.",
        )
    if seen["outcome"] == "undecided":
        show_warning("Not decided yet: look at `castonce packs balance` in a moment.")
        return
    serial = grouped_serial(seen["serial"])
    show_done(f"The pack {serial} stands for the elector now; the old code is dead.")
    console.print(f"Export again, then: castonce packs print --serial {serial} ...")


def replaced(codes: InternalApi, right_id: str, reason: str) -> dict[str, Any]:
    """Ask for a replacement and wait for the decision; raises CliError."""
    asked = codes.post(
        f"/rights/{right_id}/replace-pack", {"reason": reason}, idempotency_key=new_key()
    )
    deadline = time.monotonic() + DECISION_SECONDS
    while True:
        seen = dict(codes.get(f"/replacements/{asked['replacement_id']}"))
        if seen["outcome"] != "undecided" or time.monotonic() > deadline:
            return seen
        time.sleep(_LOOK_EVERY_SECONDS)


@app.command()
def replacements(
    who: Annotated[str, typer.Argument(help="Membership number, or right id.")],
    *,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Show who replaced an elector's packs, and why; the log has a word of a closed list only."""
    identity = connect("identity", home=home, token_file=token_file)
    right_id = str(find_elector(identity, who, election)["right_id"])
    found = _codes(home, token_file).get(f"/rights/{right_id}/replacements")["replacements"]
    show_table(
        f"Replacements ({len(found)})",
        ["Old pack", "New pack", "Asked by", "Why", "Outcome"],
        [
            (
                grouped_serial(one["old_serial"]),
                grouped_serial(one["serial"]),
                one["official"],
                one["words"],
                " ".join((one["outcome"], one["reason"].replace("_", " "))).strip(),
            )
            for one in found
        ],
    )


@app.command()
def undelivered(
    serials: Annotated[list[str], typer.Argument(help="Serials of letters that came back.")],
    *,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Note that letters came back; the packs still stand, and can be replaced."""
    codes = _codes(home, token_file)
    for serial in [packs_offline.canonical_serial(one) for one in serials]:
        codes.post(f"/packs/{serial}/undelivered", idempotency_key=new_key())
        show_done(f"{grouped_serial(serial)} came back.")


@app.command()
def balance(
    *, election: ElectionOption = None, home: HomeOption = None, token_file: TokenFileOption = None
) -> None:
    """Show where every pack has ended up; exit code 1 if it doesn't add up."""
    election_id = _election(election, home, token_file)
    found = _codes(home, token_file).get(f"/elections/{election_id}/packs/balance")
    rows = [(state.replace("_", " "), count) for state, count in found["states"].items()]
    show_table("Packs", ["State", "Packs"], [*rows, ("made", found["made"])])
    for text in _notes(found):
        show_warning(text)
    if not found["is_balanced"]:
        raise CliError("The packs don't add up.", "Look at the log of codes, and ask for help.")


def _notes(found: dict[str, Any]) -> Iterator[str]:
    if found["rights_without_pack"]:
        yield f"{found['rights_without_pack']} electors have no pack: `castonce packs grant`."
    if found["replacements_undecided"]:
        yield f"{found['replacements_undecided']} replacements await their decision."


def _codes(home: Path | None, token_file: Path | None) -> InternalApi:
    return connect("codes", home=home, token_file=token_file, timeout_seconds=LONG_SECONDS)


def _election(election: str | None, home: Path | None, token_file: Path | None) -> str:
    if election:
        return election
    return choose_election(connect("identity", home=home, token_file=token_file), None)


def _election_of(registration: Path) -> str:
    with registration.open("rb") as stream:
        line = stream.readline(4096)
    try:
        return str(msgspec.json.decode(line, type=dict[str, Any])["election"])
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError):
        raise CliError(
            f"{registration} is no registration file.", "Give the one that `packs make` wrote."
        ) from None
