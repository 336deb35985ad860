"""Puts the `castonce` command together from one module per subject.

A module is imported only when its command is asked for or help is shown, so that each command starts
quickly. Known errors end as two lines for a person and exit code 1, never as a traceback.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys

import typer
from rich.console import Console

from deploy.local.errors import StackError

# Modules whose commands stand alone (`castonce up`), and those that are a group (`castonce roll`).
ALONE = {
    "stack": ("up", "down", "status", "doctor"),
    "demo": ("demo",),
    "rehearse": ("rehearse",),
    "replay": ("replay",),
    "vote": ("vote",),
}
GROUPS = ("election", "roll", "packs", "post", "staff", "trustee")


def build(arguments: list[str]) -> typer.Typer:
    """The command line with what these arguments need: one module, or all of them for help."""
    app = typer.Typer(
        help="Castonce: one member, one vote, cast once.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)  # keeps subcommands even where only one module was imported
    wanted = next((word for word in arguments if not word.startswith("-")), None)
    known = {*GROUPS, *(name for names in ALONE.values() for name in names)}
    for module, names in ALONE.items():
        if wanted in names or wanted not in known:
            _add(app, module, name=None)
    for group in GROUPS:
        if wanted == group or wanted not in known:
            _add(app, group, name=group)
    return app


def _root() -> None:
    """Castonce: one member, one vote, cast once."""


def _add(app: typer.Typer, module: str, name: str | None) -> None:
    if importlib.util.find_spec(f"cli.{module}") is not None:
        app.add_typer(importlib.import_module(f"cli.{module}").app, name=name)


def run() -> None:
    """The entry point of `castonce`: exit code 0, 1 for a failure, 2 for a wrong command line."""
    try:
        build(sys.argv[1:])()
    except StackError as error:
        screen = Console(stderr=True, highlight=False)
        screen.print(f"[bold red]Not done.[/] {_plain(error.problem)}")
        if error.fix:
            screen.print(f"[bold]What helps:[/] {_plain(error.fix)}")
        sys.exit(1)


def _plain(text: str) -> str:
    """Text whose square brackets rich must not read as markup."""
    return text.replace("[", "\\[")


if __name__ == "__main__":
    run()
