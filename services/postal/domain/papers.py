"""The paper count (P11): what the valid papers say to each question, and which were rejected.

Promises that figures which can't be true are refused with the reason: more papers than envelopes
admitted, more choices than the valid papers allow, answers that aren't on the ballot paper. Must
never correct a figure. Answers are named, not numbered: a list in another order counts the same.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from services.postal.errors import PapersRefused
from shared.contracts.elections import Question, Text
from shared.contracts.fields import LINES
from shared.contracts.postal import EnvelopeCount, PaperCounts, RejectionReason


class AnswersGiven(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the valid papers say to one question: papers by answer, and blank ones."""

    question: Text
    answers: Annotated[dict[str, EnvelopeCount], Meta(min_length=1, max_length=150)]
    blank: EnvelopeCount = 0


class PapersFound(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A paper count as an official's file has it."""

    valid: EnvelopeCount
    rejected: dict[RejectionReason, EnvelopeCount] = {}
    questions: Annotated[list[AnswersGiven], Meta(min_length=1, max_length=20)]


class PapersGiven(PapersFound, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A paper count as it is entered; `anew` puts it in place of another's unconfirmed one.

    `correct` puts it, once a second officer agrees, in place of the confirmed one: with a reason.
    """

    anew: bool = False
    correct: bool = False
    reason: Annotated[str, Meta(max_length=500, pattern=LINES)] = ""


class Figures(Struct, frozen=True, kw_only=True):
    """A paper count in its one spelling: questions and answers in the order of the ballot paper."""

    valid: int
    rejected: dict[RejectionReason, int]
    questions: list[PaperCounts]

    @property
    def found(self) -> int:
        """Papers found: valid ones and rejected ones."""
        return self.valid + sum(self.rejected.values())


def figures_of(given: PapersFound, questions: Sequence[Question], admitted: int) -> Figures:
    """The figures, if they can be true; raises PapersRefused saying what can't be."""
    said = {one.question: one for one in given.questions}
    asked = [question.question for question in questions]
    if len(said) < len(given.questions) or set(said) != set(asked):
        raise PapersRefused(
            "The questions aren't those of the ballot paper. Name each once, by its exact text: "
            + "; ".join(asked)
        )
    counts = [_counts(said[question.question], question, given.valid) for question in questions]
    rejected = {reason: count for reason, count in sorted(given.rejected.items()) if count}
    figures = Figures(valid=given.valid, rejected=rejected, questions=counts)
    if figures.found > admitted:
        raise PapersRefused(
            f"{figures.found} papers were found and {admitted} envelopes admitted: there can't be "
            "more papers. Look for papers of envelopes that were set aside or voided.",
        )
    return figures


def _counts(said: AnswersGiven, question: Question, valid: int) -> PaperCounts:
    where = f"Question {question.question!r}"
    if set(said.answers) != set(question.answers):
        raise PapersRefused(
            f"{where}: name every answer once, by its exact text: " + "; ".join(question.answers)
        )
    if said.blank and not question.blank:
        raise PapersRefused(f"{where} has no blank vote: such papers are rejected as blank.")
    marked = valid - said.blank
    if marked < 0:
        raise PapersRefused(f"{where}: {said.blank} papers are blank, and {valid} are valid.")
    for answer, papers in said.answers.items():
        if papers > marked:
            raise PapersRefused(
                f"{where}: {papers} papers for {answer!r}, and only {marked} valid papers name "
                "anybody."
            )
    _require_sum(where, sum(said.answers.values()), question, marked)
    return PaperCounts(answers=[said.answers[one] for one in question.answers], blank=said.blank)


def _require_sum(where: str, choices: int, question: Question, marked: int) -> None:
    least, most = question.min * marked, question.max * marked
    if not least <= choices <= most:
        raise PapersRefused(
            f"{where}: {marked} papers with {question.min} to {question.max} choices each make "
            f"{least} to {most} choices, and {choices} were entered."
        )


def differences(one: Figures, other: Figures, questions: Sequence[Question]) -> list[str]:
    """Which figures differ, without saying them: the second count must not be led by the first."""
    found = ["the valid papers"] if one.valid != other.valid else []
    found += _reasons(one.rejected, other.rejected)
    for question, mine, theirs in zip(questions, one.questions, other.questions, strict=True):
        pairs = zip(question.answers, mine.answers, theirs.answers, strict=True)
        found += [f"{answer!r} in {question.question!r}" for answer, a, b in pairs if a != b]
        if mine.blank != theirs.blank:
            found.append(f"blank papers in {question.question!r}")
    return found


def _reasons(one: Mapping[RejectionReason, int], other: Mapping[RejectionReason, int]) -> list[str]:
    reasons = sorted(one.keys() | other.keys())
    return [f"papers rejected as {r!r}" for r in reasons if one.get(r, 0) != other.get(r, 0)]


_QUESTIONS = msgspec.json.Decoder(list[Question])
_FIGURES = msgspec.json.Decoder(Figures)


def questions_text(questions: Sequence[Question]) -> str:
    """The questions as a table keeps them."""
    return msgspec.json.encode(list(questions)).decode()


def read_questions(text: str) -> list[Question]:
    """The questions from a table."""
    return _QUESTIONS.decode(text)


def figures_text(figures: Figures) -> str:
    """The figures as a table keeps them: the same text for the same figures."""
    return msgspec.json.encode(figures).decode()


def read_figures(text: str) -> Figures:
    """The figures from a table."""
    return _FIGURES.decode(text)
