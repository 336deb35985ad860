"""What the gateway reads for its caches: elections from the beginning, outcomes from now on.

An acceptance carries a receipt signed by `votes`, which the voter checks: here it is checked only
when two outcomes of one ballot differ (see `Outcomes`). A rejection has no receipt: its record must
be signed.
"""

from typing import Any

from services.gateway.domain.directory import Directory
from services.gateway.domain.outcomes import outcome_of
from services.gateway.domain.wariness import Wariness
from services.gateway.waiting import Waiting
from shared.clock import Clock
from shared.consumer_types import Record
from shared.contracts.elections import ElectionCreated, PhaseChanged
from shared.contracts.message import signed_text
from shared.contracts.votes import BallotAccepted, BallotRejected
from shared.keys import verify

ELECTION_TYPES = (ElectionCreated, PhaseChanged)
OUTCOME_TYPES = (BallotAccepted, BallotRejected)


class Outlook:
    """Feeds what was read to the caches and to those who wait."""

    def __init__(
        self,
        directory: Directory,
        waiting: Waiting,
        wariness: Wariness,
        *,
        votes_key: str,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._waiting = waiting
        self._wariness = wariness
        self._votes_key = votes_key
        self._clock = clock

    def election(self, record: Record[Any]) -> None:
        """An election is created or in another phase."""
        self._directory.apply(record.message)

    def outcome(self, record: Record[Any]) -> None:
        """A ballot was decided."""
        message = record.message
        if isinstance(message, BallotRejected):
            if not self._is_signed(record):
                return
            if message.reason == "permit_refused":
                self._wariness.forged_seen(self._clock.now_ms())
        elif not _is_about_its_ballot(message):
            return
        self._waiting.arrived(message.tracker, outcome_of(message))

    def _is_signed(self, record: Record[Any]) -> bool:
        about = record.message.CONTRACT
        text = signed_text(about, record.event_id, "votes", record.value)
        return verify(self._votes_key, text, record.signature)


def _is_about_its_ballot(message: BallotAccepted) -> bool:
    # Another ballot's true receipt would hold, and says nothing about this one.
    receipt = message.receipt
    return receipt.tracker == message.tracker and receipt.election_id == message.election_id
