"""`castonce post`: the scanning room. Scan envelopes, void wrong scans, close batches.

Promises that a scan can be repeated without being counted twice, and that a typing error is told
at once. Colour and a sound say what to do with the envelope: keep it in the batch, or set it aside.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.text import Text

from cli import post_count
from cli.client import CutOff, HomeOption, InternalApi, TokenFileOption, new_key
from cli.packs_print import grouped_serial
from cli.people import ElectionOption
from cli.post_files import read_scans
from cli.post_room import choose_election, connect_postal
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

app = make_app("The scanning room: envelopes, batches, wrong scans, and the paper count.")
batch_app = make_app("Batches of envelopes.")
app.add_typer(batch_app, name="batch")
app.command()(post_count.count)

BELL: Final = "\a"
SHOWN: Final = 50
"""Envelopes that are listed one by one; the rest is counted."""

REASONS: Final[Mapping[str, str]] = {
    "not_open": "voting hadn't opened",
    "late": "late: the post was closed",
    "unknown_right": "the elector is unknown",
    "unknown_serial": "no pack has this serial",
    "withdrawn": "the elector was taken off the roll",
    "replaced": "the pack was replaced by another one",
    "voted_online": "the elector had voted online",
    "voted_by_post": "an envelope of this elector was there before",
}

BatchOption = Annotated[int, typer.Option("--batch", min=1, max=1_000_000, help="The batch.")]


@app.command()
def scan(
    serial: Annotated[str, typer.Argument(help="The envelope's serial, scanned or typed.")],
    *,
    batch: BatchOption = 1,
    scan_id: Annotated[
        str | None, typer.Option("--scan-id", help="To repeat a scan whose answer was lost.")
    ] = None,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Scan one envelope; exit code 1 if it is set aside."""
    if not serial.strip():
        raise CliError("No serial was scanned.", "Scan the envelope again, or type its serial.")
    postal = connect_postal(home, token_file)
    election_id = choose_election(postal, election)
    wanted = scan_id or secrets.token_hex(12)
    body = {"serial": serial, "scan_id": wanted, "batch": batch}
    try:
        seen = postal.post(f"/elections/{election_id}/scans", body)
    except CliError as error:
        if "did not answer" in error.title:
            raise CliError(error.title, f"Repeat the scan with --scan-id {wanted}.") from error
        raise
    _show(seen)
    if seen["outcome"] == "set_aside":
        raise typer.Exit(1)


def _show(seen: Mapping[str, Any]) -> None:
    serial, where = grouped_serial(seen["serial"]), f"scan {seen['scan_id']}"
    if seen["outcome"] == "admitted":
        console.print(
            Text(f" ADMITTED  batch {seen['batch']} ", style="bold white on green"),
            Text(f" {serial}, {where}"),
        )
    elif seen["outcome"] == "undecided":
        show_warning(f"{serial}: not known yet. Look again: castonce post show {seen['scan_id']}")
    else:
        word = "VOID" if seen["outcome"] == "voided" else "SET ASIDE"
        reason = REASONS.get(seen["reason"], seen["reason"])
        console.print(
            Text(f" {word} ", style="bold white on red"), Text(f" {serial}, {where}: {reason}")
        )
        console.file.write(BELL)


@app.command()
def show(
    scan_id: Annotated[str, typer.Argument(help="The id that the scan was given.")],
    *,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Show what became of a scan, and why officials voided it."""
    postal = connect_postal(home, token_file)
    seen = postal.get(f"/elections/{choose_election(postal, election)}/scans/{scan_id}")
    _show(seen)
    for void in seen["voids"]:
        show_facts([("asked to void it", f"{void['first_official']}: {void['first_reason']}")])
        if void["second_official"] is not None:
            show_facts([("confirmed", f"{void['second_official']}: {void['second_reason']}")])


@app.command()
def scans(
    file: Annotated[
        Path, typer.Argument(help="A serial a line, or serial,batch.", exists=True, dir_okay=False)
    ],
    *,
    batch: BatchOption = 1,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Scan many envelopes from a file; the same file again changes nothing."""
    postal = connect_postal(home, token_file)
    election_id = choose_election(postal, election)
    given = read_scans(file, election_id, batch)
    found = list(send_scans(postal, election_id, given))
    mistyped = [one for one, seen in zip(given, found, strict=True) if "mistyped" in seen]
    aside = [seen for seen in found if seen.get("outcome") not in (None, "admitted")]
    _show_counts(found)
    for seen in aside[:SHOWN]:
        _show(seen)
    for one in mistyped[:SHOWN]:
        show_warning(f"Line {one.line}: {one.serial} is mistyped; nothing was recorded.")
    if aside or mistyped:
        raise typer.Exit(1)


def send_scans(
    postal: InternalApi, election_id: str, given: Iterable[Any]
) -> Iterable[dict[str, Any]]:
    """Send scans under a progress bar; what became of each, in order. Raises CliError."""
    bodies = [{"serial": g.serial, "scan_id": g.scan_id, "batch": g.batch} for g in given]
    content = b"".join(msgspec.json.encode(body) + b"\n" for body in bodies)
    count = 0
    with progress_bar("Scanning", len(bodies)) as bar:
        for line in postal.stream(f"/elections/{election_id}/scans/bulk", content=content):
            if "end" not in line:
                bar.advance()
                count += 1
                yield line
            elif line["end"]["scans"] == count == len(bodies):
                return
    raise CutOff()


def _show_counts(found: Iterable[Mapping[str, Any]]) -> None:
    counted = Counter("mistyped" if "mistyped" in seen else str(seen["outcome"]) for seen in found)
    show_table(
        "Envelopes", ["Outcome", "Envelopes"],
        [(outcome.replace("_", " "), count) for outcome, count in sorted(counted.items())],
    )  # fmt: skip


@app.command()
def void(
    scan_id: Annotated[str, typer.Argument(help="The id that the scan was given.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in postal, not in the log.")],
    second_token_file: Annotated[
        Path | None, typer.Option(help="The second officer's token, if both are here.")
    ] = None,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Void a wrong scan. Takes two officers: both tokens, or each runs this once."""
    postal = connect_postal(home, token_file, "officer")
    path = f"/elections/{choose_election(postal, election)}/scans/{scan_id}/void"
    seen = postal.post(path, {"reason": reason}, idempotency_key=new_key())
    if seen["outcome"] == "pending" and second_token_file is not None:
        second = connect_postal(home, second_token_file, "officer")
        seen = second.post(path, {"reason": reason}, idempotency_key=new_key())
    if seen["outcome"] == "pending":
        show_warning("A second officer must run the same command with their own token.")
    elif seen["outcome"] == "undecided":
        show_warning(f"Not known yet. Look again: castonce post show {scan_id}")
    else:
        again = "The elector may vote again." if seen["reopened"] else "Nobody's vote was changed."
        show_done(f"The scan is void. {again}")


@batch_app.command("close")
def close_batch(
    number: Annotated[int, typer.Argument(min=1)],
    *,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Close a batch: nothing more is scanned into it."""
    _change_batch("close", number, connect_postal(home, token_file), election)


@batch_app.command("reopen")
def reopen_batch(
    number: Annotated[int, typer.Argument(min=1)],
    *,
    election: ElectionOption = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Open a closed batch again."""
    _change_batch("reopen", number, connect_postal(home, token_file), election)


def _change_batch(change: str, number: int, postal: InternalApi, election: str | None) -> None:
    path = f"/elections/{choose_election(postal, election)}/batches/{number}/{change}"
    seen = postal.post(path, idempotency_key=new_key())
    now = "open" if seen["is_open"] else "closed"
    show_done(f"Batch {number} is {now}: {seen['envelopes']['admitted']} envelopes admitted.")


@app.command()
def status(
    *, election: ElectionOption = None, home: HomeOption = None, token_file: TokenFileOption = None
) -> None:
    """Show the balance of envelopes, in total and by batch."""
    postal = connect_postal(home, token_file)
    found = postal.get(f"/elections/{choose_election(postal, election)}/envelopes/balance")
    facts = [("received", found["received"]), ("admitted", found["admitted"])]
    facts += [
        (f"set aside: {REASONS.get(reason, reason)}", count)
        for reason, count in found["set_aside"].items()
    ]
    facts += [("voided", found["voided"]), ("undecided", found["undecided"])]
    show_facts([("phase", found["phase"].replace("_", " ")), *facts])
    show_table(
        "Batches",
        ["Batch", "State", "Received", "Admitted", "Set aside", "Voided", "Undecided"],
        [_batch_row(one) for one in found["batches"]],
    )
    if found["unrecorded"]:
        show_warning(f"{found['unrecorded']} envelopes in the log were scanned nowhere here.")


def _batch_row(one: Mapping[str, Any]) -> tuple[object, ...]:
    counts = one["envelopes"]
    return (
        one["number"],
        "open" if one["is_open"] else "closed",
        counts["received"],
        counts["admitted"],
        sum(counts["set_aside"].values()),
        counts["voided"],
        counts["undecided"],
    )
