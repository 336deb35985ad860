"""Kill -9 while votes flow: how long nothing comes, and whether anything is lost or doubled."""

import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from tests.bench import figures
from tests.bench.electorate import right_id
from tests.bench.load import Outcome, Prepare, Run
from tests.bench.plan import Plan
from tests.bench.room import Room
from tests.bench.visits import ours, start, stop

STEADY_SECONDS = 4.0
AFTER_SECONDS = 6.0
"""Votes go on for so long after the part is back."""
LONGEST_OUTAGE_SECONDS = 40.0


class Killed(Struct, frozen=True, kw_only=True):
    """What one kill did."""

    part: str
    gap_seconds: float
    acknowledged: int
    distinct: int
    rows: int
    claims: int
    """Claims of all electors who handed in: more than acknowledged would be a lost receipt."""
    statuses: dict[int, int]
    longest_ms: float

    @property
    def wrong(self) -> int:
        """Votes that were lost, doubled, or never acknowledged."""
        expected = self.acknowledged
        return sum(abs(found - expected) for found in (self.distinct, self.rows, self.claims))


async def kill(room: Room, part: str, plan: Plan, first: int) -> Killed:
    """Kill one part (`kafka` or `votes`) while votes flow through the real path, and restart it."""
    await room.prepare(Prepare("sealed", first, plan.kill_votes))
    side = ours(is_stubbed=False)
    await asyncio.to_thread(start, room, side)
    try:
        await room.until_applied()
        trackers = room.home.root / "trackers.txt"
        flow = asyncio.create_task(room.vote(_flow(room, plan, trackers)))
        await asyncio.sleep(STEADY_SECONDS)
        killed_at = time.monotonic()
        await asyncio.to_thread(_break(room, part))
        outcome = await flow
        await room.until_applied()
    finally:
        await asyncio.to_thread(stop, room, side)
    acknowledged = _acknowledged(trackers)
    return await _account(room, outcome, acknowledged, first, part=part, killed_at=killed_at)


def _flow(room: Room, plan: Plan, trackers: Path) -> Run:
    return Run(
        port=room.gateway_port,
        connections=plan.kill_connections,
        count=plan.kill_votes,
        seconds=STEADY_SECONDS + LONGEST_OUTAGE_SECONDS / 2 + AFTER_SECONDS,
        trackers_file=str(trackers),
    )


def _break(room: Room, part: str) -> Callable[[], None]:
    stack = room.stack

    def broker() -> None:
        stack.kill_kafka()
        stack.start_kafka()

    def votes() -> None:
        stack.kill_service("votes", signal.SIGKILL)
        room.start_votes(is_stubbed=False)

    return broker if part == "kafka" else votes


def _acknowledged(trackers: Path) -> list[str]:
    return trackers.read_text().split()


async def _account(
    room: Room,
    outcome: Outcome,
    acknowledged: list[str],
    first: int,
    *,
    part: str,
    killed_at: float,
) -> Killed:
    used = outcome.accepted
    rights = [bytes.fromhex(right_id(number)) for number in range(first, first + used)]
    sql = await room.sql()
    try:
        rows = await sql.fetchval(
            "select count(*) from ballots where tracker = any($1::text[])", acknowledged
        )
        claims = await sql.fetchval(
            "select count(*) from claims where right_id = any($1::bytea[])", rights
        )
    finally:
        await sql.close()
    until = killed_at + LONGEST_OUTAGE_SECONDS
    return Killed(
        part=part,
        gap_seconds=figures.longest_gap(outcome.gaps, killed_at, until),
        acknowledged=len(acknowledged),
        distinct=len(set(acknowledged)),
        rows=int(rows),
        claims=int(claims),
        statuses=outcome.statuses,
        longest_ms=outcome.longest,
    )
