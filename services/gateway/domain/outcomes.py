"""What became of ballots, by tracker: a bounded memory of what `votes` said.

Promises that an acceptance, once seen, is never covered by a rejection: the same ballot handed in
under another right is rejected there, and still counts here. A receipt is checked only when another
message about the same ballot contradicts it: whoever holds the topic of outcomes could make a voter
doubt, but not keep the true receipt away. Must never hold a ballot or a right.
"""

from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

from shared.contracts.permits import Receipt
from shared.contracts.votes import BallotAccepted, BallotReason, BallotRejected

MAX_OUTCOMES = 100_000
"""About 60 MB; older ones are answered again by `votes` when the ballot is handed in again."""


class Accepted(Struct, frozen=True, kw_only=True, tag_field="outcome", tag="accepted"):
    """The ballot counts: here is the receipt."""

    receipt: Receipt


class Rejected(Struct, frozen=True, kw_only=True, tag_field="outcome", tag="rejected"):
    """The ballot doesn't count."""

    reason: BallotReason
    first_at_ms: int


Outcome = Accepted | Rejected


class Outcomes:
    """The outcomes seen lately."""

    def __init__(self, holds: Callable[[Receipt], bool], capacity: int = MAX_OUTCOMES) -> None:
        """`holds` says whether `votes` signed a receipt; it is asked about contradictions only."""
        self._holds = holds
        self._capacity = capacity
        self._by_tracker: OrderedDict[str, Outcome] = OrderedDict()

    def get(self, tracker: str) -> Outcome | None:
        """What is known of this ballot."""
        return self._by_tracker.get(tracker)

    def keep(self, tracker: str, outcome: Outcome) -> Outcome:
        """Remember an outcome; returns the one that stands. A rejection is signed by `votes`."""
        known = self._by_tracker.get(tracker)
        if isinstance(known, Accepted) and not self._is_refuted(known, outcome):
            return known
        self._by_tracker[tracker] = outcome
        if len(self._by_tracker) > self._capacity:
            self._by_tracker.popitem(last=False)
        return outcome

    def _is_refuted(self, known: Accepted, outcome: Outcome) -> bool:
        """Whether an acceptance was forged, and this outcome is better."""
        if outcome == known or self._holds(known.receipt):
            return False
        return isinstance(outcome, Rejected) or self._holds(outcome.receipt)


def outcome_of(message: BallotAccepted | BallotRejected) -> Outcome:
    """What a message of `votes` says to the voter."""
    if isinstance(message, BallotAccepted):
        return Accepted(receipt=message.receipt)
    return Rejected(reason=message.reason, first_at_ms=message.first_at_ms)
