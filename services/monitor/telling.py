"""Tells the public how many voted so far, once everything that was decided has been counted.

Promises that no figure of a count that is still catching up is told, and that an absence of Kafka
only makes it later. Must never tell anything but totals (`shared.contracts.monitor`).
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from services.monitor.domain import Said, Turnout
from shared.clock import Clock
from shared.consumer_types import Emission
from shared.contracts.message import derived_event_id
from shared.contracts.monitor import TurnoutCounted
from shared.contracts.topics import DECISIONS
from shared.kafka.sealing import Sealed, Sealer


class Sends(Protocol):
    """What is needed of a producer."""

    async def publish(self, records: Sequence[Sealed]) -> None:
        """Return when these are in the log."""


class Telling:
    """Says totals under the monitor's own signature."""

    def __init__(self, turnout: Turnout, producer: Sends, sealer: Sealer, clock: Clock) -> None:
        self._turnout = turnout
        self._producer = producer
        self._sealer = sealer
        self._clock = clock
        self._said = Said()
        self._goal: Mapping[int, int] | None = None
        self._has_caught_up = False

    async def tell(self, ends: Mapping[tuple[str, int], int]) -> None:
        """Say what is due; `ends`: where the logs end now. Raises NotPublished."""
        if self._goal is None:
            name = DECISIONS.name
            self._goal = {place[1]: end for place, end in ends.items() if place[0] == name}
        self._has_caught_up = self._has_caught_up or self._turnout.has_counted(self._goal)
        if not self._has_caught_up:
            return
        due = self._said.due(self._turnout, self._clock.now_ms())
        if due:
            await self._producer.publish(self._sealer.seal(map(_emission, due)))
        for message in due:
            self._said.note(message)


def _emission(message: TurnoutCounted) -> Emission:
    cause = f"{message.election_id}|{message.at_ms}"
    event_id = derived_event_id(cause, message.CONTRACT.name)
    return Emission(message, event_id, message.election_id, partition=0)
