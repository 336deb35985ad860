"""What the internal API of `elections` takes and gives."""

from typing import Annotated, Any

from msgspec import Meta, Struct

from services.elections.domain.phases import PostAnswer
from services.elections.store import Order, Resolution
from shared.contracts.elections import Channel, Definition, Phase
from shared.contracts.fields import LINES, Hash, Offset, Partition, Reason
from shared.contracts.message import Service
from shared.contracts.quarantine import TopicName


class NewElection(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /elections."""

    definition: Definition


class ElectionMade(Struct, frozen=True):
    """A new election: its uuid, and the fingerprint to print on the letters."""

    election_id: str
    fingerprint: str


class CredentialList(Struct, frozen=True, forbid_unknown_fields=True):
    """What `castonce packs make` printed."""

    root: Hash
    size: Annotated[int, Meta(ge=1, le=4_000_000)]


class StepWanted(Struct, frozen=True, forbid_unknown_fields=True):
    """A step; `force` takes it before its hour, and then a reason is needed."""

    force: bool = False
    reason: Annotated[str, Meta(max_length=500, pattern=LINES)] = ""


class Resolved(Struct, frozen=True, forbid_unknown_fields=True):
    """Which record that is set aside needs nothing more, and why."""

    service: Service
    topic: TopicName
    partition: Partition
    offset: Offset
    explanation: Reason


class ElectionLine(Struct, frozen=True, kw_only=True):
    """Where one election stands."""

    election_id: str
    title: str
    organisation: str
    phase: Phase
    phase_since_ms: int
    opens_at_ms: int
    online_closes_at_ms: int
    post_closes_at_ms: int


class ElectionList(Struct, frozen=True):
    """Every election, the newest first."""

    elections: list[ElectionLine]


class BarrierShown(Struct, frozen=True):
    """One barrier in the log of rights."""

    kind: str
    partition: int
    offset: int
    stamp_ms: int


class ElectionShown(ElectionLine, frozen=True, kw_only=True):
    """Everything that an officer sees of an election."""

    fingerprint: str
    channels: list[Channel]
    credential_root: str
    credential_size: int
    barriers: list[BarrierShown]
    closed_partitions: list[dict[str, int]]
    unclosed_partitions: list[int]
    post_attempts: int
    post_answer: PostAnswer | None
    orders: list[Order]
    quarantine: list[dict[str, Any]]
    quarantine_count: int
    resolved: list[Resolution]
    refused_records: dict[str, int]
    certifiable: bool
