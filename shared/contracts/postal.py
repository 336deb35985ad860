"""What `postal` says: envelopes arrived, scans were wrong, and whether the post can close."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared.contracts.fields import (
    BatchNumber,
    ElectionId,
    EventId,
    RightId,
    Serial,
    StaffId,
)
from shared.contracts.message import Message, contract
from shared.contracts.reasons import CorrectionReason, VoidReason
from shared.contracts.topics import ELECTIONS, RIGHTS
from shared.contracts.votes import SetAsideReason


@contract(RIGHTS, "postal", signed=True)
class EnvelopeReceived(Message, frozen=True, kw_only=True):
    """A covering envelope was scanned: it claims the right, if the right is unused."""

    election_id: ElectionId
    right_id: RightId
    serial: Serial
    scan_id: EventId
    clerk: StaffId
    batch: BatchNumber


@contract(RIGHTS, "postal", signed=True)
class EnvelopeVoided(Message, frozen=True, kw_only=True):
    """Two officials say that a scan was wrong."""

    election_id: ElectionId
    right_id: RightId
    scan_id: EventId
    void_id: EventId
    officials: Annotated[list[StaffId], Meta(min_length=2, max_length=2)]
    reason: VoidReason


@contract(ELECTIONS, "postal", signed=True)
class PostReady(Message, frozen=True, kw_only=True):
    """Every batch is closed and every scan queue is empty: the post can close."""

    election_id: ElectionId
    request_id: EventId


@contract(ELECTIONS, "postal", signed=True)
class PostNotReady(Message, frozen=True, kw_only=True):
    """The post can't close yet: these batches are open, so many scans await their decision."""

    election_id: ElectionId
    request_id: EventId
    open_batches: Annotated[list[BatchNumber], Meta(max_length=1000)]
    undecided: Annotated[int, Meta(ge=0)]


EnvelopeCount = Annotated[int, Meta(ge=0, le=10_000_000)]
RejectionReason = Literal[
    "blank",
    "too many choices",
    "unclear",
    "identifies the voter",
    "not an official paper",
    "other",
]


@contract(ELECTIONS, "postal", signed=True)
class EnvelopesAccounted(Message, frozen=True, kw_only=True):
    """The envelopes' balance, once every partition is closed: received = the three others."""

    election_id: ElectionId
    received: EnvelopeCount
    admitted: EnvelopeCount
    voided: EnvelopeCount
    set_aside: dict[SetAsideReason, EnvelopeCount]


class PaperCounts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the valid papers say to a question: papers per answer, blank ones where allowed."""

    answers: Annotated[list[EnvelopeCount], Meta(min_length=1, max_length=150)]
    blank: EnvelopeCount = 0


@contract(ELECTIONS, "postal", signed=True)
class PapersCounted(Message, frozen=True, kw_only=True):
    """The paper count of an election, once: papers found = valid + rejected, by reason."""

    election_id: ElectionId
    valid: EnvelopeCount
    rejected: dict[RejectionReason, EnvelopeCount]
    questions: Annotated[list[PaperCounts], Meta(min_length=1, max_length=20)]
    officials: Annotated[list[StaffId], Meta(min_length=2, max_length=2)]


@contract(ELECTIONS, "postal", signed=True)
class PapersCorrected(Message, frozen=True, kw_only=True):
    """Two officers put another paper count in place of the one that stood, before the declaration.

    `correction` counts from 1. What comes behind the declaration, or out of turn, is set aside.
    """

    election_id: ElectionId
    correction: Annotated[int, Meta(ge=1, le=100)]
    valid: EnvelopeCount
    rejected: dict[RejectionReason, EnvelopeCount]
    questions: Annotated[list[PaperCounts], Meta(min_length=1, max_length=20)]
    officials: Annotated[list[StaffId], Meta(min_length=2, max_length=2)]
    reason: CorrectionReason
