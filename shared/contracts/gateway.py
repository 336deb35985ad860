"""What `gateway` says: ballots go to the law, questions to `codes` and `identity`."""

from typing import Annotated

import msgspec
from msgspec import Meta

from shared.contracts.fields import (
    Credential,
    ElectionId,
    EventId,
    Milliseconds,
    Nonce,
    Partition,
    RightId,
    Scalar,
)
from shared.contracts.message import Message, contract
from shared.contracts.permits import CodePermit, Permit
from shared.contracts.topics import CODES_REQUESTS, IDENTITY_REQUESTS, RIGHTS

SealedAnswers = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9+/]{1400,1460}={0,2}$(?!\n)",
        description="1,024 padded bytes in a libsodium sealed box (1,072 bytes), Base64.",
    ),
]


@contract(RIGHTS, "gateway")
class BallotSubmitted(Message, frozen=True, kw_only=True):
    """A sealed ballot and its permit; only its credential signs it. Event id: its tracker."""

    election_id: ElectionId
    right_id: RightId
    permit: Permit
    ballot: msgspec.Raw


class Request(Message, frozen=True, kw_only=True):
    """Base of requests: where the reply goes, until when it is of use, and its id."""

    request_id: EventId
    reply_partition: Partition
    deadline_ms: Milliseconds
    election_id: ElectionId
    session_id: EventId


@contract(CODES_REQUESTS, "gateway")
class ChallengeWanted(Request, frozen=True, kw_only=True):
    """Give a nonce for this session and credential."""

    credential: Credential


@contract(CODES_REQUESTS, "gateway")
class CodeProofOffered(Request, frozen=True, kw_only=True):
    """A Schnorr proof of the private credential over the nonce."""

    credential: Credential
    nonce: Nonce
    nonce_expires_at_ms: Milliseconds
    challenge: Scalar
    response: Scalar


@contract(CODES_REQUESTS, "gateway")
class CodeStateWanted(Request, frozen=True, kw_only=True):
    """What is the state of my code? Needs both permits and the credential that was proved."""

    credential: Credential
    code_permit: CodePermit
    permit: Permit


@contract(IDENTITY_REQUESTS, "gateway")
class AnswersOffered(Request, frozen=True, kw_only=True):
    """Sealed answers; `attempt_id` is counted once however often it arrives."""

    attempt_id: EventId
    code_permit: CodePermit
    sealed_answers: SealedAnswers


@contract(IDENTITY_REQUESTS, "gateway")
class NothingPostedSaid(Request, frozen=True, kw_only=True):
    """Whoever holds both permits says that they posted nothing, though an envelope was received."""

    code_permit: CodePermit
    permit: Permit
