"""Puts the `castonce` command together from one module per subject.

A module is imported only when its command is asked for or help is shown, so that each command
starts quickly. Expected failures end in words and exit code 1, never in a traceback.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys

import structlog
import typer

from cli.screen import PoliteGroup

# Modules whose commands stand alone (`castonce up`), and those that are a group (`castonce roll`).
ALONE = {
    "stack": ("up", "down", "status", "doctor"),
    "demo": ("demo",),
    "rehearse": ("rehearse",),
    "replay": ("replay",),
    "vote": ("vote",),
}
GROUPS = (
    "election",
    "roll",
    "packs",
    "ballot",
    "post",
    "cases",
    "staff",
    "trustee",
    "board",
    "receipt",
    "witness",
    "declaration",
    "audit",
)


def build(arguments: list[str]) -> typer.Typer:
    """The command line with what these arguments need: one module, or all of them for help."""
    app = typer.Typer(
        cls=PoliteGroup,
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
    if importlib.util.find_spec(f"cli.{module}") is None:
        return
    found: typer.Typer = importlib.import_module(f"cli.{module}").app
    if name is None:
        app.registered_commands.extend(found.registered_commands)
    else:
        app.add_typer(found, name=name)


def run() -> None:
    """The entry point of `castonce`: exit code 0, 1 for a failure, 2 for a wrong command line."""
    app = build(sys.argv[1:])
    # A library's or our own plumbing's log lines are for services; people get sentences. After the
    # imports, since `shared.logs` configures when it is imported.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    app()


if __name__ == "__main__":
    run()
