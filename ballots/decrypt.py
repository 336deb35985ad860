"""From accepted ballots to counts: the encrypted tally, partial decryptions and the result.

Promises totals that are the sum of the ballots given, each credential once, and a result only if
every trustee's decryption proves itself. Must never decrypt a single ballot, nor check who may
vote. Trusts that the ballots were verified; still checks every point, since sums wouldn't.

Source: Belenios 3.3 specification, "Encrypted tally", "Partial decryptions", "Election result".
"""

from collections.abc import Iterable, Sequence
from math import isqrt
from typing import Final

import msgspec

from ballots import ballot, group, strict_json
from ballots.answers import Ciphertext
from ballots.election import Election
from ballots.errors import DuplicateCredential, ProofRefused, TallyRefused, WrongShape
from ballots.group import Point, RandomBytes
from ballots.proofs import PointText, Proof

MAX_DECRYPTION_BYTES: Final = 2_000_000

EncryptedTally = list[list[Ciphertext]]


class PartialDecryption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One trustee's share: a factor and a proof per ciphertext of the encrypted tally."""

    decryption_factors: list[list[PointText]]
    decryption_proofs: list[list[Proof]]


_DECODER: Final = msgspec.json.Decoder(PartialDecryption)


def tally(election: Election, ballots: Iterable[bytes]) -> EncryptedTally:
    """Return the sums, per question and choice, of verified ballots; raises for a second ballot."""
    sums = [[(group.IDENTITY, group.IDENTITY)] * q.choice_count for q in election.questions]
    seen: set[str] = set()
    for raw in ballots:
        parsed = ballot.parse(raw)
        ballot.require_election(election, parsed)
        if parsed.credential in seen:
            raise DuplicateCredential("two ballots of one credential; only the first may count")
        seen.add(parsed.credential)
        for slots, answer in zip(sums, parsed.answers, strict=True):
            slots[:] = [_added(slot, c) for slot, c in zip(slots, answer.choices, strict=True)]
    return [[_ciphertext(*slot) for slot in slots] for slots in sums]


def encode_tally(totals: EncryptedTally) -> bytes:
    """Return the archive's compact JSON of an encrypted tally."""
    return strict_json.encode(totals)


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
    totals: EncryptedTally, partials: Sequence[PartialDecryption], ballot_count: int
) -> list[list[int]]:
    """Return the counts from verified partial decryptions of all trustees; raises TallyRefused."""
    logarithm = _Logarithm(ballot_count)
    return [
        [
            logarithm.of(_opened(ciphertext, [p.decryption_factors[at][slot] for p in partials]))
            for slot, ciphertext in enumerate(question)
        ]
        for at, question in enumerate(totals)
    ]


def decrypt(
    election: Election, ballots: Sequence[bytes], private: int, randbytes: RandomBytes
) -> list[list[int]]:
    """Return the counts of verified ballots under a single trustee's key: tally to result."""
    totals = tally(election, ballots)
    partial = partial_decryption(election, totals, private, randbytes)
    verify_partial(election, totals, election.public_key, partial)
    return combine(totals, [partial], len(ballots))


def encode_result(counts: Sequence[Sequence[int]]) -> bytes:
    """Return the archive's `result` record."""
    return strict_json.encode({"result": counts})


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


def _added(slot: tuple[Point, Point], ciphertext: Ciphertext) -> tuple[Point, Point]:
    alpha = group.parse_point_or_identity(ciphertext.alpha)
    beta = group.parse_point_or_identity(ciphertext.beta)
    return group.add(slot[0], alpha), group.add(slot[1], beta)


def _ciphertext(alpha: Point, beta: Point) -> Ciphertext:
    return Ciphertext(group.encode_point(alpha), group.encode_point(beta))


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


def _opened(ciphertext: Ciphertext, factors: Sequence[str]) -> Point:
    point = group.parse_point_or_identity(ciphertext.beta)
    for factor in factors:
        point = group.subtract(point, group.parse_point_or_identity(factor))
    return point


def _prefix(election: Election, public: str) -> str:
    return f"decrypt|{election.fingerprint}|{public}|"
