"""`castonce replay`: rebuild derived tables from the law and compare, or keep the law in a file.

Promises that nothing is changed but a temporary database and the file that was asked for; exit 1
and the names of the tables when anything differs from what a replay gives (P10).
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from cli.replaying import Outcome, Replaying, Tell, replayable
from cli.screen import (
    CliError,
    PoliteGroup,
    console,
    progress_bar,
    show_done,
    show_table,
    show_warning,
)
from deploy.local.home import Home
from deploy.local.stack import Stack
from shared.contracts.topics import LAW_TOPICS
from shared.errors import CastonceError
from shared.kafka import log_file
from shared.kafka.replay import BrokerLog, Log
from shared.replay import Order

app = typer.Typer(cls=PoliteGroup)

SHOWN_DIGITS = 16


@app.command()
def replay(
    *,
    home: Annotated[
        Path | None, typer.Option(help="Folder with all state. Default: CASTONCE_HOME.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 if a live table differs from its replay.")
    ] = False,
    service: Annotated[str, typer.Option(help="One service, or all.")] = "all",
    law: Annotated[
        Path | None, typer.Option("--from", help="Read the log from this file, not the broker.")
    ] = None,
    dump: Annotated[
        Path | None, typer.Option(help="Only write the log, with its stamps, to this new file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which order partitions come in.")] = 1,
    batch: Annotated[
        int, typer.Option(min=1, max=5000, help="Records of a partition at once.")
    ] = 500,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="How many share the partitions. Default: by cores and records."),
    ] = None,
) -> None:
    """Read the log again from its beginning, into empty tables, and compare."""
    stack = Stack(Home.locate(home))
    if dump is not None:
        _keep(stack, dump)
        return
    chosen = _chosen(service)
    try:
        source = BrokerLog(stack.kafka_address) if law is None else log_file.FileLog(law)
        outcomes = uvloop.run(_replay_all(stack, chosen, source, Order(seed, batch), processes))
    except (CastonceError, OSError) as error:
        raise CliError("The law could not be replayed.", str(error)) from error
    _report(outcomes)
    differing = [f"{one.service}.{name}" for one in outcomes for name in one.differing]
    if differing:
        show_warning(f"These tables are not what the law says: {', '.join(differing)}.")
    elif check:
        show_done("Every derived table is what the law says, byte by byte.")
    if check and differing:
        raise typer.Exit(1)


def _chosen(service: str) -> list[str]:
    known = replayable()
    if service == "all":
        return known
    if service not in known:
        raise CliError(
            f"{service} has nothing that a replay rebuilds.", f"Choose from: {', '.join(known)}."
        )
    return [service]


async def _replay_all(
    stack: Stack, chosen: list[str], law: Log, order: Order, processes: int | None
) -> list[Outcome]:
    outcomes = []
    for service in chosen:
        with ExitStack() as screen:

            def begin(records: int, name: str = service, screen: ExitStack = screen) -> Tell:
                return screen.enter_context(progress_bar(f"Replaying {name}", records)).advance

            replaying = Replaying(stack, service, order, processes)
            outcomes.append(await replaying.run(law, begin))
    return outcomes


def _keep(stack: Stack, path: Path) -> None:
    async def work() -> int:
        source = BrokerLog(stack.kafka_address)
        ends = await source.ends(LAW_TOPICS)
        with progress_bar("Writing the law", sum(ends.values())) as bar:
            return await log_file.write(path, source, ends, bar.advance)

    try:
        count = asyncio.run(work())
    except FileExistsError:
        raise CliError(f"{path} exists already.", "Name a new file.") from None
    except (CastonceError, OSError) as error:
        raise CliError("The law could not be read.", str(error)) from error
    show_done(f"{count} records in {path}. It holds sealed ballots by right: keep it closed.")


def _report(outcomes: list[Outcome]) -> None:
    rows = []
    for one in outcomes:
        for name, rebuilt in one.rebuilt.items():
            verdict = (
                "same" if one.live[name] == rebuilt else f"LIVE HAS {one.live[name].rows} ROWS"
            )
            if one.live[name] != rebuilt and one.live[name].rows == rebuilt.rows:
                verdict = "DIFFERS"
            rows.append((one.service, name, rebuilt.rows, rebuilt.sha256[:SHOWN_DIGITS], verdict))
    show_table("Derived tables", ("service", "table", "rows", "sha256", "live"), rows)
    for one in outcomes:
        rate = one.records / one.seconds if one.seconds else 0
        console.print(
            f"{one.service}: {one.records} records in {one.seconds:.1f} s ({rate:.0f} a second)"
        )
