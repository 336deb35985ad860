"""What the public is told while people vote: totals, seldom, and never of a few."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from services.monitor.domain import SAY_AFTER_MS, SAY_AGAIN_AFTER_MS, Turnout
from services.monitor.telling import Telling
from shared.contracts.message import decode
from shared.contracts.monitor import SMALLEST_GROUP, TurnoutCounted
from shared.contracts.topics import DECISIONS, TURNOUT
from shared.contracts.votes import EnvelopeAdmitted, RightUsedOnline
from shared.kafka.errors import NotPublished
from shared.kafka.sealing import Sealed, Sealer
from shared.keys import Signer
from shared.testing.clock import FixedClock
from shared.testing.promises import promise

ELECTION = "78jtVeEwZkgRBC"
NOTHING_BEFORE = {(DECISIONS.name, 0): 0}


class Log:
    """What was sent; `is_away` refuses."""

    def __init__(self) -> None:
        self.records: list[Sealed] = []
        self.is_away = False

    async def publish(self, records: Sequence[Sealed]) -> None:
        if self.is_away:
            raise NotPublished("away")
        self.records += records

    @property
    def said(self) -> list[TurnoutCounted]:
        """The messages, in order."""
        return [decode(dict(one[4])["ce_type"].decode(), one[3]) for one in self.records]  # type: ignore[misc]


class Room:
    """A monitor without Kafka: rights are used, time passes, it tells."""

    def __init__(self) -> None:
        self.turnout, self.log, self.clock = Turnout(), Log(), FixedClock()
        sealer = Sealer(Signer("ab" * 32), "monitor")
        self.telling = Telling(self.turnout, self.log, sealer, self.clock)
        self._offset = 0

    def used(self, online: int = 0, post: int = 0) -> None:
        """So many more rights are used."""
        about = {"election_id": ELECTION, "right_id": "0" * 32, "decided_at_ms": 1}
        for _ in range(online):
            self._count(RightUsedOnline(**about))  # type: ignore[arg-type]
        for _ in range(post):
            self._count(EnvelopeAdmitted(scan_id="s", serial="0" * 14, **about))  # type: ignore[arg-type]

    def _count(self, message: RightUsedOnline | EnvelopeAdmitted) -> None:
        self.turnout.count(0, self._offset, message)
        self._offset += 1

    async def told(self, after_ms: int = 0) -> list[tuple[int | None, int | None]]:
        """What was told by then, by channel."""
        self.clock.advance(after_ms)
        await self.telling.tell(NOTHING_BEFORE)
        return [(one.online, one.post) for one in self.log.said]


@promise("P7")
async def test_of_a_few_nothing_is_told() -> None:
    """Below ten people in a channel the public hears "fewer than ten", in each channel apart."""
    room = Room()
    room.used(online=SMALLEST_GROUP - 1, post=SMALLEST_GROUP)
    assert await room.told() == [(None, 10)]
    room.used(online=1)
    assert await room.told(SAY_AFTER_MS) == [(None, 10), (10, 10)]


@promise("P7")
async def test_totals_are_told_once_a_minute_at_most() -> None:
    """So nobody reads off a total when one person voted more exactly than the board shows it."""
    room = Room()
    room.used(online=20)
    assert len(await room.told()) == 1
    room.used(online=1)
    assert len(await room.told(SAY_AFTER_MS - 1)) == 1
    assert (await room.told(1))[1:] == [(21, None)]


async def test_what_didnt_change_is_told_again_after_an_hour() -> None:
    """Between changes nothing is said, but a board that starts hears of it within the hour."""
    room = Room()
    room.used(online=20)
    await room.told()
    assert len(await room.told(SAY_AFTER_MS)) == 1
    assert len(await room.told(SAY_AGAIN_AFTER_MS)) == 2


async def test_nothing_is_told_while_the_count_catches_up() -> None:
    """A monitor that was restarted tells no figure lower than what was told before."""
    room = Room()
    room.used(online=20)
    ends = {(DECISIONS.name, 0): 30, (DECISIONS.name, 1): 0, ("castonce.other.v1", 0): 9}
    await room.telling.tell(ends)
    assert room.log.said == []
    room.used(online=10)
    await room.telling.tell(ends | {(DECISIONS.name, 0): 40})
    assert [one.online for one in room.log.said] == [30]


async def test_an_outage_makes_it_later_and_loses_nothing() -> None:
    """What Kafka didn't take is said when it is back."""
    room = Room()
    room.used(online=20)
    room.log.is_away = True
    with pytest.raises(NotPublished):
        await room.told()
    room.log.is_away = False
    assert await room.told() == [(20, None)]


async def test_it_is_signed_and_names_no_right() -> None:
    """The board believes the monitor alone; a record has totals and a time, nothing else."""
    room = Room()
    room.used(online=20)
    await room.told()
    [(topic, partition, key, value, headers)] = room.log.records
    assert (topic, partition, key) == (TURNOUT.name, 0, ELECTION.encode())
    assert "ce_signature" in dict(headers)
    assert set(msgspec.json.decode(value)) == {"election_id", "online", "post", "at_ms"}


def test_a_total_of_a_few_cant_even_be_written() -> None:
    """The contract refuses what a faulty monitor might say."""
    raw = b'{"election_id":"78jtVeEwZkgRBC","online":9,"post":null,"at_ms":1}'
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=TurnoutCounted)
