"""Whether choices are an answer that the questions of an election allow.

Promises that a choice is refused before a ballot is made of it, never mended: a number that is left
out, doubled or unknown would otherwise become a vote that nobody meant. Must never name a choice in
words. Trusts the election's text.
"""

from collections.abc import Sequence

from ballots.election import Question
from ballots.errors import InvalidChoices

Choices = Sequence[Sequence[int] | None]
"""Per question the numbers of the chosen answers from 0, or None for a blank vote."""


class ChoicesRefused(InvalidChoices):
    """The choices don't fit the questions; the words say which question, and what it allows."""

    code = "choices-not-allowed"


def require_allowed(questions: Sequence[Question], choices: Choices) -> None:
    """Raise ChoicesRefused unless there is one allowed choice for each question."""
    if len(choices) != len(questions):
        raise ChoicesRefused(
            f"this election asks {_counted(len(questions), 'question')}, and"
            f" {_counted(len(choices), 'choice')} came: one for each is needed"
        )
    for number, (question, chosen) in enumerate(zip(questions, choices, strict=True), 1):
        problem = _problem(question, chosen)
        if problem:
            raise ChoicesRefused(f"question {number} {problem}")


def _problem(question: Question, chosen: Sequence[int] | None) -> str:
    """What is wrong, counted from 1 as people see it; empty if nothing is."""
    if chosen is None:
        return "" if question.blank else "has no blank vote"
    if not all(0 <= number < len(question.answers) for number in chosen):
        return f"has answers 1 to {len(question.answers)}, and a chosen number isn't one of them"
    if len(set(chosen)) != len(chosen):
        return "has the same number chosen twice"
    if not question.min <= len(chosen) <= question.max:
        return f"needs {_allowed(question)}, and {len(chosen)} came"
    return ""


def _allowed(question: Question) -> str:
    if question.min == question.max:
        return f"exactly {_counted(question.min, 'number')}"
    return f"{question.min} to {_counted(question.max, 'number')}"


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"
