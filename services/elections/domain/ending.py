"""The end of an election, from its last ballot to its result: what is due.

Promises that a tally is due only when the number of ballots is the same in three places that were
counted apart: by the partitions of rights, on the board, and in the sum; when every service that
reads this election's decisions has said so by its account, which it makes behind the close; and
while no record is set aside (P13). Must never look at what a ballot holds. Trusts that what is
folded was signed by its service.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from services.elections.domain import keyholders
from services.elections.domain.phases import Standing, Step
from shared.contracts.elections import Phase

ENDING: Final[frozenset[Phase]] = frozenset({"reconciled", "tallied"})
"""The phases in which something of the end may be due."""

ACCOUNTS: Final[Mapping[str, str]] = {
    "PacksAccounted": "codes",
    "EnvelopesAccounted": "postal",
    "RollAccounted": "identity",
}
"""What is said only by who has read all decisions up to their close, and who says it."""

ONE_BALLOT: Final = (
    "Exactly one ballot was cast online. Opening it would show that person's vote, so trustees"
    " refuse to: there will be no result, and nothing can be declared. Hold this ballot again."
)
_ONE_SO_FAR: Final = (
    "Online voting is closed, and one ballot has been counted so far. If it stays the only one,"
    " trustees won't open it, for that would show a person's vote: then there will be no result,"
    " and nothing can be declared."
)
_BEFORE_RESULT: Final[frozenset[Phase]] = frozenset(
    {"online_closed", "post_closing", "post_closed", "reconciled", "tallied"}
)


class Ending(Struct, frozen=True):
    """How far the end has come: numbers of ballots, and whose partial decryptions are there."""

    counted: int | None = None
    """By the partitions, when the last was closed."""
    board_ended: int | None = None
    """On the board, when it was read back with its end."""
    running: int = 0
    """In the encrypted sum."""
    owners: tuple[int, ...] = ()
    accounts: frozenset[str] = frozenset()
    """Which accounts were said, by their messages' names."""
    unusable: int = 0
    """Ballots that `votes` accepted and that no sum can take in."""


def due(standing: Standing, ending: Ending, *, is_quarantine_empty: bool) -> Step | None:
    """The step that nobody needs to order: none while a record is set aside (P13)."""
    if not is_quarantine_empty:
        return None
    if standing.phase == "reconciled" and _is_whole(ending):
        return "tally"
    if standing.phase == "tallied" and keyholders.opens(
        standing.definition.trustees, ending.owners
    ):
        return "publish_result"
    return None


def one_ballot(standing: Standing, ending: Ending) -> str | None:
    """What officers must know of an election that got a single ballot online; else None.

    Nothing is said while more can come (P14), nor once there is a result.
    """
    if standing.phase not in _BEFORE_RESULT:
        return None
    if ending.counted is not None:
        return ONE_BALLOT if ending.counted == 1 else None
    return _ONE_SO_FAR if ending.running == 1 else None


def _is_whole(ending: Ending) -> bool:
    is_read = ending.accounts >= ACCOUNTS.keys()
    are_equal = ending.counted == ending.board_ended == ending.running
    return ending.counted is not None and are_equal and is_read
