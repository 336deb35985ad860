"""What the stream of votes needs from outside: verifiers, and the verdicts that they gave."""

from collections.abc import Mapping
from typing import Protocol

from services.votes.domain.ledger import WantedVerdict
from services.votes.domain.state import VerdictKey


class Verifier(Protocol):
    """Works out whether ballots' proofs hold."""

    async def verify(self, wanted: Mapping[VerdictKey, WantedVerdict]) -> Mapping[VerdictKey, bool]:
        """A verdict for every ballot; raises OSError when it can't be worked out right now."""
        ...


class Verdicts(Protocol):
    """The verdicts that were worked out for the fetch at hand."""

    def known(self) -> Mapping[VerdictKey, bool]:
        """Every verdict there is; what is missing was not asked for."""
        ...
