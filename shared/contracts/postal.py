"""What `postal` says: envelopes arrived, scans were wrong, and whether the post can close."""

from typing import Annotated

from msgspec import Meta

from shared.contracts.fields import (
    BatchNumber,
    ElectionId,
    EventId,
    RightId,
    Serial,
    StaffId,
)
from shared.contracts.message import Message, contract
from shared.contracts.reasons import VoidReason
from shared.contracts.topics import ELECTIONS, RIGHTS


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
