"""The zero-knowledge proofs: that a secret is known, and that a ciphertext holds an allowed number.

Promises that each function returns only if the proof holds for exactly the statement that it is
given; else it raises a `Fault`. Points need not have been checked before: each is the base of a
power, which `group` refuses unless it is in the group.

Source: specification, "Verification keys", "Signatures", "Proofs of interval membership", "Proofs
of possibly-blank votes", "Partial decryptions".
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from castonce_verifier import group
from castonce_verifier.faults import require
from castonce_verifier.group import ORDER, Point, generator_power, over, power, small_power, times
from castonce_verifier.strict_json import record


class Proof(NamedTuple):
    """A challenge and a response, both below the group's order."""

    challenge: int
    response: int


class Ciphertext(NamedTuple):
    """A pair (α, β), and its spelling `α,β` in hashes."""

    alpha: Point
    beta: Point
    spelled: str


class Claim(NamedTuple):
    """That a ciphertext holds this number."""

    ciphertext: Ciphertext
    number: int


def read_proof(value: object) -> Proof:
    """Return a proof from its JSON form."""
    fields = record(value, "challenge", "response")
    return Proof(group.read_scalar(fields["challenge"]), group.read_scalar(fields["response"]))


def read_ciphertext(value: object) -> Ciphertext:
    """Return a ciphertext from its JSON form; the identity is allowed in both places.

    Its points are unchecked until `require_one_of` has held for a claim that it holds zero.
    """
    fields = record(value, "alpha", "beta")
    alpha = group.read_unchecked(fields["alpha"])
    beta = group.read_unchecked(fields["beta"])
    return Ciphertext(alpha, beta, f"{fields['alpha']},{fields['beta']}")


def combine(ciphertexts: Iterable[Ciphertext]) -> Ciphertext:
    """Return the product, which holds the sum of the numbers held."""
    pairs = list(ciphertexts)
    return spell(
        group.product(pair.alpha for pair in pairs), group.product(pair.beta for pair in pairs)
    )


def spell(alpha: Point, beta: Point) -> Ciphertext:
    """Return the ciphertext of two points."""
    return Ciphertext(alpha, beta, f"{group.write_point(alpha)},{group.write_point(beta)}")


def require_knowledge(public: Point, proof: Proof, before: str) -> None:
    """The maker knows the exponent of `public`; `before` is the hashed text up to A."""
    commitment = times(generator_power(proof.response), power(public, proof.challenge))
    expected = group.hash_to_scalar(before + group.write_point(commitment))
    require(expected == proof.challenge, "has a proof or signature that doesn't hold")


def require_one_of(key: Point, claims: Sequence[Claim], proofs: Sequence[Proof], to: str) -> None:
    """One of the claims is true under the election's key; `to` is the hashed text up to A0."""
    commitments = (
        point
        for claim, proof in zip(claims, proofs, strict=True)
        for point in _commitments(key, claim, proof)
    )
    expected = group.hash_to_scalar(to + ",".join(map(group.write_point, commitments)))
    total = sum(proof.challenge for proof in proofs) % ORDER
    require(expected == total, "has a proof that doesn't hold")


def require_decryption(
    public: Point, alpha: Point, factor: Point, proof: Proof, fingerprint: str
) -> None:
    """The factor is α to the exponent of `public`."""
    first = times(generator_power(proof.response), power(public, proof.challenge))
    second = times(power(alpha, proof.response), power(factor, proof.challenge))
    spelled = f"{group.write_point(first)},{group.write_point(second)}"
    before = f"decrypt|{fingerprint}|{group.write_point(public)}|"
    is_proved = group.hash_to_scalar(before + spelled) == proof.challenge
    require(is_proved, "has a decryption factor whose proof doesn't hold")


def _commitments(key: Point, claim: Claim, proof: Proof) -> tuple[Point, Point]:
    """A = g^response α^challenge, B = y^response (β / g^number)^challenge."""
    alpha, beta, _ = claim.ciphertext
    shifted = over(beta, small_power(claim.number)) if claim.number else beta
    return (
        times(generator_power(proof.response), power(alpha, proof.challenge)),
        times(power(key, proof.response), power(shifted, proof.challenge)),
    )
