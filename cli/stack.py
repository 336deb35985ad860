"""`castonce up | down | status | doctor`: the local stack, as a person starts and stops it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.local import ports
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.stack import Stack

app = typer.Typer()
screen = Console(highlight=False)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder with all state. Default: CASTONCE_HOME, else .castonce."),
]


@app.command()
def up(
    home: HomeOption = None,
    only: Annotated[
        str | None, typer.Option(help="Just these parts, with commas: kafka,postgres,votes.")
    ] = None,
    port_base: Annotated[
        int | None, typer.Option(help="Move every port of this copy; kept for later starts.")
    ] = None,
) -> None:
    """Start Castonce on this machine, or what is missing of it."""
    began = time.monotonic()
    place = Home.locate(home)
    stack = Stack(place, ports.load(place, port_base))
    names = None if only is None else [name.strip() for name in only.split(",") if name.strip()]
    with screen.status("Starting ..."):
        stack.start(names)
    screen.print(f"Up after {time.monotonic() - began:.1f} s. State lies in {place.root}.")


@app.command()
def down(home: HomeOption = None) -> None:
    """Stop services, then Kafka, then PostgreSQL. Nothing is lost."""
    place = Home.locate(home)
    if not place.ports_file.exists():
        raise StackError(f"There is no stack in {place.root}.", "Start one: castonce up.")
    with screen.status("Stopping ..."):
        stopped = Stack(place).stop()
    screen.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")
