"""Barriers as they stand in the log: which partition has which one since when, and which are late.

Promises that "closed" has one place per partition, and that a barrier behind its hour is noticed
(DESIGN section 7: a late barrier alarms). A stamp is the broker's: data, not a clock.
"""

from typing import Literal

from msgspec import Struct

from shared.contracts.elections import (
    CredentialsListed,
    Definition,
    ElectionDefined,
    ElectionOpened,
    KeysRotated,
    OnlineClosed,
    PostClosed,
)

Kind = Literal[
    "ElectionDefined",
    "CredentialsListed",
    "ElectionOpened",
    "OnlineClosed",
    "PostClosed",
    "KeysRotated",
]
BarrierMessage = (
    ElectionDefined | CredentialsListed | ElectionOpened | OnlineClosed | PostClosed | KeysRotated
)

LATE_AFTER_MS = 5_000
"""A barrier so long after its hour is an alarm: more than a restart of the service takes."""


class Barrier(Struct, frozen=True):
    """One barrier at its place in the log."""

    election_id: str
    kind: str
    partition: int
    offset: int
    stamp_ms: int
    log_sha256: str = ""
    """The hash of the partition's log up to and including it (see `log_chain`)."""


def hour_of(kind: str, definition: Definition) -> int | None:
    """The hour at which a barrier of this kind is due, None if no hour is set for it."""
    return {
        "ElectionOpened": definition.opens_at_ms,
        "OnlineClosed": definition.online_closes_at_ms,
        "PostClosed": definition.post_closes_at_ms,
    }.get(kind)


def late_by_ms(barrier: Barrier, definition: Definition) -> int:
    """Milliseconds that a barrier stands behind its hour, 0 if it isn't late enough to matter.

    The close of the post waits for people (postal's handshake), so only the others can be late.
    """
    hour = hour_of(barrier.kind, definition)
    if hour is None or barrier.kind == "PostClosed":
        return 0
    behind = barrier.stamp_ms - hour
    return behind if behind > LATE_AFTER_MS else 0
