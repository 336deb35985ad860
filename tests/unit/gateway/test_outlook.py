"""What the gateway makes of the outcomes that it reads."""

import msgspec

from services.gateway.domain.directory import Directory
from services.gateway.domain.outcomes import Accepted, Outcomes
from services.gateway.domain.wariness import Wariness
from services.gateway.stream import Outlook
from services.gateway.waiting import Waiting
from shared.clock import SystemClock
from shared.consumer_types import Record
from shared.contracts.permits import Receipt
from shared.contracts.topics import BALLOTS
from shared.contracts.votes import BallotAccepted
from shared.testing.promises import promise

ELECTION, TRACKER = "78jtVeEwZkgRBC", "A" * 43
RECEIPT = Receipt(election_id=ELECTION, tracker=TRACKER, recorded_at_ms=5, signature="2" * 128)


@promise("P4")
def test_the_receipt_of_another_ballot_is_no_outcome_of_this_one() -> None:
    """A true receipt can't be put under a ballot that it doesn't name, nor under an election."""
    outcomes = Outcomes(lambda _: True)
    outlook = Outlook(
        Directory(),
        Waiting(outcomes, lambda: None),
        Wariness(),
        votes_key="ab" * 32,
        clock=SystemClock(),
    )
    told = BallotAccepted(
        election_id=ELECTION, tracker=TRACKER, ballot=msgspec.Raw(b"{}"), receipt=RECEIPT
    )
    for changes in ({"tracker": "B" * 43}, {"election_id": "78jtVeEwZkgRBD"}):
        forged = msgspec.structs.replace(told, **changes)
        outlook.outcome(Record(BALLOTS.name, 0, 0, 5, "a", "votes", forged, b"", None))
        assert outcomes.get(forged.tracker) is None
    outlook.outcome(Record(BALLOTS.name, 0, 1, 5, "b", "votes", told, b"", None))
    assert outcomes.get(TRACKER) == Accepted(receipt=RECEIPT)
