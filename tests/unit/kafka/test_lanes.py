"""Lanes: several connections, without losing what one connection promises."""

import asyncio
from collections.abc import Callable, Sequence

import pytest

from services.votes.app import LANES, lane
from shared.contracts.topics import BALLOTS, DECISIONS
from shared.kafka import lanes as all_lanes
from shared.kafka.errors import NotPublished
from shared.kafka.lanes import Lanes
from shared.kafka.producer import Publication
from shared.kafka.sealing import Sealed

RECORDS: list[Sealed] = [
    ("decisions", partition, b"key", str(at).encode(), [])
    for at in range(4)
    for partition in (0, 1, 2)
]


class Connection:
    """Stands in for a producer: keeps what it was given, and may fail or wait."""

    def __init__(self) -> None:
        self.published: list[Sealed] = []
        self.fails = False
        self.is_asked = False
        self.stops = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def begin(self, records: Sequence[Sealed]) -> Publication:
        """Take the records when the gate is open."""
        return Publication(None, asyncio.ensure_future(self.publish(records)))

    async def confirm(self, begun: Publication) -> None:
        """Wait for the gate."""
        await begun.acknowledged

    async def publish(self, records: Sequence[Sealed]) -> None:
        """Take the records when the gate is open."""
        self.is_asked = True
        await self.gate.wait()
        if self.fails:
            raise NotPublished("away")
        self.published += records

    async def stop(self) -> None:
        """End, well or not."""
        self.stops += 1
        if self.fails:
            raise NotPublished("away")


def _lanes(count: int) -> tuple[Lanes, list[Connection]]:
    lanes, connections = Lanes("127.0.0.1:1", "test-0", count), [Connection() for _ in range(count)]
    lanes._producers = connections  # type: ignore[assignment]
    return lanes, connections


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  (a turn of the loop, not a pause)
            await asyncio.sleep(0)


async def test_a_partition_keeps_its_lane_and_its_order() -> None:
    """What was said first about a right is read first: a partition is never split over lanes."""
    lanes, connections = _lanes(2)
    await lanes.publish(RECORDS)
    for partition in (0, 1, 2):
        wanted = [record for record in RECORDS if record[1] == partition]
        found = [
            [record for record in connection.published if record[1] == partition]
            for connection in connections
        ]
        assert sorted(found, key=len) == [[], wanted]


async def test_publishing_ends_when_every_lane_has_ended_and_fails_if_one_did() -> None:
    """A row is only marked as published when all of it is in the log."""
    lanes, (first, second) = _lanes(2)
    first.fails = True
    second.gate.clear()
    publishing = asyncio.create_task(lanes.publish(RECORDS))
    done, _ = await asyncio.wait([publishing], timeout=0.05)
    assert not done
    second.gate.set()
    with pytest.raises(NotPublished):
        await publishing
    assert second.published == [record for record in RECORDS if record[1] % 2 == 1]


async def test_the_others_wait_for_the_first_lane_while_it_is_quick(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The receipt that a voter waits for doesn't share the broker's disk with its decision."""
    monkeypatch.setattr(all_lanes, "HEAD_START_SECONDS", 60.0)
    lanes, (first, second) = _lanes(2)
    first.gate.clear()
    publishing = asyncio.create_task(lanes.publish(RECORDS))
    await _until(lambda: first.is_asked)
    assert not second.is_asked
    first.gate.set()
    await publishing
    assert second.is_asked


async def test_a_slow_first_lane_holds_the_others_up_for_a_moment_only() -> None:
    """Under load decisions go on beside outcomes, or the rows of votes would pile up."""
    lanes, (first, second) = _lanes(2)
    first.gate.clear()
    publishing = asyncio.create_task(lanes.publish(RECORDS))
    await _until(lambda: bool(second.published))
    assert not first.published
    first.gate.set()
    await publishing


async def test_every_lane_is_closed_even_if_one_of_them_fails_to() -> None:
    """No connection is left behind with records that could reach the log later."""
    lanes, (first, second) = _lanes(2)
    first.fails = True
    with pytest.raises(NotPublished):
        await lanes.stop()
    assert (first.stops, second.stops) == (1, 1)


def test_outcomes_share_no_connection_with_decisions() -> None:
    """A voter's receipt doesn't wait until the decisions of its fetch are flushed."""
    of_outcomes = {lane(BALLOTS.name, at) % LANES for at in range(BALLOTS.partitions)}
    of_decisions = {lane(DECISIONS.name, at) % LANES for at in range(DECISIONS.partitions)}
    assert not of_outcomes & of_decisions
    assert len(of_decisions) == LANES - 1
