"""Security answers: what is forgiven, what is stored, what a comparison tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.answers import (
    HASH_BYTES,
    AnswerKey,
    are_right,
    canonical,
    membership_key,
)

KEY = AnswerKey(b"k" * 32, "11111111111111")
RIGHT = "0" * 32


@pytest.mark.parametrize(
    ("fact", "spellings"),
    [
        (
            "date_of_birth",
            (
                *("03/04/1980", "3/4/1980", "3.4.1980", "3-4-1980", "03 04 1980", "1980-04-03"),
                *("3 Apr 1980", "3rd April 1980", "3 APRIL 1980", "April 3, 1980", "03041980"),
                *("1980-04-03 00:00:00", " 3/4/1980 "),
            ),
        ),
        ("postcode", ["SW1A 1AA", "sw1a1aa", " Sw1A-1aA ", "SW1A\u00a01AA", "SW1A.1AA"]),
        ("membership_number", ["000123", "123", " 123 ", "0-01-23"]),
        ("membership_number", ["A-99/7", "a997", "A99 7"]),
        ("year_joined", ["1998", " 1998 ", "12/05/1998", "1998-05-12"]),
        ("surname", ["Ó Néill", "O'Neill", "o neill", "ONEILL", "O’Neill", "OʼNeill"]),
        ("surname", ["Brontë-Smith", "bronte smith", "BRONTE-SMITH", "Bronte\u0308Smith"]),
        ("surname", ["Łukasz", "lukasz"]),
        ("surname", ["Großmann", "GROSSMANN"]),
    ],
)
def test_spelling_is_forgiven(fact, spellings) -> None:
    """Case, accents, spaces, punctuation and the way of writing a date don't matter."""
    assert len({canonical(fact, text) for text in spellings}) == 1
    assert canonical(fact, spellings[0]) is not None


@pytest.mark.parametrize(
    ("fact", "one", "other"),
    [
        ("date_of_birth", "03/04/1980", "04/03/1980"),
        ("postcode", "SW1A 1AA", "SW1A 1AB"),
        ("membership_number", "1230", "123"),
        ("year_joined", "1998", "1999"),
        ("surname", "Smith", "Smyth"),
    ],
)
def test_different_answers_stay_different(fact, one, other) -> None:
    """What is forgiven is spelling, not content."""
    assert canonical(fact, one) != canonical(fact, other)


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        ("date_of_birth", ""),
        ("date_of_birth", "3/4/80"),
        ("date_of_birth", "31/02/1980"),
        ("year_joined", "98"),
        ("postcode", " - "),
        ("surname", "!" * 10),
        ("surname", "x" * 201),
    ],
)
def test_what_is_no_answer_is_never_right(fact, text) -> None:
    """Unreadable or empty answers match nothing, not even a stored nothing."""
    assert canonical(fact, text) is None
    stored = {fact: KEY.hash_of(RIGHT, fact, "")}
    assert not are_right(KEY, RIGHT, [fact], {fact: text}, stored)


def test_a_hash_is_bound_to_election_right_fact_and_secret() -> None:
    """The same answer has another hash under any other of these, so that none can be moved."""
    other_election = AnswerKey(b"k" * 32, "22222222222222")
    other_secret = AnswerKey(b"j" * 32, "11111111111111")
    hashes = {
        KEY.hash_of(RIGHT, "surname", "fox"),
        KEY.hash_of("1" * 32, "surname", "fox"),
        KEY.hash_of(RIGHT, "postcode", "fox"),
        KEY.hash_of(RIGHT, "surname", "foxx"),
        other_election.hash_of(RIGHT, "surname", "fox"),
        other_secret.hash_of(RIGHT, "surname", "fox"),
    }
    assert len(hashes) == 6
    assert {len(one) for one in hashes} == {HASH_BYTES}


def test_every_fact_must_be_right() -> None:
    """One wrong or missing answer of two, or a fact that nobody stored, is a wrong attempt."""
    facts = ["postcode", "surname"]
    stored = {"postcode": KEY.hash_of(RIGHT, "postcode", "m11aa")}
    stored["surname"] = KEY.hash_of(RIGHT, "surname", "fox")
    good = {"postcode": "M1 1AA", "surname": "Fox"}
    assert are_right(KEY, RIGHT, facts, good, stored)
    assert are_right(KEY, RIGHT, facts, good | {"year_joined": "1"}, stored)
    assert not are_right(KEY, RIGHT, facts, good | {"surname": "Ray"}, stored)
    assert not are_right(KEY, RIGHT, facts, {"postcode": "M1 1AA"}, stored)
    assert not are_right(KEY, RIGHT, facts, good, {"postcode": stored["postcode"]})
    assert not are_right(KEY, RIGHT, facts, good, {})
    assert not are_right(KEY, RIGHT, [], {}, {})


def test_the_secret_shows_in_no_repr() -> None:
    """A log line or a traceback that prints the key object tells nothing."""
    assert "k" * 8 not in repr(KEY)


@given(st.text(max_size=250), st.sampled_from(["date_of_birth", "year_joined", "surname"]))
def test_no_text_crashes_the_reading_of_answers(text: str, fact) -> None:
    """Whatever an elector types is an answer or none; canonical answers are their own spelling."""
    answer = canonical(fact, text)
    assert answer is None or canonical(fact, answer) == answer


@given(st.text(max_size=30))
def test_a_membership_key_is_its_own_key(text: str) -> None:
    """Reading a key again gives the same key, so that no import can split a member in two."""
    assert membership_key(membership_key(text)) == membership_key(text)
