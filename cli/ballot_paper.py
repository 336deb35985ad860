"""The ballot paper on a terminal: the questions, and what somebody types.

Promises that a number means the same answer in whatever order the answers are listed, and that what
a question doesn't allow is asked again. Must never write down what was typed. Trusts the election's
text; texts and order beside it are the gateway's word.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer

from ballots.election import Question
from cli.screen import complaints, console


def ask(
    questions: Sequence[Question], paper: Sequence[Mapping[str, Any]]
) -> list[list[int] | None]:
    """Per question the numbers of the chosen answers from 1, or None for a blank vote.

    `paper`: per question its `texts` and its `order`, as the gateway tells them.
    """
    return [_choice(asked, told) for asked, told in zip(questions, paper, strict=True)]


def numbers(question: Question, order: str) -> list[int]:
    """The answers' numbers from 1 as they are listed; "rotated" begins with one that is drawn."""
    count = len(question.answers)
    first = secrets.randbelow(count) if order == "rotated" else 0
    return [(first + place) % count + 1 for place in range(count)]


def typed(text: str, question: Question) -> list[int] | None:
    """The numbers typed, [0] for a blank vote; None if the question doesn't allow them."""
    words = text.replace(",", " ").split()
    if not all(word.isdecimal() and len(word) < 4 for word in words):
        return None
    chosen = [int(word) for word in words]
    if chosen == [0]:
        return [0] if question.blank else None
    is_known = all(1 <= number <= len(question.answers) for number in chosen)
    is_distinct = len(set(chosen)) == len(chosen)
    is_count_right = question.min <= len(chosen) <= question.max
    return chosen if is_known and is_distinct and is_count_right else None


def _choice(question: Question, told: Mapping[str, Any]) -> list[int] | None:
    console.print(f"\n{question.question}", style="bold", markup=False)
    for line in _lines(question, told):
        console.print(line, markup=False)
    while True:
        chosen = typed(typer.prompt(_how_many(question)), question)
        if chosen is not None:
            return None if chosen == [0] else chosen
        complaints.print("That isn't possible here. Please look at the numbers.", markup=False)


def _lines(question: Question, told: Mapping[str, Any]) -> Iterator[str]:
    texts = told["texts"] or [""] * len(question.answers)
    for number in numbers(question, told["order"]):
        yield f"  {number}  {question.answers[number - 1]}"
        if texts[number - 1]:
            yield f"     {texts[number - 1]}"
    if question.blank:
        yield "  0  a blank vote"


def _how_many(question: Question) -> str:
    if question.min == question.max == 1:
        return "The number of your choice"
    return f"Numbers of your choices, with spaces ({question.min} to {question.max})"
