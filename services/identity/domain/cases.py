"""Cases of suspected double voting: what a decision says about a right that was used already.

Promises that the evidence is a set: the order in which decisions arrive, or their repetition,
changes nothing. Late envelopes and envelopes of lost packs are no suspicion and open no case.
"""

from typing import Literal

from msgspec import Struct

from shared.contracts.message import Message
from shared.contracts.votes import (
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    PackReplacementRefused,
    RightWithdrawalRefused,
    SecondVoteAttempted,
)

CaseKind = Literal[
    "online_after_online",
    "online_after_post",
    "post_after_online",
    "post_after_post",
    "replacement_after_vote",
    "withdrawal_after_vote",
    "envelope_voided",
    "says_nothing_posted",
]
OPENS_A_CASE = frozenset(
    {
        "online_after_online",
        "online_after_post",
        "post_after_online",
        "post_after_post",
        "replacement_after_vote",
        "withdrawal_after_vote",
    }
)
"""`envelope_voided` alone opens none: it explains evidence of a case that is there."""
SAYS_NOTHING_POSTED: CaseKind = "says_nothing_posted"
"""An elector's own word, no decision: it opens a case, and no figure of the account counts it."""


class Evidence(Struct, frozen=True):
    """One decision that bears on a case; `reference` is a scan or an official's request, or ''."""

    kind: CaseKind
    at_ms: int
    reference: str = ""
    first_at_ms: int = 0


def evidence_of(decision: Message) -> Evidence | None:
    """What the decision adds to a case of its right, if anything."""
    match decision:
        case SecondVoteAttempted(attempt_channel="online", first_channel="online"):
            return _second(decision, "online_after_online")
        case SecondVoteAttempted(attempt_channel="online"):
            return _second(decision, "online_after_post")
        case SecondVoteAttempted(first_channel="online"):
            return _second(decision, "post_after_online")
        case SecondVoteAttempted():
            return _second(decision, "post_after_post")
        case EnvelopeSetAside(reason="voted_online"):
            return Evidence("post_after_online", decision.decided_at_ms, decision.scan_id)
        case EnvelopeSetAside(reason="voted_by_post"):
            return Evidence("post_after_post", decision.decided_at_ms, decision.scan_id)
        case EnvelopeVoidAccepted():
            return Evidence("envelope_voided", decision.decided_at_ms, decision.scan_id)
        case PackReplacementRefused(reason="already_used"):
            return Evidence(
                "replacement_after_vote", decision.decided_at_ms, decision.replacement_id
            )
        case RightWithdrawalRefused(reason="already_used"):
            return Evidence("withdrawal_after_vote", decision.decided_at_ms, decision.withdrawal_id)
    return None


def _second(decision: SecondVoteAttempted, kind: CaseKind) -> Evidence:
    return Evidence(kind, decision.decided_at_ms, first_at_ms=decision.first_at_ms)
