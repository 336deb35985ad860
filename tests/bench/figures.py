"""From measurements to rows that say whether a target was met. Pure arithmetic.

Promises that a target is a comparison of two figures of the same run wherever the machine's own
speed would decide it otherwise. Must never round before comparing.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from msgspec import Struct

Sense = Literal["at least", "at most"]


class Target(Struct, frozen=True):
    """What a figure must reach: `sense` `bound`."""

    sense: Sense
    bound: float

    def is_met_by(self, value: float) -> bool:
        """Whether the figure is on the right side of the bound; the bound itself is."""
        if math.isnan(value):
            return False
        return value >= self.bound if self.sense == "at least" else value <= self.bound


class Row(Struct, frozen=True, kw_only=True):
    """One figure of the report; `detail` says what it was made of."""

    name: str
    value: float
    unit: str
    target: Target | None = None
    detail: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the target, if there is one, was met."""
        return self.target is None or self.target.is_met_by(self.value)

    def line(self) -> str:
        """The row as a person reads it."""
        verdict = ""
        if self.target is not None:
            word = "met" if self.is_met else "MISSED"
            verdict = f"  {word}: {self.target.sense} {number(self.target.bound)}"
        detail = f"  ({self.detail})" if self.detail else ""
        return f"{self.name:<52}{number(self.value):>9} {self.unit:<12}{verdict}{detail}"


def number(value: float) -> str:
    """Three digits that matter, without an exponent."""
    if math.isnan(value):
        return "nothing"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def spread(values: Sequence[float]) -> str:
    """min/median/max."""
    return "/".join(number(value) for value in (min(values), median(values), max(values)))


def quantile(ordered: Sequence[float], part: float) -> float:
    """The nearest-rank quantile of a sorted sequence; NaN of an empty one."""
    if not ordered:
        return math.nan
    return ordered[min(len(ordered) - 1, max(0, math.ceil(part * len(ordered)) - 1))]


def ratio(over: float, under: float) -> float:
    """over / under; NaN when there is nothing to divide by."""
    return over / under if under else math.nan


def microseconds_each(cpu_seconds: Mapping[str, float], votes: int) -> dict[str, float]:
    """CPU by process, in microseconds per vote."""
    return {name: ratio(seconds * 1e6, votes) for name, seconds in cpu_seconds.items()}


def gaps(stamps: Sequence[float], longer_than_seconds: float) -> list[tuple[float, float]]:
    """Pauses between neighbours of ascending stamps, as (when it began, seconds)."""
    return [
        (earlier, later - earlier)
        for earlier, later in pairwise(stamps)
        if later - earlier > longer_than_seconds
    ]


def longest_gap(found: Sequence[Sequence[float]], since: float, until: float) -> float:
    """The longest of the pauses that overlap the span; 0 without one."""
    return max(
        (length for began, length in found if began + length >= since and began <= until),
        default=0.0,
    )


def cpu_line(each: Mapping[str, Any]) -> str:
    """CPU by process as a person reads it."""
    total = sum(each.values())
    parts = ", ".join(f"{name} {value:.0f}" for name, value in each.items())
    return f"{parts}; all {total:.0f} us"
