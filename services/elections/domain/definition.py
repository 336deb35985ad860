"""What is wrong with a definition, in words that name the key and the fix.

Promises that a definition without problems can be voted on and closed in order. Must never look at
a clock: hours in the past are the officer's business. Trusts the types of the contract.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from shared.contracts.elections import Definition, Question

MOST_CIPHERTEXTS: Final = 200
"""Answers and blank slots of all questions together, each a ciphertext of every ballot. A ballot of
so many is tested: it is 143 kB long and fits into a record, and its sum and its decryptions too."""


class Problem(NamedTuple):
    """One thing to put right: the key as it stands in the officer's file, and what to do."""

    key: str
    fix: str


def problems(definition: Definition) -> list[Problem]:
    """Everything that stops this definition from becoming an election; empty if nothing does."""
    return [
        *_hour_problems(definition),
        *_repeated("channels", definition.channels),
        *_repeated("security_questions", [asked.fact for asked in definition.security_questions]),
        *_repeated("questions", [question.question for question in definition.questions]),
        *_ballot_problems(definition.questions),
        *(
            problem
            for number, question in enumerate(definition.questions)
            for problem in _question_problems(f"questions[{number}]", question)
        ),
    ]


def _hour_problems(definition: Definition) -> Iterator[Problem]:
    if definition.online_closes_at_ms <= definition.opens_at_ms:
        yield Problem("online_closes", "must be later than opens: move one of the two")
    if definition.post_closes_at_ms < definition.online_closes_at_ms:
        yield Problem(
            "post_closes",
            "must not be earlier than online_closes: the post closes last, so that every online"
            " vote is known when the last envelope is decided",
        )


def _ballot_problems(questions: Sequence[Question]) -> Iterator[Problem]:
    found = sum(len(question.answers) + question.blank for question in questions)
    if found > MOST_CIPHERTEXTS:
        yield Problem(
            "questions",
            f"have {found} answers and blank votes together, and a ballot can hold"
            f" {MOST_CIPHERTEXTS}: leave some out, or hold a second ballot",
        )


def _question_problems(key: str, question: Question) -> Iterator[Problem]:
    yield from _repeated(f"{key}.answers", question.answers)
    if question.texts and len(question.texts) != len(question.answers):
        yield Problem(
            f"{key}.texts",
            f"must hold one text for each of the {_count(question)} answers, in their order, where"
            f' {len(question.texts)} stand: write "" for an answer that has none, or leave the key'
            " out",
        )
    if question.max > len(question.answers):
        yield Problem(f"{key}.max", f"must not exceed the number of answers, {_count(question)}")
    if question.min > question.max:
        yield Problem(f"{key}.min", f"must not exceed max, which is {question.max}")
    if question.blank and question.min == 0:
        yield Problem(
            f"{key}.blank",
            "is not needed where min is 0: choosing nobody is allowed already; leave it out",
        )


def _count(question: Question) -> int:
    return len(question.answers)


def _repeated(key: str, texts: Sequence[str]) -> Iterator[Problem]:
    seen: set[str] = set()
    for text in texts:
        if text in seen:
            yield Problem(key, f"names {text!r} twice: remove one")
        seen.add(text)
