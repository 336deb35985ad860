"""What `codes` says: which credential stands for a right, and answers about a proved code."""

from typing import Annotated, Literal

from msgspec import Meta

from shared.contracts.fields import (
    Credential,
    ElectionId,
    EventId,
    Hash,
    Milliseconds,
    Nonce,
    RightId,
    Serial,
    StaffId,
)
from shared.contracts.message import Message, contract
from shared.contracts.permits import CodePermit
from shared.contracts.reasons import ReplacementReason
from shared.contracts.topics import PACKS, REPLIES, RIGHTS

LeafIndex = Annotated[int, Meta(ge=0, lt=4_000_000)]
InclusionPath = Annotated[list[Hash], Meta(max_length=24)]
CodeState = Literal["active", "blocked", "spent", "revoked", "replaced", "withdrawn"]


@contract(RIGHTS, "codes", signed=True)
class RightGranted(Message, frozen=True, kw_only=True):
    """This credential, of the authority's list (RFC 6962 path), stands for the right."""

    election_id: ElectionId
    right_id: RightId
    serial: Serial
    credential: Credential
    index: LeafIndex
    path: InclusionPath


@contract(RIGHTS, "codes", signed=True)
class PackReplaced(Message, frozen=True, kw_only=True):
    """A spare credential shall stand for the right from here on, if the right is unused."""

    election_id: ElectionId
    right_id: RightId
    replacement_id: EventId
    old_serial: Serial
    serial: Serial
    credential: Credential
    index: LeafIndex
    path: InclusionPath
    official: StaffId
    reason: ReplacementReason


@contract(PACKS, "codes", signed=True)
class PackAssigned(Message, frozen=True, kw_only=True):
    """The envelope with this serial belongs to this right; keyed by serial."""

    election_id: ElectionId
    serial: Serial
    right_id: RightId


@contract(REPLIES, "codes")
class ChallengeIssued(Message, frozen=True, kw_only=True):
    """Prove the private credential over this nonce before it expires."""

    request_id: EventId
    nonce: Nonce
    expires_at_ms: Milliseconds


@contract(REPLIES, "codes")
class CodePermitted(Message, frozen=True, kw_only=True):
    """The proof holds; also said, with a decoy right, of a code that isn't in the election."""

    request_id: EventId
    permit: CodePermit


@contract(REPLIES, "codes")
class CodeRefused(Message, frozen=True, kw_only=True):
    """The proof doesn't hold, the nonce is stale, or the request came too late."""

    request_id: EventId
    reason: Literal["proof_refused", "nonce_expired", "permit_refused", "too_late", "no_election"]


@contract(REPLIES, "codes")
class CodeStateTold(Message, frozen=True, kw_only=True):
    """The state of a code, told to a holder of both permits; `since_ms` is a broker stamp or 0."""

    request_id: EventId
    state: CodeState
    since_ms: Milliseconds
