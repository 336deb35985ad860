"""What `codes` says: which credential stands for a right, and answers about a proved code."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared.contracts.fields import (
    Credential,
    ElectionId,
    EventId,
    Hash,
    Milliseconds,
    Nonce,
    RightId,
    Serial,
    Signature,
    StaffId,
)
from shared.contracts.message import Message, contract
from shared.contracts.permits import CodePermit
from shared.contracts.reasons import ReplacementReason
from shared.contracts.topics import CREDENTIALS, ELECTIONS, PACKS, REPLIES, RIGHTS

LeafIndex = Annotated[int, Meta(ge=0, lt=4_000_000)]
InclusionPath = Annotated[list[Hash], Meta(max_length=24)]
CredentialState = Literal["active", "replaced", "withdrawn"]
"""What became of a listed credential; one without a state is a spare, and may not vote."""
CredentialBatch = Annotated[list[Credential], Meta(min_length=1, max_length=5_000)]
"""Sorted by their little-endian bytes, so that the order tells nothing about electors."""
PackCount = Annotated[int, Meta(ge=0, le=4_000_000)]
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


@contract(CREDENTIALS, "codes", signed=True)
class CredentialsPublished(Message, frozen=True, kw_only=True):
    """Part `part` (from 0) of `parts` of the authority's sorted list, for the public board."""

    election_id: ElectionId
    part: Annotated[int, Meta(ge=0, lt=1_000)]
    parts: Annotated[int, Meta(ge=1, le=1_000)]
    credentials: CredentialBatch


@contract(CREDENTIALS, "codes", signed=True)
class CredentialsChanged(Message, frozen=True, kw_only=True):
    """These credentials have this state; `withdrawn` beats `replaced` beats `active`, in any order.

    `signature` is that of `codes` over `states_text`: it goes to the board, for anyone to check.
    """

    election_id: ElectionId
    state: CredentialState
    credentials: CredentialBatch
    signature: Signature


def states_text(election_id: str, state: str, credentials: list[str]) -> bytes:
    """What `codes` signs about the states of credentials."""
    return f"castonce-states-v1|{election_id}|{state}|{','.join(credentials)}".encode()


class PackStates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every pack in exactly one final state (P11)."""

    unused: PackCount
    voted_online: PackCount
    voted_by_post: PackCount
    replaced: PackCount
    withdrawn: PackCount
    undelivered: PackCount
    spare: PackCount


class CredentialStates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every listed credential in exactly one state, as the board's entries must add up to."""

    active: PackCount
    replaced: PackCount
    withdrawn: PackCount
    spare: PackCount


@contract(ELECTIONS, "codes", signed=True)
class PacksAccounted(Message, frozen=True, kw_only=True):
    """The packs' balance, once every partition said that it is closed."""

    election_id: ElectionId
    packs: PackStates
    credentials: CredentialStates
