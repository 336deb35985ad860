"""A ballot: the sealed answers of one credential, signed by it.

Promises that a ballot that verifies belongs to this election, is spelt in the one canonical way,
holds allowed answers only, and was signed over these very bytes by the credential it names. Must
never say whether that credential may vote: the list, and whether it was used, are the arbiter's.
Trusts `answers` and `proofs`.

Source: Belenios 3.3 specification, "Ballots", "Signatures".
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET

from ballots import answers, group, proofs, strict_json
from ballots.answers import Answer, Ciphertext, Context
from ballots.credentials import Credential
from ballots.election import Election
from ballots.errors import (
    InvalidChoices,
    InvalidPoint,
    ProofRefused,
    SignatureRefused,
    WrongElection,
    WrongShape,
)
from ballots.group import RandomBytes
from ballots.proofs import PointText, Proof

# Room for about 150 candidates; what is longer isn't even parsed.
MAX_BALLOT_BYTES: Final = 256_000


class VerifiedBallot(NamedTuple):
    """A ballot all of whose proofs hold: its tracker, and the public credential that signed it."""

    tracker: str
    credential: str


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The hash of the ballot without this field, and a Schnorr proof over it."""

    hash: str
    proof: Proof


class UnsignedBallot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed; the field order is that of the specification."""

    election_uuid: str
    election_hash: str
    credential: PointText
    answers: list[Answer]


class Ballot(UnsignedBallot, frozen=True, forbid_unknown_fields=True):
    """A whole ballot as its JSON has it; parsed, not verified."""

    signature: Signature


_DECODER: Final = msgspec.json.Decoder(Ballot)


def seal(
    election: Election,
    credential: Credential,
    choices: Sequence[Sequence[int]],
    randbytes: RandomBytes,
) -> bytes:
    """Return the canonical bytes of a ballot with these choices; raises InvalidChoices.

    `choices` has one list per question of a 0 or 1 per candidate, after the blank slot if any.
    """
    if len(choices) != len(election.questions):
        raise InvalidChoices("every question needs an answer")
    context = _context(election, credential.public)
    unsigned = UnsignedBallot(
        election.uuid,
        election.fingerprint,
        credential.public,
        [
            answers.seal(context, question, chosen, randbytes)
            for question, chosen in zip(election.questions, choices, strict=True)
        ],
    )
    return strict_json.encode(sign(unsigned, credential, randbytes))


def sign(unsigned: UnsignedBallot, credential: Credential, randbytes: RandomBytes) -> Ballot:
    """Return the ballot with its credential's signature; says nothing about its answers."""
    digest = strict_json.digest_base64(strict_json.encode(unsigned))
    proof = proofs.prove_knowledge(credential.private, _signature_prefix(digest), randbytes)
    return Ballot(
        unsigned.election_uuid,
        unsigned.election_hash,
        unsigned.credential,
        unsigned.answers,
        Signature(digest, proof),
    )


def verify(election: Election, raw: bytes) -> VerifiedBallot:
    """Check a ballot completely, cheap faults first; raises the BallotError that fits."""
    ballot = parse(raw)
    require_election(election, ballot)
    _verify_signature(ballot)
    context = _context(election, ballot.credential)
    for question, answer in zip(election.questions, ballot.answers, strict=True):
        answers.verify(context, question, answer)
    return VerifiedBallot(tracker(raw), ballot.credential)


def peek(raw: bytes) -> str:
    """Return the public credential of a canonical ballot without checking any proof."""
    return parse(raw).credential


def tracker(raw: bytes) -> str:
    """Return the tracker: SHA-256 of the ballot's bytes in Base64 without padding."""
    return strict_json.digest_base64(raw)


def parse(raw: bytes) -> Ballot:
    """Read a ballot's canonical form; raises TooLarge, Malformed or NotCanonical. No proofs."""
    return strict_json.decode_canonical(raw, _DECODER, max_bytes=MAX_BALLOT_BYTES)


def longest(election: Election) -> int:
    """Return the bytes of the longest ballot that can verify in this election: linear in answers.

    Every text of a canonical ballot has one length, but for scalars: here all have the most digits.
    """
    number = group.encode_scalar(group.ORDER - 1)
    proof, point = Proof(number, number), election.public_key
    widest = [
        Answer(
            [Ciphertext(point, point)] * question.choice_count,
            [[proof, proof]] * question.choice_count,
            [proof] * (question.max - question.min + 1 + question.blank),
            [proof, proof] if question.blank else UNSET,
        )
        for question in election.questions
    ]
    signature = Signature(election.fingerprint, proof)
    made = Ballot(election.uuid, election.fingerprint, point, widest, signature)
    return len(strict_json.encode(made))


def require_election(election: Election, ballot: Ballot) -> None:
    """Check that a ballot is for this election and has its shape; raises Wrong(Election|Shape)."""
    if (ballot.election_uuid, ballot.election_hash) != (election.uuid, election.fingerprint):
        raise WrongElection("the ballot names another election, or another text of this one")
    if len(ballot.answers) != len(election.questions):
        raise WrongShape("a ballot must answer every question once")
    for question, answer in zip(election.questions, ballot.answers, strict=True):
        answers.require_shape(question, answer)


def _verify_signature(ballot: Ballot) -> None:
    unsigned = UnsignedBallot(
        ballot.election_uuid, ballot.election_hash, ballot.credential, ballot.answers
    )
    digest = strict_json.digest_base64(strict_json.encode(unsigned))
    if ballot.signature.hash != digest:
        raise SignatureRefused("the signature is over other bytes")
    public = group.decode_point(ballot.credential)
    if public == group.IDENTITY:
        raise InvalidPoint("the identity is nobody's credential")
    try:
        proofs.verify_knowledge(public, _signature_prefix(digest), ballot.signature.proof)
    except ProofRefused:
        raise SignatureRefused("the signature was not made by the credential") from None


def _context(election: Election, credential: str) -> Context:
    return Context(election.key, f"{election.fingerprint}|{credential}")


def _signature_prefix(digest: str) -> str:
    return f"sig|{digest}|"
