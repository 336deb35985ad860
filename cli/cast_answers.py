"""What the gateway's answers say: about a step of the visit, and about a ballot.

Promises that once a copy of a ballot may have gone out, only the answers that the API documents as
final end its way: an accepted receipt or one of `FINAL`. Everything else (no answer, 404 of a
gateway that has just started, a proxy's page) says nothing about that copy. Trusts nothing but a
receipt that `votes` signed.
"""

from dataclasses import dataclass
from typing import Any, Final, get_args

import msgspec

from cli.outcomes import (
    Accepted,
    AlreadyVoted,
    Closed,
    CodeNotAccepted,
    Locked,
    NotOpen,
    Outcome,
    PostReceived,
    ReceiptDoubtful,
    Refused,
    Replaced,
    Withdrawn,
    WrongAnswers,
)
from shared.contracts.permits import Receipt
from shared.contracts.votes import BallotReason
from shared.keys import verify

FINAL: Final = {
    409: frozenset((*get_args(BallotReason), "no_online_channel")),
    403: frozenset({"permit_refused"}),
}
"""The refusals that the API documents for a ballot, by status: none is of a copy on its way."""

NOBODY: Final = 0
"""The status of an answer that isn't one: nobody took the connection, so nothing was sent."""

_PASSING: Final = frozenset((NOBODY, 202, 404, 408, 429))


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: status, decoded body, and how long it asks us to wait."""

    status: int
    body: Any
    retry_after_seconds: float

    @property
    def code(self) -> str:
        """The problem's code, if it is a problem."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


def may_be_handed_over(answer: Answer | None) -> bool:
    """Whether the request with this answer (None: lost) may have put the ballot on its way.

    Not where nobody listened, and not where the gateway itself says that it took nothing.
    """
    if answer is None:
        return True
    is_shut = answer.status == 503 and answer.code == "unavailable"
    is_refused = 400 <= answer.status < 500 and answer.status != 408
    return not (answer.status == NOBODY or is_shut or is_refused)


def cast_outcome(
    answer: Answer | None,
    election_id: str,
    tracker: str,
    votes_key: str,
    *,
    may_be_out: bool,
) -> Outcome | None:
    """What an answer says about a ballot; None when it must be handed in again.

    `may_be_out`: whether a copy may be on its way, from this request or an earlier one. Raises
    ReceiptDoubtful.
    """
    if answer is None or answer.status in _PASSING or answer.status >= 500:
        return None
    if answer.status in (200, 201):
        return Accepted(_receipt(answer, election_id, tracker, votes_key))
    if may_be_out and answer.code not in FINAL.get(answer.status, ()):
        return None
    return refusal(answer)


def _receipt(answer: Answer, election_id: str, tracker: str, votes_key: str) -> Receipt:
    try:
        receipt = msgspec.convert(answer.body["receipt"], Receipt)
    except (msgspec.ValidationError, KeyError, TypeError):
        raise ReceiptDoubtful(tracker) from None
    is_ours = (receipt.election_id, receipt.tracker) == (election_id, tracker)
    if not is_ours or not verify(votes_key, receipt.signed_text(), receipt.signature):
        raise ReceiptDoubtful(tracker)
    return receipt


def refusal(answer: Answer) -> Outcome:
    """A refusal at any step, by the problem's code."""
    body = answer.body if isinstance(answer.body, dict) else {}
    first_at_ms = int(body.get("first_at_ms", 0))
    outcomes: dict[str, Outcome] = {
        "not_open": NotOpen(),
        "closed": Closed(),
        "already_voted_online": AlreadyVoted(first_at_ms),
        "already_voted_by_post": PostReceived(first_at_ms),
        "withdrawn": Withdrawn(first_at_ms),
        "replaced": Replaced(first_at_ms),
        "wrong_answers": WrongAnswers(int(body.get("remaining", 0))),
        "locked": Locked(),
        "code_refused": CodeNotAccepted(),
    }
    return outcomes.get(answer.code) or Refused(answer.code, str(body.get("detail", "")))
