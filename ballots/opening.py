"""An audited ballot opened: what a device sealed, shown to whoever asked it to.

Promises that the choices are told only of a ballot that verifies, all of whose ciphertexts are made
again from the opening's own numbers: then the ballot holds these choices and no others. Must never
open a ballot that may be cast: the numbers would tell the choice to anybody. Trusts the election's
text; that it is the right one, its fingerprint says.

Source: DESIGN sections 7 and 9 (audit instead of casting); Belenios 3.3 specification,
"Encrypted answers".
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from ballots import ballot, group, strict_json
from ballots.answers import Answer
from ballots.ballot import MAX_BALLOT_BYTES
from ballots.election import Election
from ballots.errors import OpeningRefused
from ballots.proofs import ScalarText

# A ballot's text once, escaped, and less than half as much again of numbers.
MAX_OPENING_BYTES: Final = 2 * MAX_BALLOT_BYTES


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sealed ballot with the marks and the randomness of each of its ciphertexts."""

    election_id: str
    ballot: str
    choices: list[list[int]]
    randomness: list[list[ScalarText]]


class Opened(NamedTuple):
    """A ballot's tracker, and per question the chosen answers' numbers from 0; None is blank."""

    tracker: str
    choices: list[list[int] | None]


def parse(raw: bytes) -> Opening:
    """Read an opening of any layout; raises TooLarge or Malformed. Says nothing of its truth."""
    return strict_json.decode(raw, Opening, max_bytes=MAX_OPENING_BYTES)


def check(election: Election, opening: Opening) -> Opened:
    """Return what the ballot holds; raises OpeningRefused, or the BallotError of its own fault."""
    if opening.election_id != election.uuid:
        raise OpeningRefused("the opening is for another election")
    sealed = opening.ballot.encode()
    verified = ballot.verify(election, sealed)
    answers = ballot.parse(sealed).answers
    if not len(answers) == len(opening.choices) == len(opening.randomness):
        raise OpeningRefused("the opening must open every question")
    for number, answer in enumerate(answers, 1):
        marks, numbers = opening.choices[number - 1], opening.randomness[number - 1]
        if not _opens(election, answer, marks, numbers):
            raise OpeningRefused(f"the ballot holds something else at question {number}")
    chosen = [
        _chosen(question.blank, marks)
        for question, marks in zip(election.questions, opening.choices, strict=True)
    ]
    return Opened(verified.tracker, chosen)


def _opens(
    election: Election, answer: Answer, marks: Sequence[int], numbers: Sequence[str]
) -> bool:
    if not len(answer.choices) == len(marks) == len(numbers):
        return False
    return all(
        mark in (0, 1)
        and (ciphertext.alpha, ciphertext.beta) == _sealed(election, mark, int(number))
        for ciphertext, mark, number in zip(answer.choices, marks, numbers, strict=True)
    )


def _sealed(election: Election, mark: int, randomness: int) -> tuple[str, str]:
    masked = group.multiply(election.key, randomness)
    beta = group.add(masked, group.small_multiple(mark))
    return group.encode_point(group.multiply_base(randomness)), group.encode_point(beta)


def _chosen(has_blank: bool, marks: Sequence[int]) -> list[int] | None:
    if has_blank and marks[0]:
        return None
    candidates = marks[1:] if has_blank else marks
    return [number for number, mark in enumerate(candidates) if mark]
