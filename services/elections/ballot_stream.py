"""What `elections` reads of accepted ballots: each one's ciphertexts go into the encrypted sum.

A stream of its own, which drops repetitions by tracker: an acceptance isn't signed but by its
receipt, so a forged one could borrow the event id of the true one that is still to come.
"""

from collections.abc import Callable
from typing import Final

from ballots import ballot
from services.elections.store.ballots import Sums
from shared.consumer_types import Done, Handlers, Outcome, Quarantine, Record, Retry
from shared.contracts.permits import Receipt
from shared.contracts.topics import BALLOTS
from shared.contracts.votes import BallotAccepted

CONSUMER: Final = "elections-ballots"
TOPICS: Final = (BALLOTS,)


def handlers(holds: Callable[[Receipt], bool]) -> Handlers[Sums]:
    """The handlers; `holds` says whether a receipt is signed by `votes`."""

    async def accepted(record: Record[BallotAccepted], work: Sums) -> Outcome:
        """The ballot counts, for ever: into the sum."""
        message = record.message
        if not _is_about_its_ballot(message) or not holds(message.receipt):
            return Quarantine("receipt_refused")
        if message.election_id not in work.elections:
            return Retry("the election isn't read yet")
        work.add(message)
        return Done()

    return {BallotAccepted: accepted}


def _is_about_its_ballot(message: BallotAccepted) -> bool:
    # Another ballot's true receipt would hold, and says nothing about this one.
    receipt = message.receipt
    named = (receipt.election_id, receipt.tracker)
    is_named = named == (message.election_id, message.tracker)
    return is_named and ballot.tracker(bytes(message.ballot)) == message.tracker
