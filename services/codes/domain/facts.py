"""What `codes` has heard about rights, packs and scans: facts that are only ever added.

Promises that the outcome doesn't depend on the order in which two topics arrive: every field of a
fact is told by one topic only, is set once (the first counts), and is never taken back. A voided
scan is a further fact, not a forgotten one (DESIGN section 4). Trusts that records were verified.

Times are the brokers' stamps in Unix milliseconds; None: not heard of.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar


@dataclass(frozen=True, slots=True)
class RightFacts:
    """About a right: registered (rights); used online or withdrawn (decisions)."""

    registered_ms: int | None = None
    online_ms: int | None = None
    withdrawn_ms: int | None = None


@dataclass(frozen=True, slots=True)
class PackFacts:
    """About a pack of a right: named by a grant or a replacement (rights); accepted as a
    replacement, or replaced itself (decisions)."""

    credential: str | None = None
    granted_ms: int | None = None
    accepted_ms: int | None = None
    replaced_ms: int | None = None

    @property
    def has_stood(self) -> bool:
        """Whether this pack stood for the right at some time: by its grant, or as a replacement."""
        return self.granted_ms is not None or self.accepted_ms is not None

    @property
    def stands(self) -> bool:
        """Whether this pack stands for the right now."""
        return self.has_stood and self.replaced_ms is None


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """About a scan of an envelope: received (rights); what votes made of it (decisions)."""

    received_ms: int | None = None
    admitted_ms: int | None = None
    set_aside_ms: int | None = None
    voided_ms: int | None = None

    @property
    def holds(self) -> bool:
        """Whether the envelope holds the right."""
        return self.admitted_ms is not None and self.voided_ms is None

    @property
    def blocks(self) -> bool:
        """Whether the envelope is here and nothing has been decided about it yet."""
        decided = (self.admitted_ms, self.set_aside_ms, self.voided_ms)
        return self.received_ms is not None and decided == (None, None, None)


F = TypeVar("F", RightFacts, PackFacts, ScanFacts)


def merge(earlier: F, later: F) -> F:
    """Both facts in one; where both know a field, the earlier counts."""
    known: dict[str, Any] = {
        one.name: getattr(later, one.name)
        for one in fields(later)
        if getattr(earlier, one.name) is None
    }
    return replace(earlier, **known)


RightKey = tuple[str, str]
"""(election, right)"""
PackKey = tuple[str, str, str]
"""(election, right, serial): a spare that was named twice is a fact about each right."""
ScanKey = tuple[str, str, str]
"""(election, right, scan)"""


@dataclass(slots=True)
class FactSheet:
    """The facts of some records, merged: what one fetch adds to the tables."""

    rights: dict[RightKey, RightFacts] = field(default_factory=dict)
    packs: dict[PackKey, PackFacts] = field(default_factory=dict)
    scans: dict[ScanKey, ScanFacts] = field(default_factory=dict)

    def right(self, election_id: str, right_id: str, facts: RightFacts) -> None:
        """Add what was heard about a right."""
        key = (election_id, right_id)
        self.rights[key] = merge(self.rights.get(key, RightFacts()), facts)

    def pack(self, election_id: str, right_id: str, serial: str, facts: PackFacts) -> None:
        """Add what was heard about a pack of a right."""
        key = (election_id, right_id, serial)
        self.packs[key] = merge(self.packs.get(key, PackFacts()), facts)

    def scan(self, election_id: str, right_id: str, scan_id: str, facts: ScanFacts) -> None:
        """Add what was heard about a scan of an envelope of a right."""
        key = (election_id, right_id, scan_id)
        self.scans[key] = merge(self.scans.get(key, ScanFacts()), facts)

    def scans_of(self, election_id: str, right_id: str) -> Iterable[ScanFacts]:
        """Every scan of one right."""
        return [facts for key, facts in self.scans.items() if key[:2] == (election_id, right_id)]
