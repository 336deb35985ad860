"""From a record to the fold and back: what the idempotent consumer calls.

Promises that nothing is decided here: every rule is in `domain`. The same two functions serve all
types, since on `rights` a type that the law doesn't know is itself a fact, refused and recorded.
"""

from typing import Any

from services.votes.domain import fold
from services.votes.domain.ledger import Ledger, VerdictMissing
from shared.consumer_types import Done, Halt, Handlers, Malformed, Outcome, Record, Retry

# Every module of contracts registers its types: none may be missing from HANDLERS below.
from shared.contracts import (
    codes,
    elections,
    gateway,
    identity,
    postal,
    quarantine,
    votes,
)
from shared.contracts.message import REGISTRY

PRODUCERS = (codes, elections, gateway, identity, postal, quarantine, votes)


_SILENT = Done()


async def decide(record: Record[Any], work: Ledger) -> Outcome:
    """Apply one readable record."""
    try:
        return _outcome(fold.apply(work, record), work)
    except VerdictMissing:
        # The draft took another path than the fold: with what comes before it kept, it can't again.
        return Retry("the ballot's proofs are not verified yet")


def refuse(record: Malformed, work: Ledger) -> Outcome:
    """Apply one record that can't be read."""
    return _outcome(fold.apply(work, record), work)


def _outcome(halt: str | None, work: Ledger) -> Outcome:
    if halt is not None:
        return Halt(halt)
    said = work.take_emissions()
    return Done(said) if said else _SILENT


HANDLERS: Handlers[Ledger] = dict.fromkeys(REGISTRY.values(), decide)
