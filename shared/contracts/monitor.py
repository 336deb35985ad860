"""What `monitor` says: how many voted so far, by channel, for everybody to read.

Promises totals and nothing else: no right, no tracker, no hour of a vote. Why a total a minute is
safe: the ballots are on the public board anyway, each within seconds of its cast, so their number
adds nothing to what is there; an envelope that is admitted has no entry on the board that it could
be joined with (P7). Below SMALLEST_GROUP not even the total is said, since who knows the few that
could be meant (a clerk who scanned them) would learn what the others did. Must never be what a
decision, a count or a result depends on: the declaration has figures of its own.
"""

from typing import Annotated, Final

from msgspec import Meta

from shared.contracts.fields import ElectionId, Milliseconds
from shared.contracts.message import Message, contract
from shared.contracts.topics import TURNOUT

SMALLEST_GROUP: Final = 10
Voters = Annotated[
    int,
    Meta(
        ge=SMALLEST_GROUP,
        le=4_000_000,
        description="Rights used in a channel so far; null while they are fewer than ten.",
    ),
]


@contract(TURNOUT, "monitor", signed=True)
class TurnoutCounted(Message, frozen=True, kw_only=True):
    """So many rights were used by then; null is "fewer than ten"."""

    election_id: ElectionId
    online: Voters | None
    post: Voters | None
    at_ms: Milliseconds
