"""When permits are checked at the door: only after forged ones came in, or may have.

`votes` checks every permit anyway. Checking here too costs as much as everything else that the
gateway does with a ballot, so it is done only while somebody hands in forged ones: then their
ballots stop here and don't fill the law topic. Two things make the gateway wary for ten minutes:
- `votes` reported forged permits;
- a ballot that was handed over got no outcome in time. `votes` answers every honest ballot, and
  says nothing of a stranger's; in an outage it is silent too, when checking costs nobody anything.
A forged permit that is found meanwhile begins the ten minutes anew. Permits that went to their
voters through this process are known.
"""

from collections import OrderedDict

FORGED_BEFORE_WARY = 10
WARY_FOR_MS = 600_000
MAX_KNOWN = 50_000


class Wariness:
    """Counts forged permits that `votes` reported, and knows the genuine ones that passed by."""

    def __init__(self) -> None:
        self._forged = 0
        self._since_ms = 0
        self._wary_until_ms = 0
        self._known: OrderedDict[str, None] = OrderedDict()

    def permit_passed(self, signature: str) -> None:
        """A genuine permit was handed to its voter through this process."""
        self._known[signature] = None
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def forged_seen(self, now_ms: int) -> None:
        """A ballot came back because its permit was forged."""
        if now_ms - self._since_ms > WARY_FOR_MS:
            self._forged, self._since_ms = 0, now_ms
        self._forged += 1
        if self._forged >= FORGED_BEFORE_WARY:
            self.alarm(now_ms)

    def alarm(self, now_ms: int) -> None:
        """A handed-over ballot got no outcome, or a forged permit was found at the door."""
        self._wary_until_ms = max(self._wary_until_ms, now_ms + WARY_FOR_MS)

    def must_check(self, signature: str, now_ms: int) -> bool:
        """Whether this permit's signature has to be checked before the ballot goes on."""
        return now_ms < self._wary_until_ms and signature not in self._known
