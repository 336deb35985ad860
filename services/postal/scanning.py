"""Taking envelopes in: recorded once, sent to the log, and shown with what `votes` decided.

Promises that a scan id stands for one envelope however often it arrives, that nothing is taken in
while the post closes, and that a typing error is told at once and recorded nowhere. Never decides
whether an envelope counts.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import asyncpg
import msgspec
from aiokafka.errors import KafkaError
from msgspec import Meta, Struct

from ballots import codes
from ballots.errors import BallotError
from services.postal.arrivals import Arrivals
from services.postal.domain.rules import require_taking
from services.postal.errors import (
    BatchRefused,
    ElectionUnknown,
    PacksStillRead,
    ScanIdReused,
    ScanUnknown,
    SerialMistyped,
)
from services.postal.metrics import SCANS
from services.postal.ports import PackLog
from services.postal.store import scans as store
from services.postal.store.scans import Scan, ScanState, VoidAsked
from services.postal.stream import CONSUMER
from shared.consumer_types import Emission, Sql
from shared.contracts.fields import BatchNumber, EventId
from shared.contracts.message import derived_event_id
from shared.contracts.postal import EnvelopeReceived
from shared.contracts.topics import partition_of_right
from shared.kafka.outbox import Outbox
from shared.postgres.pool import connection, transaction

DECISION_SECONDS: Final = 1.0
"""How long a clerk's request waits for the decision before it answers "not known yet"."""
BULK_DECISION_SECONDS: Final = 10.0

TypedSerial = Annotated[str, Meta(min_length=1, max_length=64)]


class ScanGiven(Struct, frozen=True, forbid_unknown_fields=True):
    """A scanned or typed envelope; the clerk's program chooses a new `scan_id` for each."""

    serial: TypedSerial
    scan_id: EventId
    batch: BatchNumber


class ScanSeen(Struct, frozen=True, kw_only=True):
    """A scan and what became of it: admitted, set_aside (with the reason), voided, undecided."""

    scan_id: str
    election_id: str
    serial: str
    batch: int
    clerk: str
    outcome: str
    reason: str = ""


class ScanShown(ScanSeen, frozen=True, kw_only=True):
    """A scan with its voids, in the officials' own words, which are nowhere else."""

    voids: list[VoidAsked]


class Scanning:
    """What clerks do with envelopes."""

    def __init__(
        self, pool: "asyncpg.Pool[Any]", outbox: Outbox, arrivals: Arrivals, packs: PackLog
    ) -> None:
        self._pool = pool
        self._outbox = outbox
        self._arrivals = arrivals
        self._packs = packs

    async def take_in(
        self, election_id: str, given: Sequence[ScanGiven], clerk: str, wait_seconds: float
    ) -> list[ScanSeen]:
        """Record envelopes and wait for their decisions, at most so long; in the given order.

        Raises SerialMistyped, ElectionUnknown, NotTaken, BatchRefused, ScanIdReused or
        PacksStillRead, and then nothing is recorded.
        """
        canonical = [(one, canonical_serial(one.serial)) for one in given]
        await self._require_packs_read(election_id, [serial for _, serial in canonical])
        async with transaction(self._pool) as sql:
            await self._record(sql, election_id, canonical, clerk)
        self._outbox.kick()
        ids = [one.scan_id for one in given]
        found = await self._arrivals.until(lambda: self._states(ids), _are_decided, wait_seconds)
        return [seen(found[scan_id]) for scan_id in ids]

    async def _require_packs_read(self, election_id: str, serials: Sequence[str]) -> None:
        """A serial is called unknown only when every pack that was written to the log is known."""
        async with connection(self._pool) as sql:
            known = await store.rights_of(sql, election_id, serials)
        if len(known) == len(set(serials)):
            return
        try:
            ends = await self._packs.ends()
        except (KafkaError, TimeoutError, OSError) as error:
            raise PacksStillRead() from error
        async with connection(self._pool) as sql:
            read = await store.read_through(sql, CONSUMER)
        if any(read.get(place, 0) < end for place, end in ends.items()):
            raise PacksStillRead()

    async def show(self, election_id: str, scan_id: str) -> ScanShown:
        """A scan with what became of it, and why officials voided it; raises ScanUnknown."""
        found = (await self._states([scan_id])).get(scan_id)
        if found is None or found.scan.election_id != election_id:
            raise ScanUnknown()
        async with connection(self._pool) as sql:
            voids = await store.voids_of(sql, scan_id)
        return ScanShown(**msgspec.structs.asdict(seen(found)), voids=voids)

    async def _states(self, ids: Sequence[str]) -> dict[str, ScanState]:
        async with connection(self._pool) as sql:
            return await store.states(sql, ids)

    async def _record(
        self,
        sql: Sql,
        election_id: str,
        given: Sequence[tuple[ScanGiven, str]],
        clerk: str,
    ) -> None:
        election = await store.election(sql, election_id)
        if election is None:
            raise ElectionUnknown()
        rights = await store.rights_of(sql, election_id, [serial for _, serial in given])
        wanted = [
            Scan(one.scan_id, election_id, serial, rights.get(serial), one.batch, clerk)
            for one, serial in given
        ]
        known = await store.states(sql, [scan.scan_id for scan in wanted])
        _require_same(wanted, known)
        fresh = list({s.scan_id: s for s in wanted if s.scan_id not in known}.values())
        SCANS.labels("repeated").inc(len(wanted) - len(fresh))
        if not fresh:
            return
        # A repeated scan is answered at any time; a new one only while envelopes are taken in.
        require_taking(election.phase, election.takes_post)
        await _require_open(sql, election_id, fresh, clerk)
        await self._insert(sql, fresh)

    async def _insert(self, sql: Sql, fresh: Sequence[Scan]) -> None:
        new = await store.insert(sql, fresh)
        if len(new) < len(fresh):
            # Another request recorded the same scan id a moment ago.
            known = await store.states(sql, [scan.scan_id for scan in fresh])
            _require_same(fresh, known)
        sent = [received(scan) for scan in fresh if scan.scan_id in new and scan.right_id]
        SCANS.labels("recorded").inc(len(sent))
        SCANS.labels("unknown_serial").inc(len(new) - len(sent))
        await self._outbox.add(sql, sent)


def canonical_serial(typed: str) -> str:
    """A typed serial in its canonical spelling; raises SerialMistyped."""
    try:
        return codes.serial_canonical(typed)
    except BallotError:
        SCANS.labels("mistyped").inc()
        raise SerialMistyped() from None


def received(scan: Scan) -> Emission:
    """Tell the log that an envelope of a right is here."""
    right_id = scan.right_id or ""
    message = EnvelopeReceived(
        election_id=scan.election_id,
        right_id=right_id,
        serial=scan.serial,
        scan_id=scan.scan_id,
        clerk=scan.clerk,
        batch=scan.batch,
    )
    event_id = derived_event_id(f"{scan.election_id}|{scan.scan_id}", "EnvelopeReceived")
    return Emission(message, event_id, right_id, partition_of_right(right_id))


def seen(found: ScanState) -> ScanSeen:
    """What clerks are shown of a scan."""
    scan, state = found
    return ScanSeen(
        scan_id=scan.scan_id,
        election_id=scan.election_id,
        serial=scan.serial,
        batch=scan.batch,
        clerk=scan.clerk,
        outcome=state.outcome,
        reason=state.reason,
    )


def _are_decided(found: dict[str, ScanState]) -> bool:
    return all(one.state.outcome != "undecided" for one in found.values())


def _require_same(wanted: Sequence[Scan], known: dict[str, ScanState]) -> None:
    first: dict[str, tuple[str, str, int]] = {
        scan_id: (one.scan.election_id, one.scan.serial, one.scan.batch)
        for scan_id, one in known.items()
    }
    for scan in wanted:
        envelope = (scan.election_id, scan.serial, scan.batch)
        if first.setdefault(scan.scan_id, envelope) != envelope:
            raise ScanIdReused(scan_id=scan.scan_id)


async def _require_open(sql: Sql, election_id: str, fresh: Sequence[Scan], clerk: str) -> None:
    found = await store.open_batches(sql, election_id, [scan.batch for scan in fresh], clerk)
    closed = sorted(number for number, is_open in found.items() if not is_open)
    if closed:
        raise BatchRefused(
            f"Batch {closed[0]} is closed: put the envelope into another one, or open it again.",
            code="batch_closed",
            batch=closed[0],
        )
