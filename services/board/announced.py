"""What pages tell beside the board itself: an election's dates and phase, and the turnout so far.

Promises to show what `elections` and `monitor` said, each under its own signature: of a definition
the first, of the others the last. A cache in memory, read from the topics at each start; no table
follows from it, no entry depends on it. Must never hold a right, or a decision.
"""

from typing import Any

from shared.consumer_types import Record
from shared.contracts.elections import Definition, ElectionCreated, Phase, PhaseChanged
from shared.contracts.monitor import TurnoutCounted
from shared.contracts.topics import ELECTIONS, TURNOUT

TOPICS = (ELECTIONS, TURNOUT)
TYPES = (ElectionCreated, PhaseChanged, TurnoutCounted)


class Announced:
    """What was said of each election."""

    def __init__(self) -> None:
        self._definitions: dict[str, Definition] = {}
        self._phases: dict[str, Phase] = {}
        self._turnouts: dict[str, TurnoutCounted] = {}

    def take(self, record: Record[Any]) -> None:
        """One more record of TOPICS."""
        match record.message:
            case ElectionCreated() as said:
                self._definitions.setdefault(said.election_id, said.definition)
                self._phases.setdefault(said.election_id, "defined")
            case PhaseChanged() as said:
                self._phases[said.election_id] = said.phase
            case TurnoutCounted() as said:
                self._turnouts[said.election_id] = said

    def definition(self, election_id: str) -> Definition | None:
        """What an officer decided; None while it hasn't been read."""
        return self._definitions.get(election_id)

    def phase(self, election_id: str) -> Phase | None:
        """How far the election is; None while that hasn't been read."""
        return self._phases.get(election_id)

    def turnout(self, election_id: str) -> TurnoutCounted | None:
        """How many voted, as far as it was told."""
        return self._turnouts.get(election_id)
