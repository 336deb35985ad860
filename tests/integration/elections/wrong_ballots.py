"""Acceptances that can't be true, or whose ballot no sum can take in."""

from __future__ import annotations

import msgspec

from shared.contracts.permits import Receipt, receipt_text
from shared.contracts.votes import BallotAccepted
from tests.integration.elections.polling import Polling

UNKNOWN = "99jtVeEwZkgRBC"
"""An election that nobody makes."""


def forged(true: BallotAccepted, other: BallotAccepted) -> list[BallotAccepted]:
    """With another ballot's receipt, about another ballot, with a signature of nobody."""
    unsigned = msgspec.structs.replace(other.receipt, signature="00" * 64)
    return [
        msgspec.structs.replace(other, receipt=true.receipt),
        msgspec.structs.replace(other, ballot=true.ballot),
        msgspec.structs.replace(other, receipt=unsigned),
    ]


def unusable(polling: Polling, true: BallotAccepted) -> BallotAccepted:
    """Accepted by `votes`, which must have been hacked: a point of it isn't on the curve."""
    ballot = msgspec.json.decode(true.ballot)
    alpha: str = ballot["answers"][0]["choices"][0]["alpha"]
    raw = bytes(true.ballot).replace(alpha.encode(), f"{2:064x}".encode())
    return polling.acceptance(raw)


def of_unknown_election(polling: Polling, true: BallotAccepted) -> BallotAccepted:
    """Accepted by `votes`, of an election that isn't there."""
    signer = polling.neighbours["votes"].signer
    receipt = Receipt(
        election_id=UNKNOWN,
        tracker=true.tracker,
        recorded_at_ms=1,
        signature=signer.sign(receipt_text(UNKNOWN, true.tracker, 1)),
    )
    return msgspec.structs.replace(true, election_id=UNKNOWN, receipt=receipt)


def set_aside(polling: Polling, true: BallotAccepted) -> list[BallotAccepted]:
    """One for each reason for which an acceptance is in no sum."""
    other = unusable(polling, true)
    return [forged(true, other)[0], other, of_unknown_election(polling, true)]
