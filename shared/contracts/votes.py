"""What `votes` decides. On `decisions` by right: reasons, no ballot, no tracker. On `ballots` by
tracker: ballots and receipts, no right. No message holds both (P7)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from shared.contracts.elections import Channel
from shared.contracts.fields import (
    ElectionId,
    EventId,
    Milliseconds,
    Offset,
    Partition,
    RightId,
    Serial,
    Tracker,
)
from shared.contracts.message import Message, contract
from shared.contracts.permits import Receipt
from shared.contracts.topics import BALLOTS, DECISIONS

BallotReason = Literal[
    "not_open",
    "closed",
    "permit_refused",
    "permit_expired",
    "unknown_right",
    "withdrawn",
    "replaced",
    "credential_refused",
    "already_voted_online",
    "already_voted_by_post",
    "ballot_refused",
]
SetAsideReason = Literal[
    "not_open",
    "late",
    "unknown_right",
    "unknown_serial",
    "withdrawn",
    "replaced",
    "voted_online",
    "voted_by_post",
]
RefusalReason = Literal[
    "unknown_right",
    "not_granted",
    "already_used",
    "withdrawn",
    "closed",
    "unknown_scan",
    "already_voided",
    "same_official",
    "stale_serial",
    "already_withdrawn",
]
RecordReason = Literal[
    "malformed",
    "wrong_partition",
    "bad_signature",
    "unknown_election",
    "out_of_order",
    "already_done",
    "credential_not_listed",
]
Count = Annotated[int, Meta(ge=0)]


class Decision(Message, frozen=True, kw_only=True):
    """Base of decisions about one right; `decided_at_ms` is the causing record's broker stamp."""

    election_id: ElectionId
    right_id: RightId
    decided_at_ms: Milliseconds


@contract(DECISIONS, "votes", signed=True)
class RightUsedOnline(Decision, frozen=True, kw_only=True):
    """The right is used: a ballot was accepted."""


@contract(DECISIONS, "votes", signed=True)
class BallotRefused(Decision, frozen=True, kw_only=True):
    """A ballot for the right was refused."""

    reason: BallotReason


@contract(DECISIONS, "votes", signed=True)
class EnvelopeAdmitted(Decision, frozen=True, kw_only=True):
    """The right is used: this envelope counts."""

    scan_id: EventId
    serial: Serial


@contract(DECISIONS, "votes", signed=True)
class EnvelopeSetAside(Decision, frozen=True, kw_only=True):
    """The envelope never counts, unless officials void what came first and scan it again."""

    scan_id: EventId
    serial: Serial
    reason: SetAsideReason


@contract(DECISIONS, "votes", signed=True)
class EnvelopeVoidAccepted(Decision, frozen=True, kw_only=True):
    """The scan is void; `reopened` when it had claimed the right, which is unused again."""

    scan_id: EventId
    void_id: EventId
    reopened: bool


@contract(DECISIONS, "votes", signed=True)
class EnvelopeVoidRefused(Decision, frozen=True, kw_only=True):
    """The scan stands."""

    scan_id: EventId
    void_id: EventId
    reason: RefusalReason


@contract(DECISIONS, "votes", signed=True)
class PackReplacementAccepted(Decision, frozen=True, kw_only=True):
    """The new serial and its credential stand for the right."""

    replacement_id: EventId
    old_serial: Serial
    serial: Serial


@contract(DECISIONS, "votes", signed=True)
class PackReplacementRefused(Decision, frozen=True, kw_only=True):
    """The old serial stands; the spare stays a spare."""

    replacement_id: EventId
    old_serial: Serial
    serial: Serial
    reason: RefusalReason


@contract(DECISIONS, "votes", signed=True)
class RightWithdrawalAccepted(Decision, frozen=True, kw_only=True):
    """The right is gone."""

    withdrawal_id: EventId


@contract(DECISIONS, "votes", signed=True)
class RightWithdrawalRefused(Decision, frozen=True, kw_only=True):
    """The right stands, since it is used or was never there."""

    withdrawal_id: EventId
    reason: RefusalReason


@contract(DECISIONS, "votes", signed=True)
class SecondVoteAttempted(Decision, frozen=True, kw_only=True):
    """A used right was claimed again: evidence for a case; the first claim counts."""

    first_channel: Channel
    first_at_ms: Milliseconds
    attempt_channel: Channel


@contract(DECISIONS, "votes", signed=True)
class RecordRefused(Message, frozen=True, kw_only=True):
    """A record of `rights` was not believed; it changed nothing."""

    partition: Partition
    offset: Offset
    decided_at_ms: Milliseconds
    reason: RecordReason


@contract(DECISIONS, "votes", signed=True)
class PartitionClosed(Message, frozen=True, kw_only=True):
    """Both channels of the election are closed on this partition; what it holds, counted."""

    election_id: ElectionId
    partition: Partition
    decided_at_ms: Milliseconds
    rights: Count
    used_online: Count
    used_by_post: Count
    withdrawn: Count


@contract(BALLOTS, "votes")
class BallotAccepted(Message, frozen=True, kw_only=True):
    """The ballot counts, for ever; here is its receipt.

    The receipt is the signature: it names the election and the tracker, which is the ballot's hash.
    A reader believes no acceptance whose receipt doesn't hold.
    """

    election_id: ElectionId
    tracker: Tracker
    ballot: msgspec.Raw
    receipt: Receipt


@contract(BALLOTS, "votes", signed=True)
class BallotRejected(Message, frozen=True, kw_only=True):
    """The ballot doesn't count; `first_at_ms` tells when the right was used, else 0."""

    election_id: ElectionId
    tracker: Tracker
    reason: BallotReason
    decided_at_ms: Milliseconds
    first_at_ms: Milliseconds = 0
