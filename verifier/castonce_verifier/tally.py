"""From ballots to counts: the product of the ballots, its decryption, the result.

Promises that the encrypted tally is exactly the product of the ballots that count, that every
trustee decrypted exactly that, and that the result is what the decryptions leave.

Source: specification, "Encrypted tally", "Partial decryptions", "Election result".
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from castonce_verifier import group, strict_json
from castonce_verifier.ballots import ciphertexts_of
from castonce_verifier.election import Election
from castonce_verifier.faults import require
from castonce_verifier.group import Point
from castonce_verifier.proofs import Ciphertext, combine, read_proof, require_decryption, spell
from castonce_verifier.strict_json import array, natural, read_compact, record

Totals = Sequence[Sequence[Ciphertext]]


class Weighted(NamedTuple):
    """A ballot that counts, and how many votes it is worth."""

    ballot: bytes
    weight: int


def sum_ballots(ballots: Iterable[Weighted]) -> Totals:
    """Return the product of these ballots' ciphertexts, each to the power of its weight."""
    return sum_totals([_weighed(ciphertexts_of(raw), weight) for raw, weight in ballots])


def sum_totals(parts: Sequence[Totals]) -> Totals:
    """Return the product, slot by slot, of at least one."""
    by_question = zip(*parts, strict=True)
    return [[combine(slot) for slot in zip(*question, strict=True)] for question in by_question]


def empty_totals(election: Election) -> Totals:
    """Return the totals of no ballot at all."""
    nothing = spell(group.IDENTITY, group.IDENTITY)
    return [[nothing] * question.slots for question in election.questions]


def require_tally(raw: bytes, totals: Totals) -> None:
    """The published encrypted tally has these totals, in the one spelling there is."""
    expected = [
        [
            {"alpha": group.write_point(slot.alpha), "beta": group.write_point(slot.beta)}
            for slot in question
        ]
        for question in totals
    ]
    is_product = strict_json.write(expected).encode() == raw
    require(is_product, "isn't the product of the ballots that count")


def require_partial(raw: bytes, totals: Totals, public: Point, fingerprint: str) -> Sequence[Point]:
    """Return a trustee's factors, slot after slot, each proved for this tally and this key."""
    fields = record(read_compact(raw), "decryption_factors", "decryption_proofs")
    factors = array(fields["decryption_factors"], len(totals))
    proofs = array(fields["decryption_proofs"], len(totals))
    proved = []
    for question, question_factors, question_proofs in zip(totals, factors, proofs, strict=True):
        pairs = zip(
            array(question_factors, len(question)),
            array(question_proofs, len(question)),
            strict=True,
        )
        for slot, (factor_text, proof) in zip(question, pairs, strict=True):
            factor = group.read_point_or_identity(factor_text)
            require_decryption(public, slot.alpha, factor, read_proof(proof), fingerprint)
            proved.append(factor)
    return proved


def require_result(
    raw: bytes, totals: Totals, factors: Sequence[Sequence[Point]], most: int
) -> list[list[int]]:
    """Return the counts, each of which is what remains of its slot; none is above `most`."""
    counts = array(record(read_compact(raw), "result")["result"], len(totals))
    together = (group.product(slot) for slot in zip(*factors, strict=True))
    for question, numbers in zip(totals, counts, strict=True):
        for slot, number in zip(question, array(numbers, len(question)), strict=True):
            require(natural(number) <= most, f"has the count {number} of {most} votes")
            is_left = group.over(slot.beta, next(together)) == group.generator_power(number)
            require(is_left, f"has the count {number}, which isn't what the trustees decrypted")
    return [list(numbers) for numbers in counts]


def _weighed(ciphertexts: Totals, weight: int) -> Totals:
    if weight == 1:
        return ciphertexts
    return [
        [
            spell(group.power(slot.alpha, weight), group.power(slot.beta, weight))
            for slot in question
        ]
        for question in ciphertexts
    ]
