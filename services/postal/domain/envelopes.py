"""An envelope's state, from the facts: what postal scanned, and what `votes` made of it.

Promises that the state doesn't depend on the order in which facts arrive: each field is set once
(the first counts), and is never taken back. Trusts that records were verified. Times are brokers'
stamps in Unix milliseconds; None: not heard of.
"""

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, NamedTuple

Outcome = Literal["admitted", "set_aside", "voided", "undecided"]

UNKNOWN_SERIAL = "unknown_serial"
"""Why an envelope is set aside whose serial is no pack's: nobody else ever hears of it."""


@dataclass(frozen=True, slots=True)
class EnvelopeFacts:
    """What `votes` decided about a scan."""

    admitted_ms: int | None = None
    set_aside_ms: int | None = None
    set_aside_reason: str | None = None
    voided_ms: int | None = None
    has_reopened: bool | None = None


NOTHING = EnvelopeFacts()


def merge(earlier: EnvelopeFacts, later: EnvelopeFacts) -> EnvelopeFacts:
    """Both facts in one; where both know a field, the earlier counts."""
    known: dict[str, Any] = {
        one.name: getattr(later, one.name)
        for one in fields(later)
        if getattr(earlier, one.name) is None
    }
    return replace(earlier, **known)


class State(NamedTuple):
    """What became of an envelope; `reason` where it was set aside."""

    outcome: Outcome
    reason: str = ""


def state_of(facts: EnvelopeFacts, *, is_known: bool, is_struck: bool = False) -> State:
    """The one state of a scanned envelope.

    `is_known`: its serial belongs to a right, so `votes` decides. `is_struck`: two officials voided
    a scan whose serial is unknown, which concerns nobody but postal.
    """
    if facts.voided_ms is not None or is_struck:
        return State("voided")
    if facts.admitted_ms is not None:
        return State("admitted")
    if facts.set_aside_ms is not None:
        return State("set_aside", facts.set_aside_reason or "")
    return State("undecided") if is_known else State("set_aside", UNKNOWN_SERIAL)


EnvelopeKey = tuple[str, str, str]
"""(scan, election, right)"""


@dataclass(slots=True)
class FactSheet:
    """The facts of some records, merged: what one fetch adds to the table."""

    envelopes: dict[EnvelopeKey, EnvelopeFacts] = field(default_factory=dict)

    def add(self, scan_id: str, election_id: str, right_id: str, facts: EnvelopeFacts) -> None:
        """Add what was heard about a scan."""
        key = (scan_id, election_id, right_id)
        self.envelopes[key] = merge(self.envelopes.get(key, NOTHING), facts)

    def decided(self) -> set[str]:
        """Scans about which something was decided."""
        return {
            key[0]
            for key, facts in self.envelopes.items()
            if facts.admitted_ms is not None or facts.set_aside_ms is not None
        }
