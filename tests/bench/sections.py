"""The parts of a run, one after the other, and the rows that come out of them."""

import asyncio
from collections.abc import Sequence
from statistics import median
from typing import Any

import msgspec
from msgspec import Struct

from tests.bench import cpu, figures, floor, kills, page_rates, replaying, roll, tables
from tests.bench.bare import Bare, measure
from tests.bench.figures import Row, Target
from tests.bench.plan import Plan
from tests.bench.room import PEER_DATABASE, VOTES_DATABASE, Room
from tests.bench.stubbed_votes import Believed
from tests.bench.visits import Portion, Visit, ours, plain, portion, visit

LONE_MS = 4.0
BROKER_SECONDS, VOTES_SECONDS = 8.0, 1.0
REPLAY_WORDS: dict[Believed, str] = {
    "nothing": "verified",
    "proofs": "proofs stubbed",
    "signatures": "all signatures stubbed",
}


class Report(Struct):
    """What a run found: rows for people, measurements for programs."""

    rows: list[Row] = []
    measured: dict[str, Any] = {}

    def add(self, row: Row) -> None:
        """Keep a row and show it."""
        self.rows.append(row)
        show(row.line())

    def keep(self, name: str, what: Any) -> None:
        """Keep what a row was made of."""
        self.measured[name] = msgspec.to_builtins(what)


class Bench:
    """One run: its room, its plan, and which electors have voted so far."""

    def __init__(self, room: Room, plan: Plan, report: Report) -> None:
        self.room = room
        self.plan = plan
        self.report = report
        self.bare: Bare | None = None
        self._next_template = 0
        self._next_sealed = 0

    async def prepare(self) -> None:
        """Tables for both sides, and the election applied by votes."""
        room, count = self.room, self.plan.template_electors + self.plan.warm_broker_votes
        await room.new_peer_database()
        await floor.prepare(room)
        await room.copy_sealed_electors()
        await tables.add_undecided_to_peer(room, count, PEER_DATABASE)
        side = ours(is_stubbed=False)
        await asyncio.to_thread(room.start_votes, is_stubbed=False)
        await room.until_applied()
        await asyncio.to_thread(room.stop_votes)
        await tables.add_undecided_to_votes(room, count, database=side.database)

    async def warm_up(self) -> None:
        """Votes that nobody counts: a broker that has just started compiles its code meanwhile."""
        warm = Portion(
            first=self._take_template(self.plan.warm_broker_votes),
            warm=0,
            saturation=self.plan.warm_broker_votes,
            lone=0,
        )
        await visit(self.room, ours(is_stubbed=True), warm, self.plan.connections)

    async def verification(self) -> None:
        """Verification alone, on all cores."""
        self.bare = await self.bare_now()
        self.report.keep("bare", self.bare)
        self.report.add(Row(name="bare verification", value=self.bare.per_second, unit="ballots/s"))
        self.report.add(
            Row(name="bare verification, one ballot", value=self.bare.lone_ms, unit="ms")
        )

    async def bare_now(self) -> Bare:
        """Verification alone at this moment: the machine's speed changes within minutes."""
        ballots = list(self.room.ballots.some(0, self.plan.bare_ballots))
        return await asyncio.to_thread(measure, ballots)

    async def comparison(self, *, is_stubbed: bool) -> None:
        """Both sides in turn, with the same electors."""
        plan, found, floors = self.plan, [], []
        sides = (ours(is_stubbed=is_stubbed), plain(is_stubbed=is_stubbed))
        for at in range(plan.rounds):
            size = plan.stubbed_electors if is_stubbed else plan.verified_electors
            first = self._take_template(size) if is_stubbed else self._take_sealed(size)
            electors = portion(plan, first, is_stubbed=is_stubbed)
            for side in sides if at % 2 == 0 else sides[::-1]:
                found.append(await visit(self.room, side, electors, plan.connections))
                show(_visit_line(found[-1]))
            if is_stubbed:
                floors.append(await floor.measure(self.room, plan.lone_votes))
                show(f"  bare hops: {floors[-1]}")
        self.report.keep("stubbed" if is_stubbed else "verified", found)
        _compare(self.report, found, self.bare, is_stubbed=is_stubbed)
        if is_stubbed:
            _compare_to_floor(self.report, found, floors)

    async def growth(self) -> None:
        """The same votes with few and with many rights decided before."""
        plan, room, found = self.plan, self.room, []
        first = self._next_template
        sizes = {"small": plan.small_decided, "large": plan.large_decided}
        names = {}
        for suffix, decided in sizes.items():
            names[suffix] = database = await room.new_votes_database(suffix)
            await tables.begin_at_the_end(room, database)
            await tables.add_undecided_to_votes(room, plan.growth_electors, first, database)
            await tables.add_decided_to_votes(room, decided, database)
        for at in range(plan.growth_rounds):
            for suffix in sizes if at % 2 == 0 else [*sizes][::-1]:
                electors = Portion(
                    first=self._take_template(plan.growth_electors // (2 * plan.growth_rounds)),
                    warm=plan.warm_votes,
                    saturation=plan.growth_votes,
                    lone=plan.lone_votes,
                )
                side = ours(is_stubbed=True, database=names[suffix])
                found.append(await visit(room, side, electors, plan.connections))
                show(f"  {sizes[suffix]:,} decided: {_visit_line(found[-1])}")
        self.report.keep("growth", found)
        _compare_growth(self.report, found, names, plan)

    async def replay(self, *, is_stubbed: bool) -> "ReplayLater":
        """Note where the log is now; what comes behind is replayed by the returned part."""
        room = self.room
        database = await room.new_votes_database("replay_stubbed" if is_stubbed else "replay")
        await tables.begin_at_the_end(room, database)
        await tables.copy_rights(room, database)
        return ReplayLater(self, database, await room.applied(VOTES_DATABASE), is_stubbed)

    async def kill(self) -> None:
        """The broker and votes, killed while votes flow."""
        found = []
        for part in ("kafka", "votes"):
            for _ in range(self.plan.kills):
                first = self._take_sealed(self.plan.kill_votes)
                found.append(await kills.kill(self.room, part, self.plan, first))
                show(f"  {found[-1]}")
        self.report.keep("kills", found)
        _tell_kills(self.report, found)

    async def roll(self) -> None:
        """A party's roll, imported."""
        found = await roll.measure(self.room, self.plan.roll_rows)
        self.report.keep("roll", found)
        self.report.add(roll.row(found))

    async def pages(self) -> None:
        """Pages and what programs read, of gateway and board."""
        plan = self.plan
        limits = ", ".join(f"{name}={value}" for name, value in page_rates.LIFTED.items())
        show(f"  Asking for pages; the doors are told {limits}.")
        found = await page_rates.measure(self.room, plan, self._take_sealed(plan.page_votes))
        self.report.keep("pages", found)
        for row in page_rates.rows(found):
            self.report.add(row)

    def _take_template(self, count: int) -> int:
        first, self._next_template = self._next_template, self._next_template + count
        return first

    def _take_sealed(self, count: int) -> int:
        first, self._next_sealed = self._next_sealed, self._next_sealed + count
        return first


class ReplayLater:
    """A replay of what both sides' rows will have left in the log."""

    def __init__(
        self, bench: Bench, database: str, begins: dict[int, int], is_stubbed: bool
    ) -> None:
        self._bench = bench
        self._database = database
        self._begins = begins
        self._is_stubbed = is_stubbed

    async def measure(self) -> None:
        """Replay it a few times, each time into empty tables, and without what is stubbed."""
        if self._is_stubbed:
            await self._measure("proofs")
            await self._measure("signatures")
        else:
            await self._measure("nothing")

    async def _measure(self, believed: Believed) -> None:
        bench, found, bare = self._bench, [], []
        ends = await bench.room.applied(VOTES_DATABASE)
        for _ in range(bench.plan.replays):
            await tables.forget_votes(bench.room, self._database, self._begins)
            if believed == "nothing":
                bare.append((await bench.bare_now()).per_second)
            found.append(await replaying.replay(bench.room, self._database, ends, believed))
            show(f"  replay, {REPLAY_WORDS[believed]}: {found[-1]}")
        bench.report.keep(f"replay, {REPLAY_WORDS[believed]}", found)
        _tell_replay(bench.report, believed, found, bare)


def _compare(
    report: Report, found: Sequence[Visit], bare: Bare | None, *, is_stubbed: bool
) -> None:
    words = "stubbed" if is_stubbed else "verified"
    mine = [one for one in found if not one.side.is_peer]
    others = [one for one in found if one.side.is_peer]
    speeds = [[one.saturation.per_second for one in side] for side in (mine, others)]
    for name, side, speed in (("ours", mine, speeds[0]), ("peer", others, speeds[1])):
        each = {key: median(one.cpu_us[key] for one in side) for key in side[0].cpu_us}
        detail = f"{figures.spread(speed)}; CPU {figures.cpu_line(each)}"
        row = Row(name=f"{words}: {name}", value=median(speed), unit="votes/s", detail=detail)
        report.add(row)
    target = Target("at least", 1.0 if is_stubbed else 1.1)
    reached = figures.ratio(median(speeds[0]), median(speeds[1]))
    report.add(Row(name=f"{words}: ours to peer", value=reached, unit="times", target=target))
    _compare_wide(report, words, mine, others)
    for name, side in (("ours", mine), ("peer", others)):
        _tell_latencies(report, f"{words}: {name}", side)
    lone = median(one.lone.p50 for one in mine if one.lone)
    if bare is not None:
        beside = lone if is_stubbed else lone - bare.lone_ms
        report.add(
            Row(
                name=f"{words}: a lone vote beside its verification",
                value=beside,
                unit="ms median",
                target=Target("at most", LONE_MS),
            )
        )


def _compare_to_floor(
    report: Report, found: Sequence[Visit], floors: Sequence[floor.Floor]
) -> None:
    """A lone vote's hops with nothing in them, in the same minutes: the rest is the code's."""
    hops = median(one.p50 for one in floors)
    report.keep("floor", list(floors))
    name = "the hops of a lone vote, with nothing in them"
    report.add(Row(name=name, value=hops, unit="ms median"))
    lone = median(one.lone.p50 for one in found if one.lone and not one.side.is_peer)
    name, reached = "stubbed: a lone vote to its hops", figures.ratio(lone, hops)
    report.add(Row(name=name, value=reached, unit="times"))


def _compare_wide(
    report: Report, words: str, mine: Sequence[Visit], others: Sequence[Visit]
) -> None:
    speeds = [[one.wide.per_second for one in side if one.wide] for side in (mine, others)]
    if not all(speeds):
        return
    detail = " and ".join(f"{figures.spread(speed)} votes/s" for speed in speeds)
    reached = figures.ratio(median(speeds[0]), median(speeds[1]))
    name = f"{words}: ours to peer, 1,024 voters waiting"
    report.add(Row(name=name, value=reached, unit="times", detail=detail))


def _tell_latencies(report: Report, name: str, side: Sequence[Visit]) -> None:
    lone = [one.lone for one in side if one.lone]
    detail = f"p99 {figures.number(median(one.p99 for one in lone))}"
    value = median(one.p50 for one in lone)
    report.add(Row(name=f"{name}, one at a time", value=value, unit="ms median", detail=detail))
    for rate in side[0].open_loop:
        runs = [one.open_loop[rate] for one in side]
        detail = f"p99 {figures.number(median(run.p99 for run in runs))}"
        value = median(run.p50 for run in runs)
        report.add(Row(name=f"{name}, {rate}/s", value=value, unit="ms median", detail=detail))


def _compare_growth(
    report: Report, found: Sequence[Visit], names: dict[str, str], plan: Plan
) -> None:
    speeds = {
        suffix: [one.saturation.per_second for one in found if one.side.database == database]
        for suffix, database in names.items()
    }
    sizes = {"small": plan.small_decided, "large": plan.large_decided}
    for suffix, speed in speeds.items():
        name = f"growth: {sizes[suffix]:,} rights decided"
        row = Row(name=name, value=median(speed), unit="votes/s", detail=figures.spread(speed))
        report.add(row)
    kept = figures.ratio(median(speeds["large"]), median(speeds["small"]))
    target = Target("at least", 0.8)
    report.add(Row(name="growth: large to small", value=kept, unit="times", target=target))


def _tell_replay(
    report: Report,
    believed: Believed,
    found: Sequence[replaying.Replayed],
    bare: Sequence[float],
) -> None:
    """`bare`: verification alone, before each replay; empty where ballots weren't verified."""
    speeds = [one.per_second for one in found]
    name = f"replay, {REPLAY_WORDS[believed]}"
    each = {key: median(one.cpu_us[key] for one in found) for key in found[0].cpu_us}
    detail = f"{figures.spread(speeds)}, {found[0].records:,} records"
    row = Row(
        name=name,
        value=median(speeds),
        unit="records/s",
        target=Target("at least", 20_000) if believed == "signatures" else None,
        detail=f"{detail}; CPU {figures.cpu_line(each)}; free cores would do"
        f" {figures.number(replaying.CORES * 1e6 / sum(each.values()))}/s",
    )
    report.add(row)
    if bare:
        share = median(figures.ratio(one, alone) for one, alone in zip(speeds, bare, strict=True))
        target = Target("at least", 0.75)
        detail = f"bare {figures.spread(bare)}"
        row = Row(name=f"{name}: to bare", value=share, unit="times", target=target, detail=detail)
        report.add(row)


def _tell_kills(report: Report, found: Sequence[kills.Killed]) -> None:
    for part, seconds in (("kafka", BROKER_SECONDS), ("votes", VOTES_SECONDS)):
        chosen = [one for one in found if one.part == part]
        longest = [one.gap_seconds for one in chosen]
        report.add(
            Row(
                name=f"kill -9 of {part}: no receipt for",
                value=median(longest),
                unit="s",
                target=Target("at most", seconds),
                detail=figures.spread(longest),
            )
        )
        wrong = sum(one.wrong for one in chosen)
        votes = sum(one.acknowledged for one in chosen)
        report.add(
            Row(
                name=f"kill -9 of {part}: votes lost or doubled",
                value=float(wrong),
                unit="votes",
                target=Target("at most", 0),
                detail=f"of {votes:,} acknowledged",
            )
        )


def _visit_line(one: Visit) -> str:
    words = f"{figures.number(one.saturation.per_second)} votes/s"
    lone = f", alone {figures.number(one.lone.p50)} ms" if one.lone else ""
    return (
        f"  {one.side.name}: {words}{lone}; CPU {figures.cpu_line(one.cpu_us)};"
        f" load average {one.load_average:.1f}"
    )


def show(line: str) -> None:
    """Say it now: a run takes minutes."""
    print(line, flush=True)  # noqa: T201


def conditions() -> str:
    """How quiet the machine is."""
    return f"load average {cpu.load_average():.1f}"
