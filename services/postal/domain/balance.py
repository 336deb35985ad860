"""The balance of envelopes (P11): received = admitted + set aside by reason + voided.

Promises that every envelope is in exactly one state, in total and per batch. An envelope that
awaits its decision is counted as undecided, so that the sum holds at any moment; at the close there
is none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from msgspec import convert

from services.postal.domain.envelopes import State
from shared.contracts.postal import EnvelopesAccounted
from shared.contracts.votes import SetAsideReason


@dataclass(slots=True)
class Balance:
    """Envelopes of an election or of a batch, by state."""

    received: int = 0
    admitted: int = 0
    voided: int = 0
    undecided: int = 0
    set_aside: dict[str, int] = field(default_factory=dict)

    @property
    def is_balanced(self) -> bool:
        """Whether received = admitted + set aside + voided, with nothing undecided."""
        parts = self.admitted + self.voided + sum(self.set_aside.values())
        return self.undecided == 0 and self.received == parts

    def add(self, state: State, count: int) -> None:
        """Count envelopes in a state."""
        self.received += count
        if state.outcome == "admitted":
            self.admitted += count
        elif state.outcome == "voided":
            self.voided += count
        elif state.outcome == "set_aside":
            self.set_aside[state.reason] = self.set_aside.get(state.reason, 0) + count
        else:
            self.undecided += count


def account(election_id: str, counted: Balance) -> EnvelopesAccounted:
    """What is said of the envelopes at the end."""
    reasons: dict[SetAsideReason, int] = convert(
        dict(sorted(counted.set_aside.items())), dict[SetAsideReason, int]
    )
    return EnvelopesAccounted(
        election_id=election_id,
        received=counted.received,
        admitted=counted.admitted,
        voided=counted.voided,
        set_aside=reasons,
    )


def balance(groups: Iterable[tuple[int, State, int]]) -> tuple[Balance, dict[int, Balance]]:
    """The balance in total and by batch number, of (batch, state, count)."""
    total, batches = Balance(), dict[int, Balance]()
    for batch, state, count in groups:
        total.add(state, count)
        batches.setdefault(batch, Balance()).add(state, count)
    return total, batches
