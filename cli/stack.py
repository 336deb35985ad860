"""`castonce up | down | status | doctor`: the local stack, as a person starts and stops it.

Promises that `up` twice is harmless, that `down` then `up` loses nothing, and that state is deleted
only by `up --fresh`, after asking.
"""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from cli import stack_status
from cli.screen import CliError, PoliteGroup, console, show_done, show_facts
from deploy.local import daemon, doctor, ports, services
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.stack import INFRASTRUCTURE, Stack
from deploy.local.supervisor import Supervisor

app = typer.Typer(cls=PoliteGroup)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder with all state. Default: CASTONCE_HOME, else .castonce."),
]
COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "bright_red", "bright_cyan")


@app.command()
def up(
    *,
    home: HomeOption = None,
    only: Annotated[
        str | None, typer.Option(help="Just these parts, with commas: kafka,postgres,votes.")
    ] = None,
    port_base: Annotated[
        int | None, typer.Option(help="Move every port of this copy; kept for later starts.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete all state first.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before deleting.")] = False,
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay, show the services' logs, stop on Ctrl-C.")
    ] = False,
) -> None:
    """Start Castonce on this machine, or what is missing of it."""
    place = Home.locate(home)
    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    with place.changing():
        if fresh:
            _empty(place, is_agreed=yes)
        stack = _moved(place, port_base)
        services_wanted = _start(stack, stack.parts(names), is_watched_here=foreground)
    if foreground:
        _stay(stack, services_wanted)


def _start(stack: Stack, parts: list[str], is_watched_here: bool) -> list[str]:
    """Start Kafka, PostgreSQL and, unless this terminal does it, the services; their names."""
    began = time.monotonic()
    _start_infrastructure(stack, [part for part in parts if part in INFRASTRUCTURE])
    wanted = [part for part in parts if part not in INFRASTRUCTURE]
    if wanted and not is_watched_here:
        with console.status("Starting the services ..."):
            daemon.ensure(stack, wanted, tell=lambda name: show_done(f"{name} is ready"))
    show_done(f"Up after {time.monotonic() - began:.1f} s.")
    show_facts(_addresses(stack, parts))
    return wanted


def _moved(place: Home, port_base: int | None) -> Stack:
    """The stack on its ports, moved if asked; raises CliError while it runs on other ones."""
    if place.ports_file.exists():
        now = Stack(place, ports.kept(place))
        is_up = now.broker.is_running or now.server.is_running
        if is_up and ports.wanted(place, port_base).base != now.ports.base:
            raise CliError(
                f"This copy is up on ports from {now.ports.base} on.",
                "Stop it before you move it: castonce down.",
            )
    return Stack(place, ports.load(place, port_base))


def _start_infrastructure(stack: Stack, parts: list[str]) -> None:
    if parts:
        with console.status(f"Starting {' and '.join(parts)} ..."):
            stack.start_infrastructure(parts)


def _empty(place: Home, is_agreed: bool) -> None:
    if not place.ports_file.exists():
        return
    if not is_agreed:
        typer.confirm(f"Delete every election and key in {place.root}?", abort=True)
    Stack(place, ports.kept(place)).stop()
    place.remove_state()
    show_done(f"{place.root} is empty.")


def _stay(stack: Stack, names: list[str]) -> None:
    """Run the services below this terminal until Ctrl-C or SIGTERM, then stop everything."""
    if daemon.is_running(stack):
        raise CliError("Castonce is up in the background.", "Stop it first: castonce down.")
    daemon.clear(stack)
    stack.supervisor_pid_file.write(os.getpid())
    specs = [services.spec(stack.home, stack.ports, name) for name in names]

    async def watch() -> None:
        await Supervisor(stack, specs, show_line).run()

    try:
        asyncio.run(watch())
    finally:
        stack.supervisor_pid_file.remove()
        with console.status("Stopping ..."):
            stack.stop()
    show_done("Everything is stopped.")


def show_line(service: str, line: str) -> None:
    """Print one line of a service's log behind its name, in the service's colour."""
    known = services.ALL.index(service) if service in services.ALL else -1
    style = "bold" if known < 0 else COLOURS[known % len(COLOURS)]
    console.print(Text(f"{service:<10}", style=style) + Text(line), soft_wrap=True)


def _addresses(stack: Stack, parts: list[str]) -> list[tuple[str, str]]:
    found = [("State", str(stack.home.root))]
    if "kafka" in parts:
        found.append(("Kafka", stack.kafka_address))
    if "postgres" in parts:
        found.append(("PostgreSQL", f"{ports.LOOPBACK}:{stack.ports.of('postgres')}"))
    for name in services.WITH_API:
        if name in parts:
            found.append((name, f"http://{ports.LOOPBACK}:{stack.ports.api(name)}"))
    return found


@app.command()
def down(home: HomeOption = None) -> None:
    """Stop services, then Kafka, then PostgreSQL. Nothing is lost."""
    stack = existing(home)
    with stack.home.changing(), console.status("Stopping ..."):
        stopped = stack.stop()
    show_done(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def existing(home: Path | None) -> Stack:
    """The stack of a home that was started before; raises StackError where there is none."""
    place = Home.locate(home)
    if not place.ports_file.exists():
        raise StackError(f"There is no stack in {place.root}.", "Start one: castonce up.")
    return Stack(place, ports.kept(place))


@app.command()
def status(home: HomeOption = None) -> None:
    """Show what runs, and how the elections balance."""
    stack_status.show(existing(home))


@app.command(name="doctor")
def examine(
    home: HomeOption = None,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard out.")
    ] = False,
) -> None:
    """Check what Castonce needs here; each failure names a fix. Exit code 1 if anything fails."""
    place = Home.locate(home)
    findings = doctor.examine(Stack(place, ports.wanted(place)))
    if json:
        rows = [asdict(one) | {"is_fine": one.is_fine} for one in findings]
        typer.echo(msgspec.json.encode(rows).decode())
    else:
        stack_status.show_findings(findings)
    if not all(one.is_fine for one in findings):
        raise typer.Exit(1)
