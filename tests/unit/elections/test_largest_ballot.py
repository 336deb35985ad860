"""The largest ballot that may be defined fits everywhere, and a larger one is refused."""

import secrets

import pytest
from msgspec.structs import replace

from ballots import ballot, codes, credentials, decrypt, election, tally, trustees
from services.elections.domain import acceptances
from services.elections.domain.definition import MOST_CIPHERTEXTS, problems
from shared.contracts.elections import Question
from shared.contracts.fields import MAX_BALLOT_BYTES
from shared.testing.promises import promise
from tests.unit.elections.test_ending import DEFINITION, PRIVATE, RECORD

SHAPES = ([10] * 20, [150, 50], [149, 49])
"""Answers by question; the last one with a blank vote in each."""
MOST_PROTOCOL_BYTES = 800_000


def _questions(shape: list[int], *, blank: bool = False) -> list[Question]:
    return [
        Question(
            question=f"Question {number}?",
            answers=[f"Answer {one}" for one in range(answers)],
            min=1 if blank else 0,
            max=answers,
            blank=blank,
        )
        for number, answers in enumerate(shape)
    ]


def _about(questions: list[Question]) -> election.Election:
    asked = [
        election.Question(
            question=one.question,
            answers=tuple(one.answers),
            min=one.min,
            max=one.max,
            blank=one.blank,
        )
        for one in questions
    ]
    raw = election.build(
        uuid="78jtVeEwZkgRBC",
        name="Large",
        description="",
        public_key=trustees.parse(RECORD).election_key,
        questions=asked,
    )
    return election.parse(raw)


def _found(questions: list[Question]) -> dict[str, str]:
    return dict(problems(replace(DEFINITION, questions=questions)))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_longest_ballot_that_may_be_defined_can_be_handed_in(shape: list[int]) -> None:
    """However its answers are spread over questions, a record has room for it."""
    questions = _questions(shape, blank=sum(shape) < MOST_CIPHERTEXTS)
    assert sum(len(one.answers) + one.blank for one in questions) == MOST_CIPHERTEXTS
    assert _found(questions) == {}
    assert ballot.longest(_about(questions)) <= MAX_BALLOT_BYTES


@promise("P9")
def test_the_largest_ballot_comes_to_a_sum_and_to_decryptions_that_a_record_holds() -> None:
    """Sealed, added, and opened by each trustee: every record of it is one that the log takes."""
    about = _about(_questions([10] * 20))
    pair = credentials.derive(codes.generate(secrets.token_bytes), about.uuid)
    raw = ballot.seal(about, pair, [[1] + [0] * 9] * 20, secrets.token_bytes)
    assert ballot.verify(about, raw).credential == pair.public
    sums = acceptances.added(about, None, [raw]).encode()
    totals = tally.parse(about, sums)
    made = decrypt.partial_decryption(about, totals, PRIVATE[0][0], secrets.token_bytes)
    assert max(len(sums), len(decrypt.encode_partial(made))) < MOST_PROTOCOL_BYTES


@pytest.mark.parametrize("shape", [[10] * 19 + [11], [150, 51], [150, 150]])
def test_a_larger_ballot_is_refused_with_the_most_that_one_can_hold(shape: list[int]) -> None:
    """Nobody could hand it in: the officer reads so before there is an election."""
    assert f"can hold {MOST_CIPHERTEXTS}" in _found(_questions(shape))["questions"]
