"""When envelopes are taken in, when a batch may change, and when the post can close.

Promises that nothing is taken in between `post_closing` and the close, and that a void takes two
different officials. Must never decide whether an envelope counts: that is for `votes`.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, get_args

from services.postal.errors import NotTaken, VoidRefused
from shared.contracts.elections import Phase
from shared.contracts.fields import ElectionId
from shared.contracts.postal import PostNotReady, PostReady
from shared.contracts.reasons import CorrectionReason, VoidReason, public_word

OVER: Final[frozenset[Phase]] = frozenset({"reconciled", "tallied", "decrypted", "declared"})
"""Phases in which nothing is recorded any more."""
COUNTING: Final[frozenset[Phase]] = frozenset({"open", "online_closed"})
"""Phases in which an envelope may be admitted, a scan voided, a batch opened again."""
MOST_BATCHES_TOLD: Final = 1000
OTHER: Final = "other, see postal"
OTHER_CORRECTION: Final = "other, see postal"
_KNOWN: Final[tuple[VoidReason, ...]] = get_args(VoidReason)


def require_taking(phase: Phase, takes_post: bool) -> None:
    """Raise NotTaken unless an envelope may be scanned now.

    After the close envelopes are still recorded: `votes` sets them aside as late.
    """
    if not takes_post:
        raise NotTaken("This election has no postal channel.", code="no_postal_channel")
    if phase == "defined":
        raise NotTaken(
            "Voting hasn't opened: keep the envelope and scan it afterwards.", code="not_open"
        )
    if phase == "post_closing":
        raise NotTaken(
            "The post is being closed: wait a moment. If the close is called off, scan it then; "
            "if not, it is recorded as late.",
            code="post_closing",
        )
    if phase in OVER:
        raise NotTaken(
            "The election is reconciled: nothing is recorded any more. Keep the envelope apart.",
            code="reconciled",
        )


def require_counting(phase: Phase) -> None:
    """Raise NotTaken unless scans may be voided and batches opened again."""
    if phase not in COUNTING:
        raise NotTaken("The post is closing or closed: scans stand as they are.", code="closed")


@dataclass(frozen=True, slots=True)
class Void:
    """A void that one official asked for, and perhaps a second; `is_decided` once `votes` spoke."""

    void_id: str
    first_official: str
    first_reason: str
    second_official: str | None = None
    is_decided: bool = False


def second_of(pending: Void, official: str) -> str:
    """The second official of a void; raises VoidRefused if it is the first one again."""
    if official == pending.first_official:
        raise VoidRefused(
            "You asked for this void yourself: a second official must confirm it with their own "
            "token.",
            code="same_official",
        )
    return official


def joint_reason(first: str, second: str) -> VoidReason:
    """What the log is told of both officials' reasons: their words may name people."""
    one, other = (public_word(words, _KNOWN, OTHER) for words in (first, second))
    return one if one == other else OTHER


def joint_correction_reason(first: str, second: str) -> CorrectionReason:
    """What the log is told of why two officials corrected the paper count."""
    known: tuple[CorrectionReason, ...] = get_args(CorrectionReason)
    one, other = (public_word(words, known, OTHER_CORRECTION) for words in (first, second))
    return one if one == other else OTHER_CORRECTION


def answer_closing(
    election_id: ElectionId, request_id: str, open_batches: Collection[int], undecided: int
) -> PostReady | PostNotReady:
    """Whether the post can close: every batch closed, every scan and void decided."""
    if not open_batches and undecided == 0:
        return PostReady(election_id=election_id, request_id=request_id)
    return PostNotReady(
        election_id=election_id,
        request_id=request_id,
        open_batches=sorted(open_batches)[:MOST_BATCHES_TOLD],
        undecided=undecided,
    )
