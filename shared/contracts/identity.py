"""What `identity` says: rights come and go; and what it thinks of sealed answers."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.contracts.fields import ElectionId, EventId, Hash, Milliseconds, RightId, StaffId
from shared.contracts.message import Message, contract
from shared.contracts.permits import Permit
from shared.contracts.reasons import WithdrawalReason
from shared.contracts.topics import ELECTIONS, REPLIES, RIGHTS


@contract(RIGHTS, "identity", signed=True)
class RightRegistered(Message, frozen=True, kw_only=True):
    """An elector of the roll has this right."""

    election_id: ElectionId
    right_id: RightId


@contract(RIGHTS, "identity", signed=True)
class RightWithdrawn(Message, frozen=True, kw_only=True):
    """An official takes an unused right away (died, left, expelled)."""

    election_id: ElectionId
    right_id: RightId
    withdrawal_id: EventId
    official: StaffId
    reason: WithdrawalReason


@contract(REPLIES, "identity")
class AnswersAccepted(Message, frozen=True, kw_only=True):
    """Every answer was right: here is the permit."""

    request_id: EventId
    permit: Permit


@contract(REPLIES, "identity")
class AnswersRefused(Message, frozen=True, kw_only=True):
    """Not accepted; `remaining` attempts are left before the online channel locks."""

    request_id: EventId
    reason: Literal["wrong_answers", "locked", "code_permit_refused", "unreadable", "too_late"]
    remaining: Annotated[int, Meta(ge=0, le=5)] = 0


@contract(REPLIES, "identity")
class StatementNoted(Message, frozen=True, kw_only=True):
    """Officials see what was said, since this broker stamp; said again, the first stamp stands."""

    request_id: EventId
    noted_at_ms: Milliseconds


@contract(REPLIES, "identity")
class StatementRefused(Message, frozen=True, kw_only=True):
    """Nothing was noted: a permit isn't genuine or has expired, or nobody waits any more."""

    request_id: EventId
    reason: Literal["permit_refused", "too_late"]


PersonCount = Annotated[int, Meta(ge=0, le=4_000_000)]
CaseKind = Annotated[str, Meta(pattern=r"^[a-z_]{1,40}$(?!\n)")]


@contract(ELECTIONS, "identity", signed=True)
class RollAccounted(Message, frozen=True, kw_only=True):
    """The roll and the cases, once every partition is closed; `roll_sha256` commits to the roll."""

    election_id: ElectionId
    electors: PersonCount
    withdrawn: PersonCount
    cases: dict[CaseKind, PersonCount]
    roll_sha256: Hash
