"""Turnout as a fold over decisions: pure, disposable, and exact under redelivery.

Promises that a record counts once however often it is delivered: each partition's highest offset
is remembered, and nothing at or below it counts again. It sees decisions only: no ballot, no name.
What the public is told are totals, at most one a minute, and never of fewer than ten people
(`shared.contracts.monitor` says why).
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.contracts.message import Message
from shared.contracts.monitor import SMALLEST_GROUP, TurnoutCounted
from shared.contracts.votes import (
    EnvelopeAdmitted,
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    RecordRefused,
    RightUsedOnline,
    SecondVoteAttempted,
)

SAY_AFTER_MS = 60_000
"""At most so often anything is said of an election."""
SAY_AGAIN_AFTER_MS = 3_600_000
"""Said again though nothing changed: what was said is kept for a day."""
Figure = Literal["online", "post", "set_aside", "second_votes"]


@dataclass
class Turnout:
    """Rights used so far, by election and channel, with what was set aside or tried twice."""

    figures: Counter[tuple[str, Figure]] = field(default_factory=Counter)
    records_refused: int = 0
    unreadable: int = 0
    _counted_to: dict[int, int] = field(default_factory=dict)

    def count(self, partition: int, offset: int, message: Message) -> bool:
        """Count one decision; False when this record was counted before."""
        if offset <= self._counted_to.get(partition, -1):
            return False
        self._counted_to[partition] = offset
        self._apply(message)
        return True

    def has_counted(self, ends: Mapping[int, int]) -> bool:
        """Whether everything before these offsets, by partition, was counted."""
        return all(
            self._counted_to.get(partition, -1) >= end - 1 for partition, end in ends.items()
        )

    def elections(self) -> list[str]:
        """The elections in which a right was used, in order."""
        return sorted({name for name, figure in self.figures if figure in ("online", "post")})

    def of(self, election_id: str, now_ms: int) -> TurnoutCounted:
        """What the public may be told of an election."""
        return TurnoutCounted(
            election_id=election_id,
            online=_told(self.figures[election_id, "online"]),
            post=_told(self.figures[election_id, "post"]),
            at_ms=now_ms,
        )

    def _apply(self, message: Message) -> None:
        match message:
            case RightUsedOnline():
                self.figures[message.election_id, "online"] += 1
            case EnvelopeAdmitted():
                self.figures[message.election_id, "post"] += 1
            case EnvelopeVoidAccepted(reopened=True):
                self.figures[message.election_id, "post"] -= 1
            case EnvelopeSetAside():
                self.figures[message.election_id, "set_aside"] += 1
            case SecondVoteAttempted():
                self.figures[message.election_id, "second_votes"] += 1
            case RecordRefused():
                self.records_refused += 1
            case _:
                return


def _told(voters: int) -> int | None:
    return voters if voters >= SMALLEST_GROUP else None


class Said:
    """What the public was told last, so that nothing is said too often."""

    def __init__(self) -> None:
        self._last: dict[str, TurnoutCounted] = {}

    def due(self, turnout: Turnout, now_ms: int) -> list[TurnoutCounted]:
        """What may be said now: what is new after a minute, what isn't after an hour."""
        current = [turnout.of(election_id, now_ms) for election_id in turnout.elections()]
        return [one for one in current if self._is_due(one)]

    def note(self, message: TurnoutCounted) -> None:
        """This is in the log now."""
        self._last[message.election_id] = message

    def _is_due(self, now: TurnoutCounted) -> bool:
        last = self._last.get(now.election_id)
        if last is None:
            return True
        is_new = (now.online, now.post) != (last.online, last.post)
        return now.at_ms - last.at_ms >= (SAY_AFTER_MS if is_new else SAY_AGAIN_AFTER_MS)
