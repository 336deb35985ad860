"""Ties a test to the promise in `PROMISES.md` that it proves.

@promise("P4")
def test_a_lost_reply_is_answered_again() -> None: ...
"""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import pytest

PromiseNumber = Literal[
    "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "P11", "P12", "P13", "P14", "P15"
]
F = TypeVar("F", bound=Callable[..., Any])


def promise(first: PromiseNumber, *others: PromiseNumber) -> Callable[[F], F]:
    """Mark a test as proof of these promises; `pytest -m promise` runs all of them."""
    return pytest.mark.promise(first, *others)
