"""`castonce rehearse`: one whole ballot with everything that goes wrong in one, checked."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from cli.client import HomeOption
from cli.outcomes import BoothError
from cli.rehearsal.plan import RehearsalTooSmall
from cli.rehearsal.run import Outcome, Wanted, rehearse
from cli.screen import (
    CliError,
    console,
    make_app,
    progress_bar,
    show_done,
    show_failure,
    show_table,
    show_warning,
)
from deploy.local import daemon, ports, services
from deploy.local.home import Home
from deploy.local.stack import Stack

app = make_app("Rehearse a whole ballot.")
FIRST_OWN_BASE = 9_500


@app.command("rehearse")
def rehearse_command(
    *,
    electors: Annotated[int, typer.Option(min=1, help="Size of the roll.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same outcome.")] = 1,
    online_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Online votes among all votes.")
    ] = 0.6,
    at_once: Annotated[int, typer.Option(min=1, max=256, help="Electors at a time.")] = 8,
    own_stack: Annotated[
        bool,
        typer.Option(
            "--own-stack",
            help="Start a stack for it, and remove it afterwards. Without it the election stays"
            " listed in the stack that is up.",
        ),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
    home: HomeOption = None,
) -> None:
    """Run one made-up ballot from the roll to its reconciled end; exit 1 on any difference."""
    wanted = Wanted(electors, seed, online_share, at_once)
    with _stack(home, own_stack) as stack:
        outcome = _rehearse(stack, wanted)
    if json:
        typer.echo(msgspec.json.format(msgspec.json.encode(_as_table(outcome, wanted))).decode())
    else:
        _show(outcome, wanted)
    if not outcome.agrees:
        raise typer.Exit(1)


@contextmanager
def _stack(home: Path | None, is_own: bool) -> Iterator[Stack]:
    if not is_own:
        stack = Stack(Home.locate(home))
        if not (stack.broker.is_running and daemon.is_running(stack)):
            raise CliError("Castonce isn't up.", "Start it with `castonce up`, or add --own-stack.")
        show_warning(
            f"This rehearses in {stack.home.root}: its election stays listed there for good, and"
            " beside another one every command needs --election. --own-stack leaves nothing behind."
        )
        yield stack
        return
    with tempfile.TemporaryDirectory(prefix="castonce-rehearsal-") as folder:
        own = Home.locate(Path(folder))
        stack = Stack(own, ports.load(own, ports.free_base(start=FIRST_OWN_BASE)))
        try:
            stack.start_infrastructure()
            daemon.ensure(stack, services.present(), tell=lambda _: None)
            yield stack
        finally:
            stack.stop()


def _rehearse(stack: Stack, wanted: Wanted) -> Outcome:
    try:
        with progress_bar("Rehearsing") as bar:
            return rehearse(stack, wanted, bar.show)
    except RehearsalTooSmall as error:
        raise CliError(str(error), "Ask for more electors.") from None
    except BoothError as error:
        raise CliError(str(error), "See `castonce status` and the services' logs.") from error


def _show(outcome: Outcome, wanted: Wanted) -> None:
    rows = [
        (line.name, line.expected, line.got, "" if line.agrees else "DIFFERENT")
        for line in outcome.lines
    ]
    show_table(f"Election {outcome.election_id}", ("Figure", "Must be", "Is", ""), rows)
    for surprise in outcome.surprises[:50]:
        show_failure(surprise)
    if len(outcome.surprises) > 50:
        show_failure(f"... and {len(outcome.surprises) - 50} more")
    took = f"{wanted.electors} electors in {outcome.seconds:.1f} s"
    if outcome.agrees:
        show_done(f"Everything came out as it must: {took}.")
    else:
        console.print(f"Not everything came out as it must: {took}.")


def _as_table(outcome: Outcome, wanted: Wanted) -> dict[str, object]:
    return {
        "election_id": outcome.election_id,
        "electors": wanted.electors,
        "seed": wanted.seed,
        "agrees": outcome.agrees,
        "seconds": round(outcome.seconds, 1),
        "figures": [
            {"name": line.name, "expected": line.expected, "got": line.got}
            for line in outcome.lines
        ],
        "surprises": list(outcome.surprises),
    }
