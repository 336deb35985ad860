"""What a command shows: one console, one way to fail, progress bars and tables.

Promises that an expected failure is shown as what went wrong and what to do, without a traceback,
and ends with exit code 1. Must never show a secret: callers decide what is printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import typer
import typer.core
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from deploy.local.errors import StackError
from shared.errors import CastonceError

console = Console(highlight=False)
complaints = Console(stderr=True, highlight=False)


class CliError(Exception):
    """An expected failure; `what_to_do` tells the person at the keyboard the next step."""

    def __init__(self, title: str, what_to_do: str = "") -> None:
        super().__init__(f"{title} {what_to_do}".strip())
        self.title = title
        self.what_to_do = what_to_do


class PoliteGroup(typer.core.TyperGroup):
    """A group of commands that shows expected failures in words and exits with 1."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Run the command; raises typer.Exit(1) after showing an expected failure."""
        try:
            return super().invoke(ctx)
        except CliError as error:
            show_failure(error.title, error.what_to_do)
        except StackError as error:
            show_failure(error.problem, error.fix)
        except CastonceError as error:
            show_failure(str(error))
        raise typer.Exit(1)


def make_app(about: str) -> typer.Typer:
    """A sub-application of `castonce`; `about` is its line in the help."""
    app = typer.Typer(
        cls=PoliteGroup,
        help=about,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_show_locals=False,
    )
    # With a callback an app of one command stays a group, so its failures are shown politely too.
    app.callback()(lambda: None)
    return app


def show_failure(title: str, what_to_do: str = "") -> None:
    """Print a failure to standard error: the title in red, then the next step."""
    complaints.print(Text(title, style="bold red"))
    if what_to_do:
        complaints.print(Text(what_to_do))


def show_done(text: str) -> None:
    """Print that something succeeded."""
    console.print(Text("✓ ", style="bold green") + Text(text))


def show_warning(text: str) -> None:
    """Print something a person should look at, to standard error."""
    complaints.print(Text("! ", style="bold yellow") + Text(text))


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under column heads; cells are shown as they are, markup in them is not obeyed."""
    table = Table(title=Text(title), title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(Text(column))
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    console.print(table)


def show_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print labelled values, one a line, labels aligned; never cut, for paths are copied."""
    shown = [(label, str(value)) for label, value in facts]
    width = max((len(label) for label, _ in shown), default=0)
    for label, value in shown:
        console.print(Text(f"{label:<{width}}  ", style="bold") + Text(value), soft_wrap=True)


class Bar:
    """One progress bar whose stage, total and count can be set as news comes in."""

    def __init__(self, progress: Progress, title: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=total)

    def show(self, title: str, done: int, total: int | None = None) -> None:
        """Set what is being done and how much of it is done."""
        self._progress.update(self._task, description=title, completed=done, total=total)

    def advance(self, count: int = 1) -> None:
        """Count `count` more as done."""
        self._progress.advance(self._task, count)


@contextmanager
def progress_bar(title: str, total: int | None = None) -> Iterator[Bar]:
    """A progress bar on standard error for the time of the block; none in a file or a pipe."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=complaints,
        disable=not complaints.is_terminal,
    ) as progress:
        yield Bar(progress, title, total)
