"""The section `verify`: our verifier and our ballots' code beside belenios-tool, on the same files.

Promises that each figure that is compared comes from the same archives in the same minutes, in
turn. CPU a ballot is what many ballots used beyond few, divided by how many they were more: the
programs' start, and the one tally and decryption, fall away. The least of several runs counts:
other work on the machine can only add.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from ballots import archive, ballot, tally
from ballots.archive import ArchiveWriter, State
from tests.bench import elections, figures, verifiers
from tests.bench.elections import Poll, Voted
from tests.bench.figures import Row, Target
from tests.bench.plan import Plan
from tests.bench.sections import Report, show
from tests.bench.verifiers import Ran

FEW = 10
PER_CORE, ALL_CORES = 1.2, 2.0
"""How many times belenios-tool's speed is asked for: of one core, and of two."""
SHAPES = (2, 5)


class Each(Struct, frozen=True, kw_only=True):
    """CPU milliseconds of one ballot, by what was done with it."""

    answers: int
    belenios_ms: float
    castonce_ms: float
    library_ms: float
    seal_ms: float
    tally_ms: float
    write_ms: float
    read_ms: float


class Whole(Struct, frozen=True, kw_only=True):
    """Whole archives of one size, with all that belongs to them, in seconds; run by run."""

    ballots: int
    belenios: list[Ran]
    one_job: list[Ran]
    all_jobs: list[Ran]


def measure(plan: Plan, report: Report, folder: Path) -> None:
    """Make the elections, measure, and tell; archives are written into `folder`."""
    cores, sizes = os.cpu_count() or 1, plan.archives
    for answers in SHAPES:
        poll = elections.make(answers)
        count = max(sizes) if answers == SHAPES[0] else plan.compared_ballots
        show(f"  sealing {count:,} ballots of {answers} answers")
        voted = elections.vote(poll, count)
        each = each_ballot(poll, voted, plan, folder)
        report.keep(f"verify, {answers} answers", each)
        tell_each(report, each)
        if answers == SHAPES[0]:
            found = [whole_archive(poll, voted.first(size), plan, folder, cores) for size in sizes]
            report.keep("verify, whole archives", found)
            for one in found:
                tell_whole(report, one, cores)


def each_ballot(poll: Poll, voted: Voted, plan: Plan, folder: Path) -> Each:
    """What one ballot costs each of the programs and each of our functions."""
    many = voted.first(plan.compared_ballots)
    small, large = (put(poll, part, folder) for part in (voted.first(FEW), many))
    theirs: list[tuple[Ran, Ran]] = []
    ours: list[tuple[Ran, Ran]] = []
    library = []
    for _ in range(plan.verify_rounds):
        theirs.append((verifiers.belenios_tool(small), verifiers.belenios_tool(large)))
        ours.append((verifiers.castonce_verify(small, 1), verifiers.castonce_verify(large, 1)))
        library.append(cpu_seconds(lambda: verify_all(poll, many)))
    added, raw = len(many.ballots) - FEW, large.read_bytes()
    return Each(
        answers=len(poll.election.questions[0].answers),
        belenios_ms=beyond_start_ms(theirs, added),
        castonce_ms=beyond_start_ms(ours, added),
        library_ms=min(library) * 1e3 / len(many.ballots),
        seal_ms=voted.seal_seconds * 1e3 / len(voted.ballots),
        tally_ms=least_ms(lambda: tally_all(poll, many), plan, many),
        write_ms=least_ms(lambda: write_all(poll, many), plan, many),
        read_ms=least_ms(lambda: archive.read(raw), plan, many),
    )


def whole_archive(poll: Poll, voted: Voted, plan: Plan, folder: Path, cores: int) -> Whole:
    """Both programs over one archive, in turn."""
    path = put(poll, voted, folder)
    found = Whole(ballots=len(voted.ballots), belenios=[], one_job=[], all_jobs=[])
    for _ in range(plan.archive_rounds):
        found.belenios.append(verifiers.belenios_tool(path))
        found.all_jobs.append(verifiers.castonce_verify(path, cores))
        found.one_job.append(verifiers.castonce_verify(path, 1))
    return found


def put(poll: Poll, voted: Voted, folder: Path) -> Path:
    """Write a whole archive into a folder of its own."""
    uuid, count = poll.election.uuid, len(voted.ballots)
    path = folder / f"{uuid}-{count}" / f"{uuid}.bel"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(elections.whole(poll, voted))
    return path


def verify_all(poll: Poll, voted: Voted) -> None:
    """Each ballot as the arbiter checks it."""
    for raw in voted.ballots:
        ballot.verify(poll.election, raw)


def tally_all(poll: Poll, voted: Voted) -> None:
    """Add the ballots up, still sealed."""
    tally.add(poll.election, tally.nothing(poll.election), voted.ballots)


def write_all(poll: Poll, voted: Voted) -> None:
    """Make what the archive has of each ballot, its event included."""
    writer = ArchiveWriter(State(uuid=poll.election.uuid, stage="open", height=1))
    for raw in voted.ballots:
        writer.ballot(raw)


def cpu_seconds(work: Callable[[], object]) -> float:
    """What this process used for it."""
    began = time.process_time()
    work()
    return time.process_time() - began


def least_ms(work: Callable[[], object], plan: Plan, voted: Voted) -> float:
    """The least of several runs, a ballot."""
    seconds = min(cpu_seconds(work) for _ in range(plan.verify_rounds))
    return seconds * 1e3 / len(voted.ballots)


def beyond_start_ms(runs: Sequence[tuple[Ran, Ran]], added: int) -> float:
    """CPU of one of the `added` ballots that the second run of each pair has more."""
    few, many = (min(run.cpu_seconds for run in side) for side in zip(*runs, strict=True))
    return (many - few) * 1e3 / added


def tell_each(report: Report, each: Each) -> None:
    """The rows of one ballot."""
    name = f"verify, {each.answers} answers"
    for program, value in (
        ("belenios-tool", each.belenios_ms),
        ("castonce-verify --jobs 1", each.castonce_ms),
        ("ballots.ballot.verify", each.library_ms),
    ):
        reached = figures.ratio(each.belenios_ms, value)
        report.add(Row(name=f"{name}: {program}", value=value, unit="ms CPU"))
        if program != "belenios-tool":
            target = Target("at least", PER_CORE)
            words = f"{name}: belenios-tool to {program.partition(' ')[0]}"
            report.add(Row(name=words, value=reached, unit="times", target=target))
    for what, value in (
        ("seal", each.seal_ms),
        ("add to the encrypted tally", each.tally_ms),
        ("write to the archive", each.write_ms),
        ("read from the archive", each.read_ms),
    ):
        share = figures.ratio(value, each.library_ms)
        detail = f"{figures.number(share)} of ballots.ballot.verify"
        row = Row(name=f"{each.answers} answers: {what}", value=value, unit="ms CPU", detail=detail)
        report.add(row)


def tell_whole(report: Report, whole: Whole, cores: int) -> None:
    """The rows of one archive; what is compared is the clock, start and tally included."""
    name = f"archive of {whole.ballots:,}"
    sides = {"belenios-tool": whole.belenios, "castonce-verify": whole.all_jobs}
    for program, runs in sides.items():
        best = min(runs, key=lambda run: run.wall_seconds)
        kept = figures.ratio(best.cpu_seconds, best.wall_seconds)
        detail = f"CPU {figures.number(best.cpu_seconds)} s: {figures.number(kept)} cores"
        value, words = best.wall_seconds, f"{name}: {program}"
        report.add(Row(name=words, value=value, unit="s", detail=detail))
    clocks = [min(run.wall_seconds for run in runs) for runs in sides.values()]
    reached = figures.ratio(*clocks)
    target = Target("at least", ALL_CORES) if cores == 2 else None
    words = f"{name}: belenios-tool to castonce-verify, {cores} cores"
    report.add(Row(name=words, value=reached, unit="times", target=target))
    used = [min(run.cpu_seconds for run in runs) for runs in (whole.belenios, whole.one_job)]
    words = f"{name}: CPU, belenios-tool to one process"
    report.add(Row(name=words, value=figures.ratio(*used), unit="times"))
