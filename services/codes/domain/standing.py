"""How credentials are named to the board: sorted, and in parts of a bounded size.

Promises that the credentials of one statement are sorted by their bytes, so that their order tells
nothing about electors (P7).
"""

from collections.abc import Iterable, Iterator
from typing import Final

from ballots import credentials

STATEMENT: Final = 5_000
"""Credentials of one statement, and of one part of the list: about a third of a megabyte."""


def statements(public: Iterable[str]) -> Iterator[list[str]]:
    """The credentials in the list's order, each once, in parts of at most STATEMENT."""
    ordered = credentials.sort_public(set(public))
    yield from (ordered[at : at + STATEMENT] for at in range(0, len(ordered), STATEMENT))
