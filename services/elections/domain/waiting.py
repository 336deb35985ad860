"""What the end of an election waits for, with a reason for operators and words for officers.

Promises that an election which doesn't go on after its close always names at least one reason. Must
never say a number before every partition is closed (P14), nor look at what a ballot holds.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from services.elections.domain import keyholders
from services.elections.domain.ending import ACCOUNTS, Ending
from services.elections.domain.phases import Standing
from shared.contracts.elections import Phase
from shared.contracts.topics import RIGHTS_PARTITIONS

PATIENCE_MS: Final = 60_000
"""So long nothing may move before what other services owe is an alarm: more than a restart."""
_STATUS: Final = "see `castonce status`"


class Wait(NamedTuple):
    """One thing that the end waits for."""

    reason: str
    words: str
    is_for_people: bool
    """Nobody but people can end it: it is an alarm at once."""


def waits(standing: Standing, ending: Ending, records_set_aside: int) -> list[Wait]:
    """Everything that keeps an election, closed for all votes, from its next step by itself."""
    if standing.phase not in _WAITS:
        return []
    found = list(_WAITS[standing.phase](standing, ending))
    if standing.phase != "post_closing":
        found += _records(records_set_aside)
    return found


def alarms(found: list[Wait], stalled_ms: int) -> list[str]:
    """The reasons that are an alarm when nothing has moved for so many milliseconds."""
    return [one.reason for one in found if one.is_for_people or stalled_ms >= PATIENCE_MS]


def _records(count: int) -> Iterator[Wait]:
    if count:
        words = f"Records that a service couldn't read: {count}; see `castonce election resolve`."
        yield Wait("records_set_aside", words, is_for_people=True)


def _post_closing(standing: Standing, _: Ending) -> Iterator[Wait]:
    if standing.post_answer is None:
        words = f"`postal` hasn't answered whether the post can close: {_STATUS}."
        yield Wait("postal_silent", words, is_for_people=False)


def _post_closed(standing: Standing, _: Ending) -> Iterator[Wait]:
    if (closed := standing.partitions_closed) < RIGHTS_PARTITIONS:
        words = (
            f"Parts of the log that `votes` has closed: {closed} of {RIGHTS_PARTITIONS}. It closes"
            f" the others by itself: {_STATUS}."
        )
        yield Wait("partitions_open", words, is_for_people=False)


def _reconciled(_: Standing, ending: Ending) -> Iterator[Wait]:
    counted, board = ending.counted, ending.board_ended
    if counted is None:
        words = f"The count of the ballots hasn't come back through the log: {_STATUS}."
        yield Wait("count_unread", words, is_for_people=False)
        return
    if ending.running > counted or board not in (None, counted):
        words = (
            f"Ballots counted: {counted}, in the sum: {ending.running}, on the board:"
            f" {'not known yet' if board is None else board}. Nothing brings them into line by"
            " itself: look at each service's alarms."
        )
        yield Wait("numbers_of_ballots_differ", words, is_for_people=True)
    elif ending.running < counted:
        yield _missing(counted, ending)
    if board is None:
        words = f"The public board hasn't ended. `board` does it by itself: {_STATUS}."
        yield Wait("board_not_ended", words, is_for_people=False)
    if owing := [service for name, service in ACCOUNTS.items() if name not in ending.accounts]:
        services = ", ".join(f"`{service}`" for service in owing)
        words = (
            f"These services haven't accounted for their part: {services}. Until they have, it"
            f" isn't sure that they have read everything: {_STATUS}."
        )
        yield Wait("accounts_missing", words, is_for_people=False)


def _missing(counted: int, ending: Ending) -> Wait:
    if ending.unusable:
        words = (
            f"Ballots that `votes` accepted and that no sum can take in: {ending.unusable}. There"
            " can be no result: `votes` has a fault, or somebody has its key."
        )
        return Wait("ballot_unusable", words, is_for_people=True)
    words = f"Ballots counted: {counted}, but in the sum: {ending.running}: {_STATUS}."
    return Wait("ballots_missing", words, is_for_people=False)


def _tallied(standing: Standing, ending: Ending) -> Iterator[Wait]:
    if ending.counted == 1:
        words = "Nothing can come of it any more: a single ballot online isn't opened."
        yield Wait("one_ballot", words, is_for_people=True)
    if keyholders.opens(standing.definition.trustees, ending.owners):
        words = "Enough trustees have decrypted; the result is being made."
        yield Wait("result_not_made", words, is_for_people=False)


def _decrypted(_: Standing, ending: Ending) -> Iterator[Wait]:
    if "ArchiveCompleted" not in ending.accounts:
        words = f"The public archive isn't complete. `board` does it by itself: {_STATUS}."
        yield Wait("archive_incomplete", words, is_for_people=False)


_WAITS: Final[Mapping[Phase, Callable[[Standing, Ending], Iterator[Wait]]]] = {
    "post_closing": _post_closing,
    "post_closed": _post_closed,
    "reconciled": _reconciled,
    "tallied": _tallied,
    "decrypted": _decrypted,
}
PHASES: Final[frozenset[str]] = frozenset(_WAITS)
"""Those in which the end waits for something."""
