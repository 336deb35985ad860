"""The section `verify`: both programs hold what it compares, and its subtraction is right."""

from pathlib import Path

import pytest

from tests.bench import elections, verifiers, verifying
from tests.bench.sections import Report
from tests.bench.verifiers import Ran, VerificationFailed
from tests.bench.verifying import Each, Round


def test_the_start_of_a_program_counts_for_no_ballot() -> None:
    """Two runs of ten and 110 ballots: what the second used more is spread over the hundred."""
    assert verifying.beyond_start_ms(Ran(0.2, 9.0), Ran(0.7, 1.0), 100) == pytest.approx(5.0)


def test_rounds_are_compared_one_by_one() -> None:
    """Where the machine was half as quick in one round, the ratio stays that of the programs."""
    rounds = [
        Round(
            belenios_ms=3.0 * slower,
            castonce_ms=2.0 * slower,
            library_ms=1.0 * slower,
            belenios_few_s=0.1,
            castonce_few_s=0.2,
        )
        for slower in (1, 2, 1)
    ]
    report = Report()
    each = Each(answers=2, rounds=rounds, seal_ms=1, tally_ms=1, write_ms=1, read_ms=1)
    verifying.tell_each(report, each)
    told = {row.name: row.value for row in report.rows}
    assert told["verify, 2 answers: castonce-verify to belenios-tool"] == pytest.approx(1.5)
    assert told["verify, 2 answers: ballots.ballot to belenios-tool"] == pytest.approx(3.0)


@pytest.mark.parametrize("answers", verifying.SHAPES)
def test_both_programs_hold_what_is_measured(tmp_path: Path, answers: int) -> None:
    """An archive of the benchmark is right, and the time of each process is counted."""
    poll = elections.make(answers)
    path = verifying.put(poll, elections.vote(poll, 3), tmp_path)
    runs = [verifiers.belenios_tool(path), verifiers.castonce_verify(path, 2)]
    assert all(run.cpu_seconds > 0 and run.wall_seconds > 0 for run in runs)


def test_no_program_is_timed_giving_up(tmp_path: Path) -> None:
    """A ballot that was changed ends the benchmark instead of making it quicker."""
    poll = elections.make(2)
    voted = elections.vote(poll, 2)
    path = verifying.put(poll, voted, tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(voted.ballots[0], voted.ballots[0][:-3] + b"0}}"))
    assert path.read_bytes() != raw
    with pytest.raises(VerificationFailed):
        verifiers.belenios_tool(path)
    with pytest.raises(VerificationFailed):
        verifiers.castonce_verify(path, 1)
