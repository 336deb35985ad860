"""`castonce election`: create an election, open it, close its channels, see where it stands.

Promises that repeating a command is safe, and that "done" is only said of what stands in the log.
"""

from __future__ import annotations

import re
import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from ballots import trustee, trustees
from ballots.errors import BallotError
from cli.client import HomeOption, InternalApi, TokenFileOption, connect
from cli.election_file import ElectionFileError, read
from cli.packs_files import load_public
from cli.people import ElectionOption, choose_election
from cli.readiness import YesOption, require_list, require_packs
from cli.screen import (
    CliError,
    console,
    make_app,
    show_done,
    show_facts,
    show_table,
    show_warning,
)

app = make_app("Elections: create, open, close, and see where they stand.")

POST_ANSWER_SECONDS = 15.0
_ROOT = re.compile(r"[0-9a-f]{64}")
ForceOption = Annotated[
    bool,
    typer.Option("--force", help="Don't wait for the calendar's hour, only that; it is recorded."),
]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why it is forced; it is recorded.")]

_PHASES = {
    "defined": "not open yet",
    "open": "open",
    "online_closed": "online closed, post open",
    "post_closing": "post closing: waiting for postal",
    "post_closed": "closed, not reconciled yet",
    "reconciled": "closed and reconciled",
}


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="The election (TOML).", exists=True, dir_okay=False)],
    trustee_files: Annotated[
        list[Path],
        typer.Option(
            "--trustee",
            help="A trustee's public key; repeat it for several, who must then all decrypt.",
            exists=True,
        ),
    ],
    authority_file: Annotated[
        Path, typer.Option("--authority", help="The authority's public key.", exists=True)
    ],
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Make an election of a file such as docs/examples/election.toml."""
    try:
        definition = read(
            file.read_text("utf-8"),
            trustees=read_trustees(trustee_files),
            credential_authority_key=load_public(authority_file),
        )
    except UnicodeDecodeError:
        raise CliError(f"{file} isn't a UTF-8 text.", "Save it as UTF-8.") from None
    except ElectionFileError as error:
        lines = "\n".join(f"  {problem.key}: {problem.fix}" for problem in error.problems)
        raise CliError(f"{file} can't become an election yet:", lines) from None
    _require_future(definition.post_closes_at_ms)
    api = connect("elections", home=home, token_file=token_file)
    made = api.post("/elections", {"definition": msgspec.to_builtins(definition)})
    show_done(f"The election {definition.title!r} exists.")
    show_facts([("Election", made["election_id"]), ("Fingerprint", made["fingerprint"])])


@app.command("list")
def list_elections(home: HomeOption = None, token_file: TokenFileOption = None) -> None:
    """List the elections."""
    found = connect("elections", home=home, token_file=token_file).get("/elections")["elections"]
    rows = [
        (one["election_id"], one["title"], _PHASES[one["phase"]], _when(one["opens_at_ms"]))
        for one in found
    ]
    show_table("Elections", ["Id", "Title", "Phase", "Opens"], rows)


@app.command()
def show(
    election: ElectionOption = None,
    json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Show an election: phase, barriers, what is closed, what is set aside."""
    api = connect("elections", home=home, token_file=token_file)
    found = api.get(f"/elections/{choose_election(api, election)}")
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    _show_standing(found)
    _show_barriers(found["barriers"])
    _show_quarantine(found)


@app.command()
def credentials(
    *,
    root: Annotated[str, typer.Option("--root", help="As `castonce packs make` printed it.")],
    size: Annotated[int, typer.Option("--size", help="As `castonce packs make` printed it.")],
    election: ElectionOption = None,
    yes: YesOption = False,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Fix the credential list, once: only its credentials can be granted."""
    root = root.strip().lower()
    if not _ROOT.fullmatch(root):
        raise CliError(
            "That is no root: a root has 64 digits 0-9 and a-f.",
            "Copy it whole from what `castonce packs make` printed.",
        )
    api = connect("elections", home=home, token_file=token_file)
    chosen = choose_election(api, election)
    require_list(chosen, root, size, yes)
    _order(api, f"/elections/{chosen}/credentials", {"root": root, "size": size})
    show_done(f"The credential list of {size:,} credentials is fixed.")


@app.command("open")
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


@app.command("close-online")
def close_online(
    election: ElectionOption = None,
    force: ForceOption = False,
    reason: ReasonOption = "",
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Close the online channel (it closes by itself at its hour)."""
    api = connect("elections", home=home, token_file=token_file)
    _step(api, election, "close-online", force, reason)
    show_done("Online voting is closed.")


@app.command("close-post")
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
    if found["phase"] in ("post_closed", "reconciled"):
        show_done("The post is closed.")
        if not found["certifiable"]:
            show_warning("Not every partition has said so yet: see `castonce election show`.")
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


@app.command()
def resolve(
    service: Annotated[str, typer.Argument(help="Which service set it aside.")],
    record: Annotated[str, typer.Argument(metavar="TOPIC:PARTITION:OFFSET")],
    explanation: Annotated[str, typer.Option("--explanation", help="Why nothing more is needed.")],
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Say why a record that is set aside needs nothing more."""
    api = connect("elections", home=home, token_file=token_file)
    topic, partition, offset = _place(record)
    body = {
        "service": service,
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "explanation": explanation,
    }
    api.post("/quarantine/resolve", body)
    show_done("The record is resolved.")


def read_trustees(paths: list[Path]) -> str:
    """The trustees' record of public key files, proofs checked; raises CliError."""
    record = trustees.encode([_read_trustee(path) for path in paths])
    try:
        return trustees.parse(record).raw.decode()
    except BallotError as error:
        raise CliError(
            f"These trustees can't hold an election together: {error}.", "Name each key once."
        ) from None


def _read_trustee(path: Path) -> trustee.TrusteeKey:
    try:
        return trustee.verify_key(path.read_bytes())
    except BallotError:
        raise CliError(
            f"{path} holds no valid public key of a trustee.",
            "Ask the trustee for the .pub file that `castonce trustee keygen` made.",
        ) from None


def _require_future(post_closes_at_ms: int) -> None:
    if post_closes_at_ms <= time.time() * 1000:
        raise CliError(
            f"This election lies in the past: its last hour was {_when(post_closes_at_ms)}.",
            "Set opens, online_closes and post_closes in the file to hours that are still to come.",
        )


def _place(record: str) -> tuple[str, int, int]:
    topic, *numbers = record.split(":")
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise CliError(
            f"{record!r} names no record.",
            "Write it like castonce.decisions.v1:3:17, as `castonce election show` has it.",
        )
    return topic, int(numbers[0]), int(numbers[1])


def _step(
    api: InternalApi, election_id: str | None, step: str, is_forced: bool, reason: str
) -> str:
    _require_reason(is_forced, reason)
    chosen = choose_election(api, election_id)
    _order(api, f"/elections/{chosen}/{step}", {"force": is_forced, "reason": reason})
    return chosen


def _require_reason(is_forced: bool, reason: str) -> None:
    if is_forced and not reason:
        raise CliError("A forced step needs a reason.", "Add --reason: it is recorded.")


def _order(api: InternalApi, path: str, body: dict[str, Any]) -> None:
    status, _ = api.post_with_status(path, body)
    if status == 202:
        raise CliError(
            "It is ordered, and not in the log yet.",
            "It will be, without you. See `castonce election show`, and `castonce status`.",
        )


def _after_post_answer(api: InternalApi, election_id: str) -> dict[str, Any]:
    """The election once postal has answered and the barriers are there, or after a while."""
    deadline = time.monotonic() + POST_ANSWER_SECONDS
    while True:
        found: dict[str, Any] = api.get(f"/elections/{election_id}")
        was_refused = found["phase"] == "online_closed"
        if was_refused or found["certifiable"] or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def _show_standing(found: dict[str, Any]) -> None:
    closed = 6 - len(found["unclosed_partitions"])
    size = found["credential_size"]
    show_facts(
        [
            ("Election", found["election_id"]),
            ("Title", found["title"]),
            ("Fingerprint", found["fingerprint"]),
            ("Phase", f"{_PHASES[found['phase']]}, since {_when(found['phase_since_ms'])}"),
            ("Opens", _when(found["opens_at_ms"])),
            ("Online closes", _when(found["online_closes_at_ms"])),
            ("Post closes", _when(found["post_closes_at_ms"])),
            ("Credential list", f"{size:,} credentials" if size else "not fixed yet"),
            ("Partitions closed", f"{closed} of 6"),
            ("Certifiable", "yes" if found["certifiable"] else "no"),
        ]
    )
    forced = [order for order in found["orders"] if order["is_forced"]]
    for order in forced:
        show_warning(f"{order['step']} was forced by {order['ordered_by']}: {order['reason']}")


def _show_barriers(barriers: list[dict[str, Any]]) -> None:
    stamps: dict[str, list[int]] = {}
    for barrier in barriers:
        stamps.setdefault(barrier["kind"], []).append(barrier["stamp_ms"])
    rows = [
        (kind, f"{len(of_kind)} of 6", _when(min(of_kind)), _when(max(of_kind)))
        for kind, of_kind in sorted(stamps.items(), key=lambda one: min(one[1]))
    ]
    columns = ["Barrier", "Partitions", "First stamp", "Last stamp"]
    show_table("Barriers in the log of rights (each of them: --json)", columns, rows)


def _show_quarantine(found: dict[str, Any]) -> None:
    if found["quarantine_count"]:
        rows = [
            (one["service"], one["topic"], one["partition"], one["offset"], one["reason"])
            for one in found["quarantine"]
        ]
        columns = ["Service", "Topic", "Partition", "Offset", "Reason"]
        show_table(f"Set aside: {found['quarantine_count']}", columns, rows)
    if found["resolved"]:
        resolved = [
            (
                one["service"],
                f"{one['topic']}:{one['partition']}:{one['offset']}",
                one["official"],
                one["explanation"],
            )
            for one in found["resolved"]
        ]
        columns = ["Service", "Record", "Resolved by", "Why nothing more is needed"]
        show_table("Resolved", columns, resolved)
    for reason, count in found["refused_records"].items():
        console.print(f"Records not believed by votes: {count} ({reason})")


def _when(moment_ms: int) -> str:
    return datetime.fromtimestamp(moment_ms / 1000).astimezone().strftime("%d %b %Y %H:%M:%S %Z")
