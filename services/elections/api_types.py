"""What the internal API of `elections` takes and gives."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from ballots.declaration import Content
from services.elections.domain.phases import PostAnswer
from services.elections.store.elections import Order, Resolution
from shared.contracts.elections import Channel, Definition, Phase, ProtocolJson
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


class PartialDecryptionGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """A trustee's file; without `owner` (from 1) it is found by trying each trustee's key."""

    partial_decryption: ProtocolJson
    owner: Annotated[int, Meta(ge=0, le=1_000)] = 0


class DecryptionTaken(Struct, frozen=True):
    """Whose partial decryption it is."""

    election_id: str
    owner: int


class NoBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An empty object."""


class Declared(Struct, frozen=True):
    """The declaration's exact text."""

    election_id: str
    declaration: str


class DeclarationShown(Struct, frozen=True):
    """The declaration; or what it would say now; or why it can't be made."""

    declaration: str | None
    draft: Content | None
    reasons: list[str]


class TrusteeShown(Struct, frozen=True):
    """A trustee: number, public key, and whether their partial decryption is there."""

    owner: int
    public_key: str
    has_decrypted: bool


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
    log_sha256: str
    """The hash of the partition's log up to and including it."""


class AnswerOnline(Struct, frozen=True):
    """How often an answer was chosen online."""

    answer: str
    online: int


class QuestionOnline(Struct, frozen=True):
    """What was said to a question online; `blank` where the ballot has a blank vote."""

    question: str
    answers: list[AnswerOnline]
    blank: int | None


class EndShown(Struct, frozen=True, kw_only=True):
    """How far the end has come: numbers of ballots, trustees, accounts, the declaration.

    Before every partition is closed it has no number but of what is in no sum.
    """

    warnings: list[str]
    """What will keep the election from a result, in words; from the close of the online channel."""
    waits_for: list[str]
    """What keeps it from its next step, in words; from the close of the post on."""
    ballots_counted: int | None
    """By the partitions of rights."""
    ballots_on_board: int | None
    ballots_tallied: int | None
    ballots_set_aside: dict[str, int]
    """Acceptances that are in no sum, by reason."""
    trustees: list[TrusteeShown]
    decryptions_needed: int
    """At least; of a committee its threshold is enough."""
    decryptions_missing: list[int]
    """Owners whose partial decryption isn't there, whether it is needed or not."""
    result: msgspec.Raw | None
    """Belenios' result record: the online votes."""
    online: list[QuestionOnline] | None
    """The same in words."""
    accounts: dict[str, msgspec.Raw | None]
    """What each service said at the end, by the message's name."""
    papers_corrected: msgspec.Raw | None
    """The last correction of the paper count, which stands in place of `PapersCounted`."""
    declaration_sha256: str | None


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
    end: EndShown
