"""`make mutation`: ends with status 0 if every change was noticed or is listed with its reason."""

import argparse
import os
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import castonce_verifier
import pytest

from tests.verifier.idle_checks import survivors
from tests.verifier.idle_checks.operators import Mutant, mutants
from tests.verifier.idle_checks.trials import Outcome, Trials

PACKAGE: Final = Path(castonce_verifier.__file__).parent
TESTS: Final = Path(__file__).parents[1]
LISTED: Final = TESTS / "survivors.toml"
NICENESS: Final = 10
# Only shares work out: its changes make it slower, or end what test_crew.py holds against it.
WITHOUT_CHECKS: Final = ("crew.py",)
NOT_OF_THE_VERIFIER: Final = ("test_idle_checks.py", "test_independence.py")
# Without the plugin that prints, and without what this adds to a session.
OPTIONS: Final = ("-p", "no:terminal", "-p", "no:cacheprovider", "-o", "addopts=")


def main(arguments: Sequence[str]) -> int:
    """Try the changes that the arguments ask for, and tell what survives."""
    options = _options(arguments)
    os.nice(NICENESS)
    chosen = _chosen(options)
    reasons = survivors.read(LISTED)
    say(f"{len(chosen)} changes of the verifier: each must be noticed by a test")
    say("  first the unchanged package, which takes a minute or two ...")
    tally = _Tally(len(chosen), reasons)
    trials = Trials(PACKAGE, chosen, options.jobs, tally.take)
    selection = ["--import-mode=importlib", "-m", "not long", str(TESTS)]
    left_out = [f"--ignore={TESTS / name}" for name in (*NOT_OF_THE_VERIFIER, *options.without)]
    pytest.main([*OPTIONS, *left_out, *selection], plugins=[trials])
    if tally.done != len(chosen):
        say(f"The unchanged package fails its tests, so nothing can be said: {trials.problem}")
        return 2
    if options.write:
        unlisted = [mutant for mutant in tally.unnoticed if mutant.key not in reasons]
        options.write.write_text("\n".join(map(survivors.as_toml, unlisted)))
    return _verdict(chosen, tally.unnoticed, reasons, is_whole=len(chosen) == len(_every()))


def say(text: str) -> None:
    """A line for whoever waits."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class _Tally:
    """Counts outcomes, and says now and then how far it is."""

    def __init__(self, of: int, reasons: dict[survivors.Key, str]) -> None:
        self.done = 0
        self._reasons = reasons
        self.unnoticed: list[Mutant] = []
        self._of = of
        self._started = time.monotonic()

    def take(self, outcome: Outcome) -> None:
        self.done += 1
        if not outcome.is_noticed:
            self.unnoticed.append(outcome.mutant)
            if outcome.mutant.key not in self._reasons:
                say(f"NOT NOTICED {outcome.mutant}")
        if self.done % 25 == 0 or self.done == self._of:
            minutes = (time.monotonic() - self._started) / 60
            left = f"{self.done} of {self._of}, {len(self.unnoticed)} not noticed"
            say(f"  {left}, {minutes:.0f} min")


def _verdict(
    chosen: Sequence[Mutant],
    unnoticed: Sequence[Mutant],
    reasons: dict[survivors.Key, str],
    *,
    is_whole: bool,
) -> int:
    unlisted = [mutant for mutant in unnoticed if mutant.key not in reasons]
    tried = {mutant.key for mutant in chosen}
    noticed = tried - {mutant.key for mutant in unnoticed}
    stale = [key for key in reasons if key in noticed or (is_whole and key not in tried)]
    for key in stale:
        say(f"LISTED, BUT NOTICED OR GONE {' | '.join(key)}")
    listed = len(unnoticed) - len(unlisted)
    say(f"{len(chosen) - len(unnoticed)} noticed, {listed} listed, {len(unlisted)} not noticed")
    return 1 if unlisted or stale else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make mutation", description=__doc__)
    parser.add_argument("--sample", type=int, help="try so many, drawn by chance")
    parser.add_argument("--seed", type=int, default=1, help="which ones are drawn")
    parser.add_argument("--file", action="append", help="only this file of the package")
    parser.add_argument(
        "--without", action="append", default=[], help="leave out a file of tests (more survive)"
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", type=Path, help="write survivors here, to give reasons")
    return parser.parse_args(arguments)


def _every() -> list[Mutant]:
    paths = [path for path in sorted(PACKAGE.glob("*.py")) if path.name not in WITHOUT_CHECKS]
    return [mutant for path in paths for mutant in mutants(path.name, path.read_text())]


def _chosen(options: argparse.Namespace) -> list[Mutant]:
    chosen = _every()
    if options.file:
        of_these = [one for one in chosen if one.file in options.file]
        chosen = sorted(of_these, key=lambda one: options.file.index(one.file))
    if options.sample is None:
        return chosen
    return random.Random(options.seed).sample(chosen, min(options.sample, len(chosen)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
