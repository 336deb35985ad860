"""What people hear of records that were set aside: every one is counted, few are named."""

import io
import json
from typing import Any

from shared.consumer_types import Malformed
from shared.kafka.set_aside import SetAside
from shared.metrics import REGISTRY
from shared.testing.promises import promise


def lines(output: io.StringIO) -> list[tuple[Any, ...]]:
    """Event, and offset or count, of every line."""
    read = [json.loads(line) for line in output.getvalue().splitlines()]
    return [(line["event"], line.get("offset", line.get("count"))) for line in read]


def garbage(first: int, count: int, topic: str = "t") -> list[Malformed]:
    return [Malformed(topic, 0, offset, 0, "undecodable", b"") for offset in range(first, count)]


@promise("P13")
def test_every_record_is_counted_and_few_are_named(output: io.StringIO) -> None:
    """A flood of garbage is one line and then a number each ten seconds; the metric has them all.

    Fails with a line for each: who may write to a topic could fill every reader's log.
    """
    aside = SetAside("codes")
    aside.took(garbage(0, 500, "flood"), now=100.0)
    aside.took(garbage(500, 700, "flood"), now=105.0)
    aside.look(now=109.9)
    assert lines(output) == [("record_quarantined", 0)]
    aside.look(now=110.0)
    aside.took(garbage(700, 703, "flood"), now=111.0)
    aside.look(now=120.0)
    counts = [("more_records_quarantined", 699), ("more_records_quarantined", 3)]
    assert lines(output)[1:] == counts
    wanted = {"topic": "flood", "reason": "undecodable"}
    assert REGISTRY.get_sample_value("castonce_quarantined_records_total", wanted) == 703


def test_a_single_record_is_named_at_once_whenever_it_comes(output: io.StringIO) -> None:
    """After a quiet time the next record is named again, and nothing is said of none."""
    aside = SetAside("codes")
    aside.took(garbage(1, 2), now=100.0)
    aside.look(now=110.0)
    aside.took(garbage(2, 3), now=111.0)
    assert lines(output) == [("record_quarantined", 1), ("record_quarantined", 2)]
