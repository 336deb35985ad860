"""What we seal verifies and is counted, for any shape of question."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ballots import ballot, credentials, decrypt
from ballots.election import Question
from shared.testing.promises import promise

FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@st.composite
def questions_with_choices(draw) -> tuple[Question, list[int]]:
    """A question of up to five answers, and a choice that it allows."""
    count = draw(st.integers(1, 5))
    most = draw(st.integers(1, count))
    least = draw(st.integers(0, most))
    blank = draw(st.booleans())
    question = Question(
        answers=tuple(draw(st.text(max_size=9)) for _ in range(count)),
        blank=blank,
        min=least,
        max=most,
        question=draw(st.text(max_size=20)),
    )
    if blank and draw(st.booleans()):
        return question, [1] + [0] * count
    chosen = draw(st.permutations(range(count)))[: draw(st.integers(least, most))]
    return question, [0] * blank + [int(at in chosen) for at in range(count)]


@promise("P9")
@given(st.lists(questions_with_choices(), min_size=1, max_size=3), st.integers())
@FEW
def test_what_is_sealed_verifies_and_is_counted(
    make_booth, randomness: Callable, asked: list[tuple[Question, list[int]]], seed: int
) -> None:
    """Any allowed choice in any election is accepted and comes out of the tally as it went in."""
    booth = make_booth(*(question for question, _ in asked))
    choices = [choice for _, choice in asked]
    randbytes = randomness(str(seed))
    raw = ballot.seal(booth.election, booth.credential, choices, randbytes)
    verified = ballot.verify(booth.election, raw)
    assert verified == (ballot.tracker(raw), booth.credential.public)
    assert ballot.peek(raw) == booth.credential.public
    assert decrypt.decrypt(booth.election, [raw], booth.private_key, randbytes) == choices


@given(questions_with_choices())
@FEW
def test_zero_randomness_makes_a_ballot_too(make_booth, asked: tuple[Question, list[int]]) -> None:
    """Every exponent zero, every α the identity: legal in the specification, so no crash."""
    question, choice = asked
    booth = make_booth(question)
    raw = ballot.seal(booth.election, booth.credential, [choice], bytes)
    ballot.verify(booth.election, raw)
    assert decrypt.decrypt(booth.election, [raw], booth.private_key, bytes) == [choice]


@promise("P9")
def test_a_sum_of_ballots_is_the_sum_of_choices(make_booth, randomness: Callable) -> None:
    """Thirty voters' choices are counted exactly."""
    booth = make_booth(
        Question(answers=("A", "B", "C"), blank=True, min=1, max=2, question="?"),
        Question(answers=("Yes",), min=0, max=1, question="?"),
    )
    randbytes = randomness("sum")
    expected = [[0, 0, 0, 0], [0]]
    cast = []
    options = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    for voter in range(30):
        choices = [options[voter % 4], [voter % 2]]
        pair = credentials.from_private(1_000 + voter)
        cast.append(ballot.seal(booth.election, pair, choices, randbytes))
        expected = [
            [a + b for a, b in zip(x, y, strict=True)]
            for x, y in zip(expected, choices, strict=True)
        ]
    assert decrypt.decrypt(booth.election, cast, booth.private_key, randbytes) == expected


def test_two_ballots_of_one_choice_differ(make_booth, randomness: Callable) -> None:
    """Fresh randomness hides the choice: equal votes don't look equal."""
    booth = make_booth(Question(answers=("A", "B"), min=1, max=1, question="?"))
    randbytes = randomness("differ")
    first = ballot.seal(booth.election, booth.credential, [[1, 0]], randbytes)
    second = ballot.seal(booth.election, booth.credential, [[1, 0]], randbytes)
    assert first != second
    assert ballot.tracker(first) != ballot.tracker(second)


def test_a_hundred_and_fifty_candidates_fit_into_a_ballot(make_booth, randomness: Callable) -> None:
    """The largest question that elections may define stays below the size limit."""
    booth = make_booth(Question(answers=("x",) * 150, blank=True, min=0, max=150, question="?"))
    raw = ballot.seal(booth.election, booth.credential, [[0] + [1] * 150], randomness("large"))
    assert len(raw) < ballot.MAX_BALLOT_BYTES
    ballot.verify(booth.election, raw)


@pytest.mark.parametrize("seed", ["a", "b"])
def test_sealing_is_determined_by_its_randomness(
    make_booth, randomness: Callable, seed: str
) -> None:
    """The package has no randomness of its own."""
    booth = make_booth(Question(answers=("A", "B"), min=1, max=1, question="?"))
    made = {
        hashlib.sha256(
            ballot.seal(booth.election, booth.credential, [[1, 0]], randomness(seed))
        ).hexdigest()
        for _ in range(2)
    }
    assert len(made) == 1


@FEW
@given(asked=st.lists(questions_with_choices(), min_size=1, max_size=3))
def test_no_ballot_is_longer_than_its_election_allows(
    make_booth, randomness, asked: list[tuple[Question, list[int]]]
) -> None:
    """The bound holds whatever is chosen, and is closer than ten digits for every number in it."""
    booth = make_booth(*(question for question, _ in asked))
    choices = [chosen for _, chosen in asked]
    raw = ballot.seal(booth.election, booth.credential, choices, randomness("longest"))
    ballot.verify(booth.election, raw)
    spare = ballot.longest(booth.election) - len(raw)
    assert 0 <= spare <= 10 * (raw.count(b'"challenge"') + raw.count(b'"response"'))


def test_the_longest_ballot_of_a_recorded_election_is_within_its_bound(
    two_answers, mixed_questions
) -> None:
    """Ballots that Belenios itself made fit as well."""
    for vector in (two_answers, mixed_questions):
        assert max(map(len, vector.ballots)) <= ballot.longest(vector.election)
