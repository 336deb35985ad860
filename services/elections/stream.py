"""What `elections` reads: its own topic, its barriers on rights, and what votes says of partitions.

A record of rights that can't be read is for `votes` to judge (it says so on decisions): it isn't
set aside here too. What can't be read on the other topics is.
"""

from services.elections.store.law import Work
from shared.consumer_types import Done, Malformed, Outcome, Quarantine
from shared.contracts.topics import DECISIONS, ELECTIONS, RIGHTS

CONSUMER = "elections"
TOPICS = (ELECTIONS, RIGHTS, DECISIONS)


def on_malformed(malformed: Malformed, work: Work) -> Outcome:
    """Set it aside, unless it stands on rights."""
    return Done() if malformed.topic == RIGHTS.name else Quarantine(malformed.reason)
