"""One encrypted answer: its ciphertexts and the proofs that they hold an allowed choice.

Promises that an answer that verifies encrypts zeros and ones within the question's bounds (or a
blank vote where allowed), and that each of its points is in the group. Must never decide by the
order of proofs which choice was made: that stays encrypted. Trusts `proofs` for soundness.

Source: Belenios 3.3 specification, "Homomorphic answers", "Proofs of possibly-blank votes".
"""

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from ballots import group, proofs
from ballots.election import Question
from ballots.errors import InvalidChoices, WrongShape
from ballots.group import Point, RandomBytes, Unchecked
from ballots.proofs import Opening, PointText, Proof, Statement


class Ciphertext(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An ElGamal pair (g^r, y^r g^m) as 64 hex digits each."""

    alpha: PointText
    beta: PointText


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a ballot says to one question."""

    choices: list[Ciphertext]
    individual_proofs: list[list[Proof]]
    overall_proof: list[Proof]
    blank_proof: list[Proof] | UnsetType = UNSET


class Context(NamedTuple):
    """What every proof of a ballot is bound to: the election's key, and S0 = φ|credential."""

    key: Point
    prefix: str


def seal(
    context: Context, question: Question, choices: Sequence[int], randbytes: RandomBytes
) -> Answer:
    """Encrypt one answer and prove it allowed; raises InvalidChoices if it isn't.

    `choices` holds a 0 or 1 per ciphertext: the blank slot first, where the question has one.
    """
    _require_allowed(question, choices)
    openings = [Opening(group.random_scalar(randbytes), choice) for choice in choices]
    ciphertexts = [_encrypt(context.key, opening) for opening in openings]
    individual = [
        proofs.prove_one_is_zero(
            context.key,
            _interval_prefix(context.prefix, ciphertext.alpha, ciphertext.beta),
            _shifted(opening, range(2)),
            randbytes,
        )
        for opening, ciphertext in zip(openings, ciphertexts, strict=True)
    ]
    bound = context._replace(prefix=_overall_prefix(context, ciphertexts))
    if question.blank:
        overall, blank = _prove_blank(bound, question, openings, randbytes)
        return Answer(ciphertexts, individual, overall, blank)
    total = _opening_sum(openings)
    sum_text = _encrypt(context.key, total)
    prefix = _interval_prefix(bound.prefix, sum_text.alpha, sum_text.beta)
    bounds = range(question.min, question.max + 1)
    overall = proofs.prove_one_is_zero(context.key, prefix, _shifted(total, bounds), randbytes)
    return Answer(ciphertexts, individual, overall)


def verify(context: Context, question: Question, answer: Answer) -> None:
    """Check one answer; raises WrongShape, InvalidPoint, InvalidScalar or ProofRefused."""
    require_shape(question, answer)
    pairs = [_verify_choice(context, *pair) for pair in _pairs(answer)]
    bound = context._replace(prefix=_overall_prefix(context, answer.choices))
    if question.blank:
        _verify_blank(bound, question, answer, pairs)
        return
    total = _pair_sum(pairs)
    alpha, beta = map(group.encode_point, total)
    proofs.verify_one_is_zero(
        context.key,
        _interval_prefix(bound.prefix, alpha, beta),
        _statements(total, range(question.min, question.max + 1)),
        answer.overall_proof,
    )


def require_shape(question: Question, answer: Answer) -> None:
    """Check the numbers of ciphertexts and proofs; raises WrongShape."""
    alternatives = question.max - question.min + 1 + (1 if question.blank else 0)
    blank_count = 0 if answer.blank_proof is UNSET else len(answer.blank_proof)
    if (
        len(answer.choices) != question.choice_count
        or len(answer.individual_proofs) != question.choice_count
        or any(len(pair) != 2 for pair in answer.individual_proofs)
        or len(answer.overall_proof) != alternatives
        or (answer.blank_proof is UNSET) is question.blank
        or blank_count != (2 if question.blank else 0)
    ):
        raise WrongShape("an answer must have the question's numbers of choices and proofs")


def _require_allowed(question: Question, choices: Sequence[int]) -> None:
    if len(choices) != question.choice_count or any(choice not in (0, 1) for choice in choices):
        raise InvalidChoices("a choice must be 0 or 1, one per candidate and blank slot")
    is_blank = question.blank and choices[0] == 1
    count = sum(choices[1:] if question.blank else choices)
    if is_blank and count:
        raise InvalidChoices("a blank vote chooses nobody")
    if not is_blank and not question.min <= count <= question.max:
        raise InvalidChoices(f"between {question.min} and {question.max} must be chosen")


def _encrypt(key: Point, opening: Opening) -> Ciphertext:
    masked = group.multiply(key, opening.randomness)
    beta = group.add(masked, group.small_multiple(opening.plaintext))
    return Ciphertext(
        group.encode_point(group.multiply_base(opening.randomness)), group.encode_point(beta)
    )


def _prove_blank(
    bound: Context, question: Question, openings: Sequence[Opening], randbytes: RandomBytes
) -> tuple[list[Proof], list[Proof]]:
    blank, total = openings[0], _opening_sum(openings[1:])
    blank_proof = proofs.prove_one_is_zero(
        bound.key, f"bproof0|{bound.prefix}|", [blank, total], randbytes
    )
    alternatives = [
        *_shifted(blank, range(1, 2)),
        *_shifted(total, range(question.min, question.max + 1)),
    ]
    overall_proof = proofs.prove_one_is_zero(
        bound.key, f"bproof1|{bound.prefix}|", alternatives, randbytes
    )
    return overall_proof, blank_proof


def _pairs(answer: Answer) -> list[tuple[Ciphertext, list[Proof]]]:
    return list(zip(answer.choices, answer.individual_proofs, strict=True))


def _verify_choice(
    context: Context, ciphertext: Ciphertext, individual: Sequence[Proof]
) -> tuple[Point, Point]:
    claimed = group.decode_point(ciphertext.alpha), group.decode_point(ciphertext.beta)
    proofs.verify_one_is_zero(
        context.key,
        _interval_prefix(context.prefix, ciphertext.alpha, ciphertext.beta),
        _statements(claimed, range(2)),
        individual,
    )
    # The first alternative multiplied both points as they are (M = 0), which checks them: they
    # needn't be checked again, and from here on may be added.
    return Point(claimed[0]), Point(claimed[1])


def _verify_blank(
    bound: Context, question: Question, answer: Answer, pairs: Sequence[tuple[Point, Point]]
) -> None:
    blank, total = pairs[0], _pair_sum(pairs[1:])
    blank_proof = [] if answer.blank_proof is UNSET else answer.blank_proof
    proofs.verify_one_is_zero(
        bound.key, f"bproof0|{bound.prefix}|", [Statement(*blank), Statement(*total)], blank_proof
    )
    alternatives = [
        *_statements(blank, range(1, 2)),
        *_statements(total, range(question.min, question.max + 1)),
    ]
    proofs.verify_one_is_zero(
        bound.key, f"bproof1|{bound.prefix}|", alternatives, answer.overall_proof
    )


def _statements(pair: tuple[Unchecked, Unchecked], numbers: range) -> list[Statement]:
    alpha, beta = pair
    return [Statement(alpha, group.shift_down(beta, number)) for number in numbers]


def _shifted(opening: Opening, numbers: range) -> list[Opening]:
    return [opening._replace(plaintext=opening.plaintext - number) for number in numbers]


def _opening_sum(openings: Sequence[Opening]) -> Opening:
    return Opening(
        sum(opening.randomness for opening in openings) % group.ORDER,
        sum(opening.plaintext for opening in openings),
    )


def _pair_sum(pairs: Sequence[tuple[Point, Point]]) -> tuple[Point, Point]:
    return group.total([pair[0] for pair in pairs]), group.total([pair[1] for pair in pairs])


def _interval_prefix(prefix: str, alpha: str, beta: str) -> str:
    return f"prove|{prefix}|{alpha},{beta}|"


def _overall_prefix(context: Context, choices: Sequence[Ciphertext]) -> str:
    points = chain.from_iterable((choice.alpha, choice.beta) for choice in choices)
    return f"{context.prefix}|{','.join(points)}"
