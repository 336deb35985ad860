"""What can be wrong: with one statement, with one entry of an archive, or with the whole file.

`Fault` is raised where a rule is checked and knows only the rule. `Refused` names the entry as
well, and is what a person sees. `Unreadable` says that there is no archive to be judged.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class Fault(Exception):
    """A rule of the specification doesn't hold; the text is a sentence without its subject."""


class Refused(Exception):
    """An entry of the archive breaks a rule; the archive proves nothing."""

    def __init__(self, entry: str, reason: str) -> None:
        super().__init__(f"{entry}: {reason}")
        self.entry = entry
        self.reason = reason


class Unreadable(Exception):
    """The file can't be read to its end as an archive, so nothing in it was judged."""


@contextmanager
def blaming(entry: str) -> Iterator[None]:
    """Turn a `Fault` that is raised inside into the refusal of this entry."""
    try:
        yield
    except Fault as fault:
        raise Refused(entry, str(fault)) from fault


def require(holds: bool, otherwise: str) -> None:
    """Raise a `Fault` with this sentence unless the condition holds."""
    if not holds:
        raise Fault(otherwise)
