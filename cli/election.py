"""`castonce election`: create an election, open it, close its channels, see where it stands.

Promises that repeating a command is safe, and that "done" is only said of what stands in the log.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from ballots import trustee, trustees
from ballots.errors import BallotError
from cli import election_result, election_steps, letter
from cli.client import HomeOption, TokenFileOption, connect
from cli.election_file import ElectionFileError, read
from cli.election_show import PHASES, show_election, when
from cli.election_steps import order
from cli.packs_files import load_public
from cli.people import ElectionOption, choose_election
from cli.readiness import YesOption, require_list
from cli.screen import CliError, console, make_app, show_done, show_facts, show_table

app = make_app("Elections: create, open, close, count, declare, and see where they stand.")

_ROOT = re.compile(r"[0-9a-f]{64}")


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="The election (TOML).", exists=True, dir_okay=False)],
    *,
    authority_file: Annotated[
        Path, typer.Option("--authority", help="The authority's public key.", exists=True)
    ],
    trustee_files: Annotated[
        list[Path] | None,
        typer.Option(
            "--trustee",
            help="A trustee's public key; repeat it for several, who must then all decrypt.",
            exists=True,
        ),
    ] = None,
    trustees_file: Annotated[
        Path | None,
        typer.Option(
            "--trustees",
            help="Instead: the record of all trustees that `castonce trustee combine` made.",
            exists=True,
        ),
    ] = None,
    home: HomeOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Make an election of a file such as docs/examples/election.toml."""
    try:
        definition = read(
            file.read_text("utf-8"),
            trustees=read_trustees(trustee_files or [], trustees_file),
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
    show_facts([("Election", made["election_id"])])
    console.print("Print on every letter, so that anybody can check the election:")
    show_facts(letter.of_home(home, made["fingerprint"]).lines())


@app.command("list")
def list_elections(home: HomeOption = None, token_file: TokenFileOption = None) -> None:
    """List the elections."""
    found = connect("elections", home=home, token_file=token_file).get("/elections")["elections"]
    rows = [
        (one["election_id"], one["title"], PHASES[one["phase"]], when(one["opens_at_ms"]))
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
    """Show an election: phase, steps, accounts, what is missing, what is set aside."""
    api = connect("elections", home=home, token_file=token_file)
    found = api.get(f"/elections/{choose_election(api, election)}")
    printed = letter.of_home(home, found["fingerprint"])
    if json:
        found |= {"board_url": printed.board_url, "board_key": printed.board_key}
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    show_election(found, printed)


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
    order(api, f"/elections/{chosen}/credentials", {"root": root, "size": size})
    show_done(f"The credential list of {size:,} credentials is fixed.")


app.registered_commands.extend(election_steps.steps.registered_commands)
app.registered_commands.extend(election_result.results.registered_commands)


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


def read_trustees(paths: list[Path], record: Path | None = None) -> str:
    """The trustees' record, of its file or of public key files, proofs checked; raises CliError."""
    if bool(paths) is (record is not None):
        raise CliError(
            "Say who the trustees are, in one way.",
            "Give --trustee FILE for each trustee, or --trustees FILE with the record of all.",
        )
    raw = (
        trustees.encode([_read_trustee(path) for path in paths])
        if record is None
        else record.read_bytes().removesuffix(b"\n")
    )
    try:
        return trustees.parse(raw).raw.decode()
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
            f"This election lies in the past: its last hour was {when(post_closes_at_ms)}.",
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
