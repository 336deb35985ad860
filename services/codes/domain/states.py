"""The state of a code, from the facts: what an elector who may know is told.

Promises that an envelope blocks the code as soon as it is heard of and that the decision makes it
final or lifts it, whichever arrives first (P5). Must never look at a clock or at an order.
"""

from collections.abc import Iterable
from typing import NamedTuple

from services.codes.domain.facts import PackFacts, RightFacts, ScanFacts
from shared.contracts.codes import CodeState


class Standing(NamedTuple):
    """A state and the broker's stamp since when it holds (0: from the beginning)."""

    state: CodeState
    since_ms: int


def state_of(right: RightFacts, pack: PackFacts, scans: Iterable[ScanFacts]) -> Standing:
    """The state of the code of one pack of a right.

    In this order: the pack was replaced; the right is withdrawn, used online, used by post; an
    envelope awaits its decision; nothing happened yet.
    """
    if pack.replaced_ms is not None:
        return Standing("replaced", pack.replaced_ms)
    if right.withdrawn_ms is not None:
        return Standing("withdrawn", right.withdrawn_ms)
    if right.online_ms is not None:
        return Standing("spent", right.online_ms)
    known = list(scans)
    admitted = [scan.admitted_ms for scan in known if scan.holds and scan.admitted_ms is not None]
    if admitted:
        return Standing("revoked", min(admitted))
    waiting = [scan.received_ms for scan in known if scan.blocks and scan.received_ms is not None]
    if waiting:
        return Standing("blocked", min(waiting))
    return Standing("active", 0)
