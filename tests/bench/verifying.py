"""The section `verify`: our verifier and our ballots' code beside belenios-tool, on the same files.

Promises that each figure that is compared comes from the same archives in the same minutes, in
turn. CPU a ballot is what many ballots used beyond few, divided by how many they were more: the
programs' start, and the one tally and decryption, fall away. Figures are medians of rounds, in each
of which the programs take turns: the machine's speed changes within minutes, and less within one.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

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
LARGE = 1000
"""Ballots from which speed is asked for: of fewer, most of the time goes into starting Python."""
SHAPES = (2, 5)


class Round(Struct, frozen=True, kw_only=True):
    """CPU milliseconds of a ballot, by who verified it, all within seconds."""

    belenios_ms: float
    castonce_ms: float
    library_ms: float
    belenios_few_s: float
    """CPU seconds of a whole run over few ballots: the program's start, mostly."""
    castonce_few_s: float


class Each(Struct, frozen=True, kw_only=True):
    """What one ballot costs: verified, round by round, and what else is done with it."""

    answers: int
    rounds: list[Round]
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
    raw = large.read_bytes()
    return Each(
        answers=len(poll.election.questions[0].answers),
        rounds=[one_round(poll, many, small, large) for _ in range(plan.verify_rounds)],
        seal_ms=voted.seal_seconds * 1e3 / len(voted.ballots),
        tally_ms=usual_ms(lambda: tally_all(poll, many), plan, many),
        write_ms=usual_ms(lambda: write_all(poll, many), plan, many),
        read_ms=usual_ms(lambda: archive.read(raw), plan, many),
    )


def one_round(poll: Poll, many: Voted, small: Path, large: Path) -> Round:
    """Both programs over both archives, and our function over the ballots of the larger one."""
    added = len(many.ballots) - FEW
    theirs = verifiers.belenios_tool(small), verifiers.belenios_tool(large)
    ours = verifiers.castonce_verify(small, 1), verifiers.castonce_verify(large, 1)
    return Round(
        belenios_ms=beyond_start_ms(*theirs, added),
        castonce_ms=beyond_start_ms(*ours, added),
        library_ms=cpu_seconds(lambda: verify_all(poll, many)) * 1e3 / len(many.ballots),
        belenios_few_s=theirs[0].cpu_seconds,
        castonce_few_s=ours[0].cpu_seconds,
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


def usual_ms(work: Callable[[], object], plan: Plan, voted: Voted) -> float:
    """The median of several runs, a ballot."""
    seconds = median(cpu_seconds(work) for _ in range(plan.verify_rounds))
    return seconds * 1e3 / len(voted.ballots)


def beyond_start_ms(few: Ran, many: Ran, added: int) -> float:
    """CPU of one of the `added` ballots that the second run has more."""
    return (many.cpu_seconds - few.cpu_seconds) * 1e3 / added


def tell_each(report: Report, each: Each) -> None:
    """The rows of one ballot."""
    name, rounds = f"verify, {each.answers} answers", each.rounds
    theirs = [one.belenios_ms for one in rounds]
    starts = figures.spread([one.belenios_few_s for one in rounds])
    tell_ms(report, f"{name}: belenios-tool", theirs, f"a whole run over {FEW}: {starts} s")
    starts = figures.spread([one.castonce_few_s for one in rounds])
    ours = [one.castonce_ms for one in rounds]
    tell_ms(report, f"{name}: castonce-verify", ours, f"a whole run over {FEW}: {starts} s")
    library = [one.library_ms for one in rounds]
    tell_ms(report, f"{name}: ballots.ballot", library, "no archive, no tally")
    target = Target("at least", PER_CORE)
    for program, used in (("castonce-verify", ours), ("ballots.ballot", library)):
        reached = [figures.ratio(*pair) for pair in zip(theirs, used, strict=True)]
        tell_times(report, f"{name}: {program} to belenios-tool", reached, target)
    for what, value in (
        ("seal", each.seal_ms),
        ("add to the encrypted tally", each.tally_ms),
        ("write to the archive", each.write_ms),
        ("read from the archive", each.read_ms),
    ):
        share = figures.ratio(value, median(library))
        detail = f"{figures.number(share)} of ballots.ballot.verify"
        row = Row(name=f"{each.answers} answers: {what}", value=value, unit="ms CPU", detail=detail)
        report.add(row)


def tell_whole(report: Report, whole: Whole, cores: int) -> None:
    """The rows of one archive; what is compared is the clock, start and tally included."""
    name = f"archive of {whole.ballots:,}"
    for program, runs in (("belenios-tool", whole.belenios), ("castonce-verify", whole.all_jobs)):
        clocks = [run.wall_seconds for run in runs]
        busy = [figures.ratio(run.cpu_seconds, run.wall_seconds) for run in runs]
        detail = f"{figures.spread(clocks)}; cores used {figures.spread(busy)}"
        words = f"{name}: {program}"
        report.add(Row(name=words, value=median(clocks), unit="s", detail=detail))
    pairs = zip(whole.belenios, whole.all_jobs, strict=True)
    reached = [figures.ratio(one.wall_seconds, other.wall_seconds) for one, other in pairs]
    is_asked = cores == 2 and whole.ballots >= LARGE
    target = Target("at least", ALL_CORES) if is_asked else None
    tell_times(report, f"{name}: {cores} processes to belenios-tool", reached, target)
    pairs = zip(whole.belenios, whole.one_job, strict=True)
    used = [figures.ratio(one.cpu_seconds, other.cpu_seconds) for one, other in pairs]
    tell_times(report, f"{name}: one process to belenios-tool, CPU", used, None)


def tell_ms(report: Report, name: str, values: Sequence[float], more: str) -> None:
    """The median of some rounds' milliseconds of CPU."""
    detail = f"{figures.spread(values)}; {more}"
    report.add(Row(name=name, value=median(values), unit="ms CPU", detail=detail))


def tell_times(report: Report, name: str, reached: Sequence[float], target: Target | None) -> None:
    """How many times quicker than belenios-tool, round by round."""
    detail = figures.spread(reached)
    row = Row(name=name, value=median(reached), unit="times", target=target, detail=detail)
    report.add(row)
