"""From the encrypted tally to counts: trustees' partial decryptions and the result.

Promises a result only from partial decryptions that prove themselves, by enough trustees. Must
never decrypt a single ballot. Trusts the caller that the encrypted tally is that of all ballots.

Source: Belenios 3.3 specification, "Partial decryptions", "Election result".
"""

from collections.abc import Mapping, Sequence
from math import isqrt
from typing import Annotated, Final

import msgspec

from ballots import group, strict_json, tally
from ballots.answers import Ciphertext
from ballots.election import Election
from ballots.errors import ProofRefused, TallyRefused, WrongShape
from ballots.group import Point, RandomBytes
from ballots.proofs import PointText, Proof
from ballots.tally import EncryptedTally
from ballots.trustees import Trustees

MAX_DECRYPTION_BYTES: Final = 2_000_000
MAX_RESULT_BYTES: Final = 100_000


class Result(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The counts, per question and slot (the blank slot first, where there is one)."""

    result: list[list[Annotated[int, msgspec.Meta(ge=0)]]]


class PartialDecryption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One trustee's share: a factor and a proof per ciphertext of the encrypted tally."""

    decryption_factors: list[list[PointText]]
    decryption_proofs: list[list[Proof]]


_DECODER: Final = msgspec.json.Decoder(PartialDecryption)
_RESULT: Final = msgspec.json.Decoder(Result)


def partial_decryption(
    election: Election, totals: EncryptedTally, private: int, randbytes: RandomBytes
) -> PartialDecryption:
    """Return one trustee's factors α^x with proofs; for the trustee's own machine."""
    prefix = _prefix(election, group.encode_point(group.multiply_base(private)))
    shares = [[_share(prefix, c, private, randbytes) for c in question] for question in totals]
    return PartialDecryption(
        [[factor for factor, _ in question] for question in shares],
        [[proof for _, proof in question] for question in shares],
    )


def parse_partial(raw: bytes) -> PartialDecryption:
    """Read a partial decryption's canonical JSON; no proofs are checked."""
    return strict_json.decode_canonical(raw, _DECODER, max_bytes=MAX_DECRYPTION_BYTES)


def verify_partial(
    election: Election, totals: EncryptedTally, public_key: str, partial: PartialDecryption
) -> None:
    """Check every factor against the trustee's key; raises ProofRefused/InvalidPoint/WrongShape."""
    shape = [len(question) for question in totals]
    if [len(f) for f in partial.decryption_factors] != shape or [
        len(p) for p in partial.decryption_proofs
    ] != shape:
        raise WrongShape("a partial decryption must have the encrypted tally's shape")
    prefix = _prefix(election, public_key)
    public = group.parse_point(public_key)
    for question, factors, question_proofs in zip(
        totals, partial.decryption_factors, partial.decryption_proofs, strict=True
    ):
        for ciphertext, factor, proof in zip(question, factors, question_proofs, strict=True):
            _verify_share(prefix, public, ciphertext.alpha, factor, proof)


def combine(
    trustees: Trustees,
    totals: EncryptedTally,
    partials: Mapping[int, PartialDecryption],
    most: int,
) -> list[list[int]]:
    """Return the counts from verified partial decryptions, by their owners' numbers.

    `most` is the largest count possible: the weight of all ballots. Raises TrusteesRefused if too
    few owners decrypted, TallyRefused if a total isn't between zero and `most`.
    """
    weights = trustees.weights(partials.keys())
    return _counts(totals, [(partials[owner], weight) for owner, weight in weights.items()], most)


def decrypt(
    election: Election, ballots: Sequence[bytes], private: int, randbytes: RandomBytes
) -> list[list[int]]:
    """Return the counts of verified ballots under a single trustee's key: tally to result."""
    totals = tally.of_ballots(election, ballots)
    partial = partial_decryption(election, totals, private, randbytes)
    verify_partial(election, totals, election.public_key, partial)
    return _counts(totals, [(partial, 1)], len(ballots))


def encode_partial(partial: PartialDecryption) -> bytes:
    """Return the archive's `partial_decryption` record."""
    return strict_json.encode(partial)


def encode_result(counts: Sequence[Sequence[int]]) -> bytes:
    """Return the archive's `result` record."""
    return strict_json.encode({"result": counts})


def parse_result(election: Election, raw: bytes) -> list[list[int]]:
    """Read a `result` record's counts, of the election's shape; no decryption is checked."""
    counts = strict_json.decode_canonical(raw, _RESULT, max_bytes=MAX_RESULT_BYTES).result
    if [len(slots) for slots in counts] != [q.choice_count for q in election.questions]:
        raise WrongShape("a result has a count per question and choice")
    return counts


class _Logarithm:
    """Baby-step giant-step for exponents from 0 to `largest`."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._stride = isqrt(largest) + 1
        self._baby: dict[Point, int] = {}
        point = group.IDENTITY
        for exponent in range(self._stride):
            self._baby[point] = exponent
            point = group.add(point, group.GENERATOR)
        self._giant = point

    def of(self, point: Point) -> int:
        for step in range(self._largest // self._stride + 1):
            baby = self._baby.get(point)
            if baby is not None and step * self._stride + baby <= self._largest:
                return step * self._stride + baby
            point = group.subtract(point, self._giant)
        raise TallyRefused("a total isn't between zero and the number of ballots")


def _share(
    prefix: str, ciphertext: Ciphertext, private: int, randbytes: RandomBytes
) -> tuple[str, Proof]:
    alpha = group.parse_point_or_identity(ciphertext.alpha)
    nonce = group.random_scalar(randbytes)
    commitments = group.multiply_base(nonce), group.multiply(alpha, nonce)
    challenge = group.hash_to_scalar(prefix + ",".join(map(group.encode_point, commitments)))
    proof = Proof(group.encode_scalar(challenge), group.encode_scalar(nonce - private * challenge))
    return group.encode_point(group.multiply(alpha, private)), proof


def _verify_share(prefix: str, public: Point, alpha: str, factor: str, proof: Proof) -> None:
    base = group.parse_point_or_identity(alpha)
    share = group.parse_point_or_identity(factor)
    challenge = group.parse_scalar(proof.challenge)
    response = group.parse_scalar(proof.response)
    first = group.add(group.multiply_base(response), group.multiply(public, challenge))
    second = group.add(group.multiply(base, response), group.multiply(share, challenge))
    text = f"{prefix}{group.encode_point(first)},{group.encode_point(second)}"
    if group.hash_to_scalar(text) != challenge:
        raise ProofRefused("a trustee's proof of decryption doesn't hold")


def _counts(
    totals: EncryptedTally, partials: Sequence[tuple[PartialDecryption, int]], most: int
) -> list[list[int]]:
    logarithm = _Logarithm(most)
    return [
        [
            logarithm.of(
                _opened(c, [(p.decryption_factors[at][slot], weight) for p, weight in partials])
            )
            for slot, c in enumerate(question)
        ]
        for at, question in enumerate(totals)
    ]


def _opened(ciphertext: Ciphertext, factors: Sequence[tuple[str, int]]) -> Point:
    point = group.parse_point_or_identity(ciphertext.beta)
    for factor, weight in factors:
        share = group.multiply(group.parse_point_or_identity(factor), weight)
        point = group.subtract(point, share)
    return point


def _prefix(election: Election, public: str) -> str:
    return f"decrypt|{election.fingerprint}|{public}|"
