"""The paper count: figures that can't be true are refused, and two entries are compared."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.postal.domain.papers import (
    Figures,
    PapersGiven,
    differences,
    figures_of,
    figures_text,
    questions_text,
    read_figures,
    read_questions,
)
from services.postal.errors import PapersRefused
from shared.contracts.elections import Question
from shared.contracts.postal import PaperCounts
from shared.testing.promises import promise

LEADER = Question(question="Who leads?", answers=["Ann", "Bob"])
COUNCIL = Question(question="Who sits?", answers=["X", "Y", "Z"], min=1, max=2, blank=True)
QUESTIONS = [LEADER, COUNCIL]


def papers(**changed: Any) -> PapersGiven:
    """Ten valid papers and two rejected ones, of two questions; a file like this is right."""
    about: dict[str, Any] = {
        "valid": 10,
        "rejected": {"unclear": 2, "blank": 0},
        "questions": [
            {"question": "Who sits?", "answers": {"Z": 3, "X": 4, "Y": 5}, "blank": 1},
            {"question": "Who leads?", "answers": {"Ann": 6, "Bob": 4}},
        ],
    }
    return msgspec.convert(about | changed, PapersGiven)


def leader(**changed: Any) -> PapersGiven:
    """The same papers, but for the first question's figures."""
    said = papers()
    other = msgspec.structs.replace(said.questions[1], **changed)
    return msgspec.structs.replace(said, questions=[said.questions[0], other])


def council(answers: dict[str, int], blank: int) -> PapersGiven:
    """The same papers, but for the second question's figures."""
    said = papers()
    other = msgspec.structs.replace(said.questions[0], answers=answers, blank=blank)
    return msgspec.structs.replace(said, questions=[other, said.questions[1]])


@promise("P11")
def test_figures_are_said_in_the_order_of_the_ballot_paper() -> None:
    """However the file lists them; and an empty reason says nothing."""
    figures = figures_of(papers(), QUESTIONS, 12)
    assert figures.questions == [
        PaperCounts(answers=[6, 4]),
        PaperCounts(answers=[4, 5, 3], blank=1),
    ]
    assert (figures.rejected, figures.found) == ({"unclear": 2}, 12)
    assert read_figures(figures_text(figures)) == figures
    assert read_questions(questions_text(QUESTIONS)) == QUESTIONS


@promise("P11")
@pytest.mark.parametrize(
    ("given_papers", "said"),
    [
        (papers(valid=11), "9 to 9|11 to 11"),
        (papers(rejected={"unclear": 3}), "13 papers were found and 12 envelopes admitted"),
        (papers(questions=papers().questions[:1]), "Who leads"),
        (papers(questions=[*papers().questions, papers().questions[0]]), "Name each once"),
        (leader(question="Who led?"), "Who leads"),
        (leader(answers={"Ann": 10}), "Ann; Bob"),
        (leader(answers={"Ann": 6, "Bob": 3, "Eve": 1}), "Ann; Bob"),
        (leader(answers={"Ann": 7, "Bob": 4}), "11 were entered"),
        (leader(answers={"Ann": 5, "Bob": 4}), "9 were entered"),
        (leader(answers={"Ann": 9, "Bob": 0}, blank=1), "has no blank vote"),
        (council({"X": 9, "Y": 9, "Z": 1}, 1), "9 to 18 choices, and 19"),
        (council({"X": 2, "Y": 2, "Z": 4}, 1), "9 to 18 choices, and 8"),
        (council({"X": 10, "Y": 0, "Z": 0}, 1), "10 papers for 'X', and only 9"),
        (council({"X": 0, "Y": 0, "Z": 0}, 11), "11 papers are blank"),
    ],
)
def test_figures_that_cant_be_true_are_refused(given_papers: PapersGiven, said: str) -> None:
    """Too many papers or choices, unknown answers, a blank vote that isn't there."""
    with pytest.raises(PapersRefused, match=said):
        figures_of(given_papers, QUESTIONS, 12)


def test_the_limits_are_allowed() -> None:
    """As many choices as the papers allow, as few, all blank, and no paper at all."""
    figures_of(council({"X": 9, "Y": 9, "Z": 0}, 1), QUESTIONS, 12)
    figures_of(council({"X": 0, "Y": 0, "Z": 0}, 10), QUESTIONS, 12)
    none = [
        {"question": "Who sits?", "answers": {"X": 0, "Y": 0, "Z": 0}},
        {"question": "Who leads?", "answers": {"Ann": 0, "Bob": 0}},
    ]
    figures_of(papers(valid=0, rejected={}, questions=none), QUESTIONS, 0)


@st.composite
def marked(draw: st.DrawFn) -> tuple[Question, list[list[int]], int]:
    """A question, the papers' choices, and how many are blank, as people may fill them in."""
    count = draw(st.integers(1, 5))
    least = draw(st.integers(0, count))
    most = draw(st.integers(max(least, 1), count))
    question = Question(
        question="Q?", answers=[f"a{n}" for n in range(count)], min=least, max=most,
        blank=draw(st.booleans()),
    )  # fmt: skip
    chosen = st.lists(st.integers(0, count - 1), min_size=least, max_size=most, unique=True)
    filled = draw(st.lists(chosen, max_size=12))
    return question, filled, draw(st.integers(0, 3)) if question.blank else 0


@promise("P11")
@given(paper=marked())
def test_whatever_papers_can_say_is_taken(paper: tuple[Question, list[list[int]], int]) -> None:
    """Papers filled in by the rules of the question give figures that are never refused."""
    question, filled, blank = paper
    answers = {
        answer: sum(at in choices for choices in filled)
        for at, answer in enumerate(question.answers)
    }
    given_papers = papers(
        valid=len(filled) + blank,
        rejected={},
        questions=[{"question": "Q?", "answers": answers, "blank": blank}],
    )
    figures = figures_of(given_papers, [question], len(filled) + blank)
    assert figures.questions == [PaperCounts(answers=list(answers.values()), blank=blank)]


def test_entries_are_compared_without_saying_figures() -> None:
    """The second officer hears where the entries differ, and no number of the first."""
    one = figures_of(papers(), QUESTIONS, 99)
    other = figures_of(
        msgspec.structs.replace(
            council({"X": 3, "Y": 5, "Z": 3}, 2), rejected={"unclear": 1, "other": 1}
        ),
        QUESTIONS,
        99,
    )
    found = differences(one, other, QUESTIONS)
    assert found == [
        "papers rejected as 'other'",
        "papers rejected as 'unclear'",
        "'X' in 'Who sits?'",
        "blank papers in 'Who sits?'",
    ]
    assert not any(character.isdigit() for character in "".join(found))
    assert differences(one, one, QUESTIONS) == []
    more: Figures = msgspec.structs.replace(one, valid=11)
    assert differences(one, more, QUESTIONS) == ["the valid papers"]
