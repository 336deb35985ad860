"""The benchmark's arithmetic: what it calls a median, a gap, a target met."""

import math

from tests.bench import figures
from tests.bench.figures import Row, Target


def test_a_bound_itself_meets_its_target() -> None:
    """A figure exactly on the bound counts as met, on both sides; nothing measured never does."""
    assert Target("at least", 1.0).is_met_by(1.0)
    assert Target("at most", 4.0).is_met_by(4.0)
    assert not Target("at least", 1.0).is_met_by(0.999)
    assert not Target("at most", 4.0).is_met_by(4.001)
    assert not Target("at most", 4.0).is_met_by(math.nan)


def test_a_row_without_target_is_never_missed() -> None:
    """Figures for information can't make the run fail, and say nothing of a target."""
    row = Row(name="one", value=0.0, unit="ms")
    assert row.is_met
    assert "met" not in row.line()


def test_a_missed_target_is_shown_as_missed() -> None:
    """Whoever reads the row sees that it was missed, and by which bound."""
    row = Row(name="one", value=0.5, unit="times", target=Target("at least", 1.0))
    assert "MISSED: at least 1.00" in row.line()


def test_a_quantile_is_a_value_that_was_measured() -> None:
    """Nearest rank: no interpolation, and the last value at the end."""
    values = [float(n) for n in range(1, 101)]
    assert figures.quantile(values, 0.5) == 50
    assert figures.quantile(values, 0.99) == 99
    assert figures.quantile(values, 1.0) == 100
    assert figures.quantile([7.0], 0.5) == 7
    assert math.isnan(figures.quantile([], 0.5))


def test_a_gap_is_counted_when_it_overlaps_the_span() -> None:
    """A pause that began before the kill and ended after it is the pause of the kill."""
    found = figures.gaps([0.0, 0.1, 3.0, 3.1, 9.0], 0.5)
    assert [began for began, _ in found] == [0.1, 3.1]
    assert figures.longest_gap(found, since=2.0, until=2.5) == 2.9
    assert figures.longest_gap(found, since=20.0, until=30.0) == 0.0


def test_cpu_is_told_per_accepted_vote() -> None:
    """Seconds of a process over votes, in microseconds; without votes it is no figure."""
    assert figures.microseconds_each({"votes": 0.5}, 1000) == {"votes": 500.0}
    assert math.isnan(figures.microseconds_each({"votes": 0.5}, 0)["votes"])


def test_numbers_keep_three_digits() -> None:
    """Large figures have separators, small ones decimals."""
    assert [figures.number(value) for value in (5820.4, 40.12, 1.114)] == ["5,820", "40.1", "1.11"]
