"""Pictures of numbers, as the lengths of bars: what templates draw, and nothing that they say.

Promises that lengths are in proportion to the numbers, the longest bar being WHOLE, and that what
isn't nothing is seen. Every number is in a table beside its picture.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from ballots.declaration import QuestionCount

WHOLE: Final = 1000
"""The longest bar."""
SEEN: Final = 4
"""The shortest part of a bar that stands for somebody."""


class Bar(NamedTuple):
    """One bar: what it is of, and its two parts (online and post, or one of them alone)."""

    name: str
    first: int
    second: int
    first_length: int
    second_length: int

    @property
    def total(self) -> int:
        """Both parts."""
        return self.first + self.second


def bars(rows: Iterable[tuple[str, int, int]]) -> tuple[Bar, ...]:
    """Bars that can be compared with each other."""
    given = list(rows)
    most = max((first + second for _, first, second in given), default=0)
    return tuple(
        Bar(name, first, second, _length(first, most), _length(second, most))
        for name, first, second in given
    )


def of_question(question: QuestionCount) -> tuple[Bar, ...]:
    """The answers of a question in the ballot's order; a blank vote comes last and has no name."""
    rows = [(one.answer, one.online, one.post) for one in question.answers]
    if question.blank is not None:
        rows.append(("", question.blank.online, question.blank.post))
    return bars(rows)


def _length(number: int, most: int) -> int:
    if number <= 0 or not most:
        return 0
    return max(SEEN, WHOLE * number // most)
