"""One visit to one side: start it, warm it up, fill it, then leave it alone, then let time drive.

Promises that only the side that is measured runs while it is, and that both sides get the same
electors, the same warm-up and the same number of votes.
"""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct

from tests.bench import cpu
from tests.bench.electorate import Kind
from tests.bench.load import Outcome, Prepare, Run
from tests.bench.plan import Plan
from tests.bench.room import PEER_DATABASE, VOTES_DATABASE, Room


class Side(Struct, frozen=True):
    """Which service, and whether it believes ballots' proofs."""

    name: str
    is_stubbed: bool
    database: str

    @property
    def is_peer(self) -> bool:
        """Whether this is the plain service."""
        return self.name == "peer"

    @property
    def kind(self) -> Kind:
        """Which electors can vote here."""
        return "template" if self.is_stubbed else "sealed"


def ours(*, is_stubbed: bool, database: str = VOTES_DATABASE) -> Side:
    """The path: gateway, Kafka, votes."""
    return Side("ours", is_stubbed, database)


def plain(*, is_stubbed: bool, database: str = PEER_DATABASE) -> Side:
    """The peer."""
    return Side("peer", is_stubbed, database)


class Visit(Struct, frozen=True, kw_only=True):
    """What was measured; CPU in microseconds per vote of the saturation row."""

    side: Side
    saturation: Outcome
    cpu_us: dict[str, float]
    wide: Outcome | None
    lone: Outcome | None
    open_loop: dict[int, Outcome]
    load_average: float


class Portion(Struct, frozen=True, kw_only=True):
    """The electors of one visit and what they are for."""

    first: int
    warm: int
    saturation: int
    lone: int
    wide: int = 0
    wide_connections: int = 0
    rates: tuple[int, ...] = ()
    rate_seconds: int = 0

    @property
    def count(self) -> int:
        """All of them."""
        timed = sum(self.rates) * self.rate_seconds
        return self.warm + self.saturation + self.wide + self.lone + timed


def portion(plan: Plan, first: int, *, is_stubbed: bool) -> Portion:
    """What a visit of this plan needs."""
    return Portion(
        first=first,
        warm=plan.warm_votes if is_stubbed else plan.warm_votes // 10,
        saturation=plan.stubbed_votes if is_stubbed else plan.verified_votes,
        lone=plan.lone_votes,
        wide=plan.wide_votes if is_stubbed else 0,
        wide_connections=plan.wide_connections,
        rates=plan.rates if is_stubbed else (plan.verified_rate,),
        rate_seconds=plan.rate_seconds,
    )


async def visit(room: Room, side: Side, electors: Portion, connections: int) -> Visit:
    """Measure one side with these electors; the other side doesn't run."""
    await room.prepare(Prepare(side.kind, electors.first, electors.count))
    await asyncio.to_thread(start, room, side)
    try:
        return await _measure(room, side, electors, connections)
    finally:
        await asyncio.to_thread(stop, room, side)


def start(room: Room, side: Side) -> None:
    """Start the processes of a side."""
    if side.is_peer:
        room.start_peer(is_stubbed=side.is_stubbed, database=side.database)
    else:
        room.start_votes(is_stubbed=side.is_stubbed, database=side.database)
        room.start_gateway()


def stop(room: Room, side: Side) -> None:
    """Stop them."""
    if side.is_peer:
        room.stop_peer()
    else:
        room.stack.stop_service("gateway")
        room.stop_votes()


async def _measure(room: Room, side: Side, electors: Portion, connections: int) -> Visit:
    if not side.is_peer:
        await room.until_applied(side.database)
    step = _steps(room, room.peer_port if side.is_peer else room.gateway_port)
    if electors.warm:
        await step(electors.warm, connections, 0.0)
    pids = room.pids(of_peer=side.is_peer)
    before = cpu.snapshot(pids)
    saturation = await step(electors.saturation, connections, 0.0)
    used = cpu.since(before, pids)
    load_average = cpu.load_average()
    wide = await step(electors.wide, electors.wide_connections, 0.0) if electors.wide else None
    lone = await step(electors.lone, 1, 0.0) if electors.lone else None
    return Visit(
        side=side,
        saturation=saturation,
        cpu_us={name: seconds * 1e6 / saturation.accepted for name, seconds in used.items()},
        wide=wide,
        lone=lone,
        open_loop={
            rate: await step(rate * electors.rate_seconds, connections, float(rate))
            for rate in electors.rates
        },
        load_average=load_average,
    )


def _steps(room: Room, port: int) -> Callable[[int, int, float], Awaitable[Outcome]]:
    done = 0

    async def step(count: int, connections: int, rate: float) -> Outcome:
        nonlocal done
        run = Run(port=port, connections=connections, count=count, skip=done, rate=rate)
        done += count
        return await room.vote(run)

    return step
