"""Wrong scans: voided by two officers with a reason each.

What they wrote stays in postal's table: the log, which can't forget, has a word of a closed list.

Promises that the second official is another person than the first, and that a scan has one void in
the air at most. A scan whose serial is unknown concerns nobody but postal: it is struck here.
"""

from typing import Any, Final

import asyncpg
from msgspec import Struct

from services.postal.arrivals import Arrivals
from services.postal.domain.rules import Void, joint_reason, require_counting, second_of
from services.postal.errors import ElectionUnknown, ScanUnknown, VoidRefused
from services.postal.store import scans as store
from services.postal.store.scans import KnownVoid, Scan
from shared.consumer_types import Emission, Sql
from shared.contracts.message import derived_event_id
from shared.contracts.postal import EnvelopeVoided
from shared.contracts.topics import partition_of_right
from shared.kafka.outbox import Outbox
from shared.postgres.pool import connection

DECISION_SECONDS: Final = 1.0


class VoidSeen(Struct, frozen=True, kw_only=True):
    """`pending`: a second official must confirm; `undecided`: `votes` hasn't spoken yet; `voided`.

    `reopened`: the scan had claimed the right, which is unused again.
    """

    scan_id: str
    void_id: str
    outcome: str
    first_official: str
    reopened: bool = False


class Voiding:
    """What officials do about wrong scans."""

    def __init__(self, pool: "asyncpg.Pool[Any]", outbox: Outbox, arrivals: Arrivals) -> None:
        self._pool = pool
        self._outbox = outbox
        self._arrivals = arrivals

    async def ask(
        self, sql: Sql, place: tuple[str, str], official: str, reason: str, key: str
    ) -> tuple[int, VoidSeen]:
        """Ask for a void, or confirm one, in the caller's transaction: 202 pending, or 200.

        `place` is (election, scan).

        Raises ScanUnknown, NotTaken or VoidRefused.
        """
        election_id, scan_id = place
        await store.lock_scan(sql, scan_id)
        found = (await store.states(sql, [scan_id])).get(scan_id)
        if found is None or found.scan.election_id != election_id:
            raise ScanUnknown()
        election = await store.election(sql, election_id)
        if election is None:
            raise ElectionUnknown()
        require_counting(election.phase)
        if found.state.outcome == "voided":
            raise VoidRefused("This scan is void already.", code="already_voided")
        pending = _pending(await store.last_void(sql, scan_id))
        if pending is None:
            void = Void(derived_event_id(key, "void"), official, reason)
            await store.ask_void(sql, void.void_id, scan_id, official, reason)
            return 202, _seen(scan_id, void, "pending")
        second = second_of(pending, official)
        await store.order_void(sql, pending.void_id, second, reason)
        if found.scan.right_id is None:
            return 200, _seen(scan_id, pending, "voided")
        await self._outbox.add(sql, [_voided(found.scan, pending, second, reason)])
        return 200, _seen(scan_id, pending, "undecided")

    async def decided(self, asked: VoidSeen) -> tuple[int, VoidSeen]:
        """What came of a void that was ordered: 200, or 202 while it isn't known yet.

        Raises VoidRefused when `votes` refused it.
        """
        if asked.outcome != "undecided":
            return (202 if asked.outcome == "pending" else 200), asked
        last = await self._arrivals.until(
            lambda: self._last(asked.scan_id), _is_decided, DECISION_SECONDS
        )
        if last is None or last.is_accepted is None:
            return 202, asked
        if not last.is_accepted:
            raise VoidRefused(_IN_WORDS.get(last.reason, "The scan stands."), code=last.reason)
        async with connection(self._pool) as sql:
            reopened = await store.has_reopened(sql, asked.scan_id)
        return 200, VoidSeen(
            scan_id=asked.scan_id,
            void_id=asked.void_id,
            outcome="voided",
            first_official=asked.first_official,
            reopened=reopened,
        )

    async def _last(self, scan_id: str) -> KnownVoid | None:
        async with connection(self._pool) as sql:
            return await store.last_void(sql, scan_id)


_IN_WORDS: Final = {
    "closed": "The post is closed: the scan stands.",
    "already_voided": "This scan is void already.",
    "unknown_scan": "The log has no such scan: it may have been refused there.",
    "same_official": "Both officials are the same person.",
}


def _is_decided(last: KnownVoid | None) -> bool:
    return last is not None and last.is_accepted is not None


def _pending(last: KnownVoid | None) -> Void | None:
    """The void that waits for its second official, if any; raises VoidRefused if one is ordered."""
    if last is None or last.void.is_decided:
        return None
    if last.void.second_official is not None:
        raise VoidRefused("This void awaits its decision: look again.", code="void_pending")
    return last.void


def _seen(scan_id: str, void: Void, outcome: str) -> VoidSeen:
    return VoidSeen(
        scan_id=scan_id,
        void_id=void.void_id,
        outcome=outcome,
        first_official=void.first_official,
    )


def _voided(scan: Scan, void: Void, second: str, reason: str) -> Emission:
    right_id = scan.right_id or ""
    message = EnvelopeVoided(
        election_id=scan.election_id,
        right_id=right_id,
        scan_id=scan.scan_id,
        void_id=void.void_id,
        officials=[void.first_official, second],
        reason=joint_reason(void.first_reason, reason),
    )
    event_id = derived_event_id(void.void_id, "EnvelopeVoided")
    return Emission(message, event_id, right_id, partition_of_right(right_id))
