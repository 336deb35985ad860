"""Which ballots this process handed over lately, and how many with which permit; bounded memory.

Promises (P4) that a ballot that was handed over is known as such, so that nobody hears "try again"
or "unknown" of it, and that one permit can't fill the law topic: it passes so many different
ballots, and so many records in all, where an honest voter needs one. Must never hold a ballot, nor
join a ballot to a permit.
"""

from collections import OrderedDict

MAX_TRACKERS = 100_000
MAX_PERMITS = 50_000
BALLOTS_PER_PERMIT = 20
"""Different ballots; somebody who seals anew again and again needs a few."""
RECORDS_PER_PERMIT = 200
"""With those that are handed in again: in a permit's quarter of an hour, one every 4.5 seconds."""


class _Use:
    __slots__ = ("ballots", "records")

    def __init__(self) -> None:
        self.ballots = 0
        self.records = 0


class HandedOver:
    """The ballots that went to the law, by tracker, and the permits with which, by signature."""

    def __init__(self, trackers: int = MAX_TRACKERS, permits: int = MAX_PERMITS) -> None:
        self._max_trackers = trackers
        self._max_permits = permits
        self._trackers: OrderedDict[str, None] = OrderedDict()
        self._uses: OrderedDict[str, _Use] = OrderedDict()

    def __contains__(self, tracker: str) -> bool:
        """Whether this ballot was handed over lately."""
        return tracker in self._trackers

    def has_room(self, tracker: str, permit: str) -> bool:
        """Whether this permit may pass one more record of this ballot."""
        use = self._uses.get(permit)
        if use is None:
            return True
        is_known = tracker in self._trackers
        return use.records < RECORDS_PER_PERMIT and (is_known or use.ballots < BALLOTS_PER_PERMIT)

    def note(self, tracker: str, permit: str) -> None:
        """The ballot was handed over with this permit."""
        use = self._uses.get(permit)
        if use is None:
            use = self._uses[permit] = _Use()
            if len(self._uses) > self._max_permits:
                self._uses.popitem(last=False)
        else:
            self._uses.move_to_end(permit)
        use.records += 1
        if tracker in self._trackers:
            self._trackers.move_to_end(tracker)
            return
        use.ballots += 1
        self._trackers[tracker] = None
        if len(self._trackers) > self._max_trackers:
            self._trackers.popitem(last=False)
