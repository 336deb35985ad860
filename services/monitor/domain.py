"""Turnout as a fold over decisions: pure, disposable, and exact under redelivery.

Promises that a record counts once however often it is delivered: each partition's highest offset
is remembered, and nothing at or below it counts again. It sees decisions only: no ballot, no name.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from shared.contracts.message import Message
from shared.contracts.votes import (
    EnvelopeAdmitted,
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    RecordRefused,
    RightUsedOnline,
    SecondVoteAttempted,
)

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
