"""Opens and closes elections at their hours, and goes on when what was waited for has come.

Promises that a step whose hour passed while the service was away is taken as soon as it is back,
that a step is ordered once however often this looks, and that what only people can mend is shown.
Must never decide by anything but the tables, which the log made, and the clock.
"""

import asyncio
from typing import Any

import asyncpg

from ballots.errors import BallotError
from services.elections.arrivals import Arrivals
from services.elections.course import Course
from services.elections.domain import ending, phases, waiting
from services.elections.domain.barriers import late_by_ms
from services.elections.domain.ending import ENDING, Ending
from services.elections.domain.phases import Standing, Step
from services.elections.end import End
from services.elections.metrics import BARRIER_LATE_SECONDS, QUARANTINE_OPEN, STUCK
from services.elections.store.elections import Store
from services.elections.store.law import Work
from shared.clock import Clock
from shared.kafka.outbox import Outbox
from shared.logs import get_logger
from shared.postgres.pool import is_transient, transaction

LOOK_SECONDS = 0.5
"""How often the hours are looked at; a commit in between makes it look at once."""

log = get_logger()


class Calendar:
    """Looks at every election that isn't finished and takes the step that is due."""

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        store: Store,
        course: Course,
        end: End,
        *,
        outbox: Outbox,
        arrivals: Arrivals,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._store = store
        self._course = course
        self._end = end
        self._outbox = outbox
        self._arrivals = arrivals
        self._clock = clock
        self._stuck: dict[str, set[str]] = {}
        self._refused: dict[str, str] = {}
        """What couldn't be made of what is there, by election."""
        self._moved: dict[str, tuple[object, int]] = {}
        """Where each election stands, and since when we see it there."""

    async def run(self) -> None:
        """Look, act, wait; an absence of PostgreSQL is waited out."""
        while True:
            try:
                await self.look()
            except Exception as error:
                if not is_transient(error):
                    raise
                log.warning("calendar_waits", reason=f"{type(error).__name__}: {error}")
                await asyncio.sleep(LOOK_SECONDS)
            await self._arrivals.next(LOOK_SECONDS)

    async def look(self) -> int:
        """Take every step that is due now; how many were ordered."""
        async with self._pool.acquire() as sql:
            standings = await self._store.standings(sql)
            open_records = await self._store.quarantine_count(sql)
        QUARANTINE_OPEN.set(open_records)
        ordered = 0
        for standing in standings:
            ordered += await self._look_at(standing, open_records)
        return ordered

    async def _look_at(self, standing: Standing, open_records: int) -> bool:
        found = Ending()
        if standing.phase in waiting.PHASES:
            async with self._pool.acquire() as sql:
                found = await self._end.ending(sql, standing)
        self._show_stuck(standing, self._alarms(standing, found, open_records))
        is_quarantine_empty = open_records == 0
        if standing.phase in ENDING:
            return await self._finish(standing, found, is_quarantine_empty=is_quarantine_empty)
        return await self._act(standing, is_quarantine_empty=is_quarantine_empty)

    def _alarms(self, standing: Standing, found: Ending, open_records: int) -> set[str]:
        """Why this election doesn't go on, as far as somebody must look."""
        now_ms = self._clock.now_ms()
        place = (standing.phase, standing.partitions_closed, found)
        moved = self._moved.get(standing.election_id)
        if moved is None or moved[0] != place:
            moved = self._moved[standing.election_id] = (place, now_ms)
        alarms = waiting.alarms(waiting.waits(standing, found, open_records), now_ms - moved[1])
        if reason := phases.stuck(standing, now_ms):
            alarms.append(reason)
        refused = self._refused.get(standing.election_id)
        return {*alarms, refused} if refused else set(alarms)

    async def _act(self, standing: Standing, *, is_quarantine_empty: bool) -> bool:
        now_ms = self._clock.now_ms()
        step = phases.due(standing, now_ms, is_quarantine_empty=is_quarantine_empty)
        if step is None:
            return False
        async with transaction(self._pool) as sql:
            is_new = await self._course.step_of_calendar(sql, standing, step)
        return self._taken(standing, step, is_new)

    async def _finish(
        self, standing: Standing, found: Ending, *, is_quarantine_empty: bool
    ) -> bool:
        """Take the step of the end that is due: what it needs has come, whatever the hour."""
        step = ending.due(standing, found, is_quarantine_empty=is_quarantine_empty)
        self._refused.pop(standing.election_id, None)
        try:
            if step == "publish_result":
                return await self._publish_result(standing)
            if step == "tally":
                return await self._publish_tally(standing)
        except BallotError as error:
            # The reason is enough: what was refused says nothing that a trace would add.
            what = "result_refused" if step == "publish_result" else "tally_refused"
            log.warning("end_refused", election=standing.election_id, what=what, reason=error.code)
            self._refused[standing.election_id] = what
        return False

    async def _publish_tally(self, standing: Standing) -> bool:
        async with self._pool.acquire() as sql:
            if await self._store.ordered(sql, standing.election_id, "tally"):
                return False  # it comes back through the log
            whole = await self._end.summed(sql, standing)
        async with transaction(self._pool) as sql:
            is_new = await self._end.publish_tally(sql, standing, whole)
        return self._taken(standing, "tally", is_new)

    async def _publish_result(self, standing: Standing) -> bool:
        async with self._pool.acquire() as sql:
            if await self._store.ordered(sql, standing.election_id, "publish_result"):
                return False  # it comes back through the log
            said = await self._end.said(sql, standing)
        result = await self._end.opened(said, standing)
        async with transaction(self._pool) as sql:
            is_new = await self._end.publish_result(sql, standing, result)
        return self._taken(standing, "publish_result", is_new)

    def _taken(self, standing: Standing, step: Step, is_new: bool) -> bool:
        if is_new:
            log.info("step_taken", election=standing.election_id, step=step)
            self._outbox.kick()
        return is_new

    def _show_stuck(self, standing: Standing, reasons: set[str]) -> None:
        election_id = standing.election_id
        shown = self._stuck.get(election_id, set())
        for old in shown - reasons:
            STUCK.labels(election_id, old).set(0)
        for new in reasons - shown:
            STUCK.labels(election_id, new).set(1)
            log.error("election_stuck", election=election_id, reason=new)
        self._stuck[election_id] = reasons


def alarm_late_barriers(work: Work) -> None:
    """Show barriers that stand behind their hour (after the commit that read them back)."""
    for barrier in work.barriers:
        standing = work.elections.get(barrier.election_id)
        if standing is None:
            continue
        behind_ms = late_by_ms(barrier, standing.definition)
        BARRIER_LATE_SECONDS.labels(barrier.election_id, barrier.kind).set(behind_ms / 1000)
        if behind_ms:
            log.error(
                "barrier_late",
                election=barrier.election_id,
                barrier=barrier.kind,
                partition=barrier.partition,
                seconds=round(behind_ms / 1000),
            )
