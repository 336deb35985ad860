"""`make bench`: a vote's path and pages beside plain services, verification beside belenios-tool.

Exits 1 on a missed target.

    python -m tests.bench [--quick] [--only NAME ...] [--json FILE]

The home is CASTONCE_HOME, else .castonce/bench in the checkout; its state is thrown away at the
start, but for the sealed ballots. The section `verify` needs no service and starts none; `pages`
needs wrk, which `make setup-test` fetches.
"""

import argparse
import asyncio
import os
import shutil
import sys
from pathlib import Path

import msgspec

from deploy.local import wrk
from deploy.local.errors import StackError
from deploy.local.home import CHECKOUT, Home
from tests.bench import verifying
from tests.bench.plan import FULL, QUICK, Plan
from tests.bench.room import Room
from tests.bench.sections import Bench, Report, conditions, show

SECTIONS = ("verify", "pages", "stubbed", "verified", "growth", "replay", "kills", "roll")


async def run(plan: Plan, chosen: frozenset[str]) -> Report:
    """Measure the chosen sections."""
    report = Report()
    root = Path(os.environ.get("CASTONCE_HOME") or CHECKOUT / ".castonce" / "bench")
    if "pages" in chosen:
        wrk.require(Home.locate(root))  # said now, and not after half an hour of other sections
    show(f"Measuring in {root}; {conditions()}.")
    if "verify" in chosen:
        await asyncio.to_thread(verify, plan, report, root / "verify")
    if chosen != {"verify"}:
        await with_services(plan, chosen, report, root)
    return report


def verify(plan: Plan, report: Report, folder: Path) -> None:
    """Measure verification; its archives are thrown away at the end."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        verifying.measure(plan, report, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def with_services(plan: Plan, chosen: frozenset[str], report: Report, root: Path) -> None:
    """Measure the sections that need services; pages first, while the log is short."""
    is_pages_alone = chosen <= {"verify", "pages"}
    electors = plan.page_votes if is_pages_alone else plan.sealed_electors
    async with Room(Home.locate(root), electors) as room:
        bench = Bench(room, plan, report)
        if "pages" in chosen:
            await bench.pages()
        if not is_pages_alone:
            await path_of_a_vote(bench, chosen)


async def path_of_a_vote(bench: Bench, chosen: frozenset[str]) -> None:
    """Measure the sections in which votes flow."""
    await bench.prepare()
    await bench.warm_up()
    await bench.verification()
    for is_stubbed, name in ((True, "stubbed"), (False, "verified")):
        later = await bench.replay(is_stubbed=is_stubbed) if "replay" in chosen else None
        if name in chosen or later is not None:
            await bench.comparison(is_stubbed=is_stubbed)
        if later is not None:
            await later.measure()
    if "kills" in chosen:
        await bench.kill()
    if "roll" in chosen:
        await bench.roll()
    if "growth" in chosen:
        await bench.growth()


def main() -> int:
    """The command line; 0 when every target that was looked at is met."""
    asks = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    asks.add_argument("--quick", action="store_true", help="fewer votes, in a few minutes")
    asks.add_argument("--only", action="append", choices=SECTIONS, help="these sections only")
    asks.add_argument("--json", type=Path, help="write every measurement to this file")
    given = asks.parse_args()
    chosen = frozenset(given.only or SECTIONS)
    try:
        report = asyncio.run(run(QUICK if given.quick else FULL, chosen))
    except StackError as error:
        sys.exit(str(error))
    show("")
    for row in report.rows:
        show(row.line())
    if given.json:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    missed = [row.name for row in report.rows if not row.is_met]
    show(f"\n{len(missed)} targets missed; {conditions()}.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
