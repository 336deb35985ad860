"""Metrics: named with their unit, and never about one elector."""

import pytest

from shared.metrics import counter, exposition, gauge, histogram
from shared.testing.promises import promise


def test_what_is_counted_is_shown() -> None:
    """Prometheus reads what was counted, and how much memory and CPU the process has."""
    counter("castonce_test_things_total", "Things.", "outcome").labels("good").inc(2)
    gauge("castonce_test_level", "Level.").set(3)
    histogram("castonce_test_seconds", "Time.").observe(0.2)
    shown = exposition().decode()
    assert 'castonce_test_things_total{outcome="good"} 2.0' in shown
    assert "castonce_test_level 3.0" in shown
    assert 'castonce_test_seconds_bucket{le="0.25"} 1.0' in shown
    assert "process_resident_memory_bytes" in shown


@pytest.mark.parametrize(
    "label", ["right_id", "tracker", "serial", "session", "credential", "name"]
)
@promise("P7")
def test_no_label_can_name_an_elector_or_a_ballot(label: str) -> None:
    """A measurement that could join a person to a ballot can't even be declared."""
    with pytest.raises(ValueError, match="closed list"):
        counter("castonce_test_joined_total", "Joined.", label)  # type: ignore[arg-type]


def test_a_name_carries_its_unit() -> None:
    """Who reads a graph knows what the number means."""
    with pytest.raises(ValueError, match="_total"):
        counter("castonce_things", "Things.")
    with pytest.raises(ValueError, match="_seconds"):
        histogram("castonce_duration", "Time.")
    with pytest.raises(ValueError, match="castonce_"):
        gauge("things", "Things.")
