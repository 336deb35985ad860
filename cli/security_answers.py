"""Answers to security questions, looked at on the voter's own device before they cost a try.

Promises that only what can't be an answer of its kind at all is refused: whether one is right, only
`identity` knows. Must never show, write or log an answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

from services.identity.domain.answers import canonical
from shared.contracts.elections import Fact

HINTS: Final[Mapping[str, str]] = {
    "date_of_birth": "such as 31 December 1980",
    "postcode": "such as AB1 2CD",
    "year_joined": "such as 1998",
}
"""How an answer is written, by the kinds of fact that people write in many ways.

The month is a word: whether 3/4/1980 is in March or April depends on the roll.
"""

_NEEDED: Final[Mapping[str, str]] = {
    "date_of_birth": "needs a date with day, month and a year of four digits",
    "year_joined": "needs a year of four digits",
}


def prompted(asked: Mapping[str, Any]) -> str:
    """The question, with a hint of the format where its fact has one."""
    hint = HINTS.get(asked["fact"])
    return f"{asked['text']} ({hint})" if hint else str(asked["text"])


def problem(fact: str, answer: str) -> str:
    """Why this can't be an answer, without the answer; empty if it can, or for unknown facts."""
    for known in get_args(Fact):
        if known == fact and canonical(known, answer) is None:
            needed = _NEEDED.get(fact, "needs letters or digits, at most 200")
            hint = HINTS.get(fact)
            return f"{needed}, {hint}" if hint else needed
    return ""


def first_problem(questions: Sequence[Mapping[str, Any]], answers: Mapping[str, str]) -> str:
    """What keeps these answers by fact from being offered; empty if nothing does."""
    for asked in questions:
        fact = asked["fact"]
        if fact not in answers:
            return f"{fact} is missing"
        if found := problem(fact, answers[fact]):
            return f"{fact} {found}"
    return ""
