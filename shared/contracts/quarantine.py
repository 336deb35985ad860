"""Notices that any service sends when it sets a record aside, so that `elections` can't certify."""

from typing import Annotated

from msgspec import Meta

from shared.contracts.fields import ONE_LINE, Offset, Partition, StaffId
from shared.contracts.message import Message, Service, contract
from shared.contracts.reasons import ResolutionReason
from shared.contracts.topics import ELECTIONS

TopicName = Annotated[str, Meta(pattern=r"^[a-z0-9._-]{1,120}$(?!\n)")]


@contract(ELECTIONS, "any", signed=True)
class RecordQuarantined(Message, frozen=True, kw_only=True):
    """`service` could not read the record at these coordinates."""

    service: Service
    topic: TopicName
    partition: Partition
    offset: Offset
    reason: Annotated[str, Meta(max_length=200, pattern=ONE_LINE)]


@contract(ELECTIONS, "any", signed=True)
class QuarantineResolved(Message, frozen=True, kw_only=True):
    """An official looked at the record and said why it needs nothing more."""

    service: Service
    topic: TopicName
    partition: Partition
    offset: Offset
    official: StaffId
    explanation: ResolutionReason
