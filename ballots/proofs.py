"""Zero-knowledge proofs: Schnorr's, and "one of these ciphertexts encrypts zero".

Promises that a proof that verifies was made by someone who knew the secret, for the exact text it
is bound to. Must never accept a scalar or a point outside its range: every point that enters a
proof goes through `group.multiply`, which checks it. Trusts the callers' prefixes to be distinct.

Everything that Belenios proves about an answer is one form: for one j of several ciphertexts,
(α_j, β_j) = (g^r, y^r). Intervals, blank votes and totals differ in their lists and prefixes only.

Source: Belenios 3.3 specification, "Proofs of interval membership", "Proofs of possibly-blank
votes", "Signatures", "Verification keys".
"""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec

from ballots import group
from ballots.errors import ProofRefused
from ballots.group import Point, RandomBytes, Unchecked

ScalarText = Annotated[str, msgspec.Meta(pattern=group.SCALAR_PATTERN)]
PointText = Annotated[str, msgspec.Meta(pattern=group.POINT_PATTERN)]


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A challenge and a response, decimal strings below the group order."""

    challenge: ScalarText
    response: ScalarText


class Statement(NamedTuple):
    """One ciphertext that may encrypt zero; its points needn't have been checked."""

    alpha: Unchecked
    beta: Unchecked


class Opening(NamedTuple):
    """What its maker knows of a ciphertext: its randomness, and the number that it encrypts."""

    randomness: int
    plaintext: int


def prove_knowledge(secret: int, prefix: str, randbytes: RandomBytes) -> Proof:
    """Return a Schnorr proof of the discrete logarithm; the commitment follows the prefix."""
    nonce = group.random_scalar(randbytes)
    commitment = group.encode_point(group.multiply_base(nonce))
    challenge = group.hash_to_scalar(prefix + commitment)
    return _proof(challenge, nonce - secret * challenge)


def verify_knowledge(public: Unchecked, prefix: str, proof: Proof) -> None:
    """Check a Schnorr proof and the public point; raises ProofRefused or InvalidPoint."""
    challenge, response = _numbers(proof)
    commitment = group.add(group.multiply_base(response), group.multiply(public, challenge))
    if group.hash_to_scalar(prefix + group.encode_point(commitment)) != challenge:
        raise ProofRefused("the proof of knowledge doesn't hold")


def prove_one_is_zero(
    key: Point, prefix: str, openings: Sequence[Opening], randbytes: RandomBytes
) -> list[Proof]:
    """Return proofs, one per ciphertext, that the first with plaintext zero is among them.

    The others are simulated: knowing the openings, they need multiplications by g and y only.
    Raises ProofRefused if none of the plaintexts is zero.
    """
    true_index = _index_of_zero(openings)
    nonce = group.random_scalar(randbytes)
    challenges = [group.random_scalar(randbytes) for _ in openings]
    responses = [group.random_scalar(randbytes) for _ in openings]
    commitments: list[Point] = []
    for index, opening in enumerate(openings):
        if index == true_index:
            commitments += [group.multiply_base(nonce), group.multiply(key, nonce)]
        else:
            commitments += _simulated(key, opening, challenges[index], responses[index])
    others = sum(challenges) - challenges[true_index]
    challenge = (_challenge(prefix, commitments) - others) % group.ORDER
    challenges[true_index] = challenge
    responses[true_index] = nonce - openings[true_index].randomness * challenge
    return [_proof(c, r) for c, r in zip(challenges, responses, strict=True)]


def verify_one_is_zero(
    key: Point, prefix: str, statements: Sequence[Statement], proofs: Sequence[Proof]
) -> None:
    """Check every point and that one ciphertext encrypts zero; raises ProofRefused/InvalidPoint."""
    if len(statements) != len(proofs):
        raise ProofRefused("the number of proofs isn't that of the alternatives")
    total_challenge = 0
    commitments: list[Point] = []
    for (alpha, beta), proof in zip(statements, proofs, strict=True):
        challenge, response = _numbers(proof)
        total_challenge += challenge
        commitments += [
            group.add(group.multiply_base(response), group.multiply(alpha, challenge)),
            group.add(group.multiply(key, response), group.multiply(beta, challenge)),
        ]
    if _challenge(prefix, commitments) != total_challenge % group.ORDER:
        raise ProofRefused("the proof of the answer's content doesn't hold")


def _index_of_zero(openings: Sequence[Opening]) -> int:
    for index, opening in enumerate(openings):
        if opening.plaintext == 0:
            return index
    raise ProofRefused("nothing true to prove: no alternative holds")


def _simulated(key: Point, opening: Opening, challenge: int, response: int) -> list[Point]:
    exponent = response + opening.randomness * challenge
    shift = group.multiply_base(opening.plaintext * challenge)
    return [group.multiply_base(exponent), group.add(group.multiply(key, exponent), shift)]


def _challenge(prefix: str, commitments: Sequence[Point]) -> int:
    return group.hash_to_scalar(prefix + ",".join(map(group.encode_point, commitments)))


def _numbers(proof: Proof) -> tuple[int, int]:
    return group.parse_scalar(proof.challenge), group.parse_scalar(proof.response)


def _proof(challenge: int, response: int) -> Proof:
    return Proof(group.encode_scalar(challenge), group.encode_scalar(response))
