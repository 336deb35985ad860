"""What `elections` says: definitions and phases to all, barriers to each partition of rights."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from shared.contracts.fields import (
    LINES,
    ONE_LINE,
    ElectionId,
    Hash,
    Milliseconds,
    Partition,
    PublicKey,
    Tracker,
)
from shared.contracts.message import Message, contract
from shared.contracts.topics import ELECTIONS, RIGHTS

Text = Annotated[str, Meta(min_length=1, max_length=500, pattern=ONE_LINE)]
ElectionJson = Annotated[
    str,
    Meta(
        max_length=200_000, pattern=ONE_LINE, description="The exact bytes of Belenios' election."
    ),
]
Channel = Literal["online", "post"]
Order = Literal["listed", "rotated"]
"""`rotated`: each visit lists the answers from another one on, so that each is first as often."""
AboutAnswer = Annotated[str, Meta(max_length=300, pattern=ONE_LINE)]
Fact = Literal["date_of_birth", "postcode", "membership_number", "year_joined", "surname"]
Phase = Literal[
    "defined",
    "open",
    "online_closed",
    "post_closing",
    "post_closed",
    "reconciled",
    "tallied",
    "decrypted",
    "declared",
]
TrusteesJson = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200_000,
        pattern=ONE_LINE,
        description="The exact bytes of Belenios' trustees record.",
    ),
]
ProtocolJson = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=800_000,
        pattern=ONE_LINE,
        description="The exact bytes of a record of Belenios' archive.",
    ),
]
BallotCount = Annotated[int, Meta(ge=0, le=4_000_000)]


class ServiceKeys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ed25519 public keys under which a partition believes records, permits and receipts."""

    identity: PublicKey
    codes: PublicKey
    postal: PublicKey
    votes: PublicKey


class Question(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question of the ballot: choose `min` to `max` of `answers`.

    `texts` say a little about each answer, in the same order, or are left out: booths show them,
    the sealed ballot and the fingerprint don't hold them. Nor do they hold `order`, in which booths
    list the answers: an answer's number is its place in `answers` always.
    """

    question: Text
    answers: Annotated[list[Text], Meta(min_length=1, max_length=150)]
    min: Annotated[int, Meta(ge=0, le=150)] = 1
    max: Annotated[int, Meta(ge=1, le=150)] = 1
    blank: bool = False
    texts: Annotated[list[AboutAnswer], Meta(max_length=150)] = []
    order: Order = "listed"


class SecurityQuestion(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One security question: which fact of the roll, and the words for the elector."""

    fact: Fact
    text: Text


class Definition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an officer decides about an election, as read from FILE.toml."""

    title: Text
    description: Annotated[str, Meta(max_length=2000, pattern=LINES)] = ""
    organisation: Text
    questions: Annotated[list[Question], Meta(min_length=1, max_length=20)]
    channels: Annotated[list[Channel], Meta(min_length=1, max_length=2)]
    opens_at_ms: Milliseconds
    online_closes_at_ms: Milliseconds
    post_closes_at_ms: Milliseconds
    security_questions: Annotated[list[SecurityQuestion], Meta(min_length=1, max_length=5)]
    helpline: Text
    trustees: TrusteesJson
    credential_authority_key: PublicKey


@contract(ELECTIONS, "elections", signed=True)
class ElectionCreated(Message, frozen=True, kw_only=True):
    """An election exists: its definition, its exact Belenios bytes, the keys of its services."""

    election_id: ElectionId
    definition: Definition
    election: ElectionJson
    fingerprint: Tracker
    keys: ServiceKeys
    answers_key: PublicKey


@contract(ELECTIONS, "elections", signed=True)
class CredentialListFixed(Message, frozen=True, kw_only=True):
    """RFC 6962 Merkle root and size of the sorted credential list, as the officer entered them."""

    election_id: ElectionId
    root: Hash
    size: Annotated[int, Meta(ge=1, le=4_000_000)]


@contract(ELECTIONS, "elections", signed=True)
class PhaseChanged(Message, frozen=True, kw_only=True):
    """The election reached a phase; `post_closing` asks postal to finish its queues."""

    election_id: ElectionId
    phase: Phase


@contract(ELECTIONS, "elections", signed=True)
class BallotsCounted(Message, frozen=True, kw_only=True):
    """Every partition is closed, and so many ballots were accepted: the board may end with them."""

    election_id: ElectionId
    ballots: BallotCount


@contract(ELECTIONS, "elections", signed=True)
class TallyPublished(Message, frozen=True, kw_only=True):
    """The encrypted tally of all accepted ballots, which the board holds too."""

    election_id: ElectionId
    encrypted_tally: ProtocolJson
    ballots: BallotCount


@contract(ELECTIONS, "elections", signed=True)
class DecryptionReceived(Message, frozen=True, kw_only=True):
    """A trustee's partial decryption, its proofs checked; `owner` is their place, from 1."""

    election_id: ElectionId
    owner: Annotated[int, Meta(ge=1, le=1_000)]
    partial_decryption: ProtocolJson


@contract(ELECTIONS, "elections", signed=True)
class ResultPublished(Message, frozen=True, kw_only=True):
    """What the encrypted tally says: Belenios' result record."""

    election_id: ElectionId
    result: ProtocolJson


@contract(ELECTIONS, "elections", signed=True)
class ElectionDeclared(Message, frozen=True, kw_only=True):
    """The declaration, whose signature is inside: the exact bytes of the document."""

    election_id: ElectionId
    declaration: ProtocolJson


@contract(RIGHTS, "elections", signed=True)
class ElectionDefined(Message, frozen=True, kw_only=True):
    """First barrier: from here on this partition believes these keys for this election."""

    election_id: ElectionId
    partition: Partition
    keys: ServiceKeys


@contract(RIGHTS, "elections", signed=True)
class CredentialsListed(Message, frozen=True, kw_only=True):
    """Barrier: grants are believed only for credentials under this root; it comes once."""

    election_id: ElectionId
    partition: Partition
    root: Hash
    size: Annotated[int, Meta(ge=1, le=4_000_000)]


@contract(RIGHTS, "elections", signed=True)
class ElectionOpened(Message, frozen=True, kw_only=True):
    """Barrier: ballots and envelopes count from here on; carries the exact election bytes."""

    election_id: ElectionId
    partition: Partition
    election: ElectionJson


@contract(RIGHTS, "elections", signed=True)
class OnlineClosed(Message, frozen=True, kw_only=True):
    """Barrier: a ballot behind it is late."""

    election_id: ElectionId
    partition: Partition


@contract(RIGHTS, "elections", signed=True)
class PostClosed(Message, frozen=True, kw_only=True):
    """Barrier: an envelope behind it is late; it follows OnlineClosed."""

    election_id: ElectionId
    partition: Partition


@contract(RIGHTS, "elections", signed=True)
class KeysRotated(Message, frozen=True, kw_only=True):
    """Barrier: these keys replace the earlier ones."""

    election_id: ElectionId
    partition: Partition
    keys: ServiceKeys
