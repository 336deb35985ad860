"""The import of a roll file: read, compare, write, announce.

Promises that the import is atomic and repeatable, that nobody is removed by it, and that what it
reports is what database and log hold. Works beside the voters' requests: what
takes long runs in a thread. Must never put a person's particulars into an event or a log line.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from time import monotonic
from typing import Any

import asyncpg

from services.identity.domain.answers import AnswerKey
from services.identity.domain.faults import RollUnreadable
from services.identity.domain.plan import Plan, make_plan
from services.identity.domain.roll import Elector, OrderChoice, Roll, read_roll
from services.identity.errors import ElectionUnknown, FileUnreadable, ImportRuns, RollClosed
from services.identity.handlers import TAKING_ANSWERS
from services.identity.metrics import IMPORT_SECONDS, IMPORTS
from services.identity.report import Counts, RollReport, make_report
from services.identity.store import roll as store
from services.identity.store.answers import KnownElection
from services.identity.store.reading import reading
from shared.clock import Clock
from shared.consumer_types import Emission, Sql
from shared.contracts.identity import RightRegistered
from shared.contracts.message import derived_event_id
from shared.contracts.topics import partition_of_right
from shared.kafka.outbox import Outbox
from shared.logs import get_logger

OnProgress = Callable[[str, int, int], None]
"""Stage, done, total; called on the event loop."""

EVENTS_PER_ROW = 500
"""Events in one row of the outbox: sealing them holds the event loop for about 20 ms, and what the
outbox publishes at once (32 rows) for a quarter of a second."""
ANNOUNCE_SECONDS = 120.0
"""How long to wait for Kafka's word; the events go out later all the same."""
_POLL_SECONDS = 0.1

log = get_logger()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an official asks for."""

    election_id: str
    official: str
    content: bytes = field(repr=False)
    is_dry_run: bool = False
    skips_bad_rows: bool = False
    date_order: OrderChoice = "auto"


class RollImporter:
    """Imports roll files, one at a time."""

    def __init__(
        self, pool: "asyncpg.Pool[Any]", outbox: Outbox, answers_secret: bytes, clock: Clock
    ) -> None:
        self._pool = pool
        self._outbox = outbox
        self._secret = answers_secret
        self._clock = clock
        self._is_busy = asyncio.Lock()

    async def run(self, wanted: Wanted, on_progress: OnProgress) -> tuple[Roll, RollReport]:
        """Import the file, or only say what importing it would do (`is_dry_run`).

        A file with bad rows is imported only if they are to be skipped. Raises ElectionUnknown,
        RollClosed, ImportRuns, FileUnreadable, DatabaseRefused; then nothing was changed.
        """
        if self._is_busy.locked():
            raise ImportRuns()
        async with self._is_busy:
            began = monotonic()
            roll, report = await self._run(wanted, on_progress)
            seconds = monotonic() - began
        IMPORTS.labels("imported" if report.imported else "reported").inc()
        IMPORT_SECONDS.set(seconds)
        log.info(
            "roll_read",
            election_id=wanted.election_id,
            dry_run=wanted.is_dry_run,
            imported=report.imported,
            rows=report.rows,
            bad_rows=report.bad_rows,
            added=report.added,
            seconds=round(seconds, 2),
        )
        return roll, report

    async def _run(self, wanted: Wanted, on_progress: OnProgress) -> tuple[Roll, RollReport]:
        async with reading(self._pool) as sql:
            election = await self._open_election(sql, wanted.election_id)
        roll = await self._read(wanted, election, on_progress)
        if wanted.is_dry_run or (roll.bad_rows and not wanted.skips_bad_rows):
            plan, counts = await self._compare_only(wanted, roll, on_progress)
            return roll, make_report(wanted.is_dry_run, roll, plan, counts)
        plan = await self._write(wanted, roll, on_progress)
        waiting = await self._announce(wanted.election_id, on_progress)
        async with reading(self._pool) as sql:
            electors = await store.count_electors(sql, wanted.election_id)
        counts = Counts(electors, electors - waiting, is_imported=True)
        return roll, make_report(False, roll, plan, counts)

    async def _open_election(self, sql: Sql, election_id: str) -> KnownElection:
        election = await store.find_election(sql, election_id)
        if election is None:
            raise ElectionUnknown()
        if election.phase not in TAKING_ANSWERS:
            raise RollClosed()
        return election

    async def _read(self, wanted: Wanted, election: KnownElection, on_progress: OnProgress) -> Roll:
        loop = asyncio.get_running_loop()
        today = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).date()

        def tell(stage: str, done: int, total: int) -> None:
            loop.call_soon_threadsafe(on_progress, stage, done, total)

        try:
            return await asyncio.to_thread(
                read_roll, wanted.content, election.facts, today, wanted.date_order, tell
            )
        except RollUnreadable as error:
            raise FileUnreadable(f"Line {error.line}: {error.reason}", line=error.line) from None

    async def _compare_only(
        self, wanted: Wanted, roll: Roll, on_progress: OnProgress
    ) -> tuple[Plan, Counts]:
        async with store.import_transaction(self._pool) as sql:
            plan = await self._plan(sql, wanted.election_id, roll.electors, on_progress)
            electors = await store.count_electors(sql, wanted.election_id)
            waiting = await store.count_unannounced(sql, wanted.election_id)
        return plan, Counts(electors, electors - waiting, is_imported=False)

    async def _plan(
        self, sql: Sql, election_id: str, electors: Sequence[Elector], on_progress: OnProgress
    ) -> Plan:
        existing = await store.read_existing(sql, election_id)
        loop = asyncio.get_running_loop()

        def tell(done: int) -> None:
            loop.call_soon_threadsafe(on_progress, "comparing", done, len(electors))

        return await asyncio.to_thread(
            make_plan,
            AnswerKey(self._secret, election_id),
            electors,
            existing,
            lambda: secrets.token_hex(16),
            tell,
        )

    async def _write(self, wanted: Wanted, roll: Roll, on_progress: OnProgress) -> Plan:
        """Write the plan and its events at once."""
        async with store.import_transaction(self._pool) as sql:
            await store.lock_roll(sql, wanted.election_id)
            await self._open_election(sql, wanted.election_id)
            plan = await self._plan(sql, wanted.election_id, roll.electors, on_progress)
            if plan.is_empty:
                return plan
            placed = [*plan.added, *plan.changed]
            await store.stage(
                sql,
                AnswerKey(self._secret, wanted.election_id),
                placed,
                lambda done: on_progress("writing", done, len(placed)),
            )
            await store.move_staged(sql)
            record = store.ImportRecord(
                wanted.election_id,
                wanted.official,
                sha256(wanted.content).digest(),
                len(roll.bad_rows),
            )
            await store.note_import(sql, record, plan)
            await self._register(sql, wanted.election_id, plan, on_progress)
        self._outbox.kick()
        return plan

    async def _register(
        self, sql: Sql, election_id: str, plan: Plan, on_progress: OnProgress
    ) -> None:
        for start in range(0, len(plan.added), EVENTS_PER_ROW):
            on_progress("signing", start, len(plan.added))
            chunk = plan.added[start : start + EVENTS_PER_ROW]
            emissions = [registration(election_id, placed.right_id) for placed in chunk]
            row_id = await self._outbox.add(sql, emissions)
            if row_id is not None:
                await store.note_announced(sql, election_id, row_id, len(emissions))

    async def _announce(self, election_id: str, on_progress: OnProgress) -> int:
        """Wait until Kafka has the events of the roll, earlier imports' too.

        How many it doesn't have yet when patience ends.
        """
        total = 0
        deadline = monotonic() + ANNOUNCE_SECONDS
        while True:
            async with reading(self._pool) as sql:
                left = await store.count_unannounced(sql, election_id)
            total = max(total, left)
            if total:
                on_progress("announcing", total - left, total)
            if not left or monotonic() > deadline:
                return left
            await asyncio.sleep(_POLL_SECONDS)


def registration(election_id: str, right_id: str) -> Emission:
    """The event that an elector has a right: no more than an opaque id."""
    return Emission(
        RightRegistered(election_id=election_id, right_id=right_id),
        derived_event_id(right_id, "RightRegistered"),
        right_id,
        partition_of_right(right_id),
    )
