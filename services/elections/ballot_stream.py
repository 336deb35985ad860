"""What `elections` reads of accepted ballots: each one's ciphertexts go into the encrypted sum.

A stream of its own, which drops repetitions by tracker: an acceptance isn't signed but by its
receipt, so a forged one could borrow the event id of the true one that is still to come.

What can't be true is part of the fold: written down with its reason, counted and alarmed, like a
record of rights that `votes` doesn't believe. It stops no election, since whoever may write to the
topic could stop them all. A ballot that `votes` did accept and that can't be added is missing in
the sum of its own election, which can't be tallied without it.
"""

from collections.abc import Sequence
from typing import Any, Final

from services.elections.adding import Adding
from services.elections.metrics import BALLOTS_SET_ASIDE
from services.elections.store.ballots import Sums
from shared.consumer_types import Done, Handlers, Outcome, Record, Retry
from shared.contracts.topics import BALLOTS
from shared.contracts.votes import BallotAccepted
from shared.logs import get_logger

CONSUMER: Final = "elections-ballots"
TOPICS: Final = (BALLOTS,)
log = get_logger()


def handlers(adding: Adding) -> Handlers[Sums]:
    """The handlers; `adding` has prepared the fetch."""

    async def accepted(record: Record[BallotAccepted], work: Sums) -> Outcome:
        """The ballot counts, for ever: into the sum."""
        message = record.message
        polled = work.polled.get(message.election_id)
        if polled is None and not adding.is_unknown(message.election_id):
            return Retry("the election isn't read yet")
        reason = "unknown_election" if polled is None else await adding.verdict(record, polled)
        if reason is None:
            work.add(message)
        else:
            work.set_aside(record, reason)
        return Done()

    return {BallotAccepted: accepted}


def alarm_set_aside(work: Sums, _: Sequence[Record[Any]]) -> None:
    """Say what is in no sum (after the commit that wrote it down)."""
    for partition, offset, election_id, reason in work.aside:
        BALLOTS_SET_ASIDE.labels(reason).inc()
        log.error(
            "ballot_set_aside",
            election=election_id,
            reason=reason,
            partition=partition,
            offset=offset,
        )
