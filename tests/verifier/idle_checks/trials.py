"""Runs the verifier's tests on one change after the other, several at a time.

The tests are collected once and run once on the unchanged package, which shows which of them reach
which function. Each trial is then a fork that takes a change and runs the tests that reach it, the
shortest first, until one fails. A trial that takes too long, or too much memory, counts as noticed.
"""

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.verifier.idle_checks.grafting import Place, graft, noting, users
from tests.verifier.idle_checks.operators import Mutant

LIMIT_SECONDS: Final = 1_200
# The longest test takes a quarter of it; what goes on without end is ended by the system.
TEST_CPU_SECONDS: Final = 40.0
MEMORY_BYTES: Final = 4 * 2**30
NOTICED, UNNOTICED = 1, 0


class Outcome(NamedTuple):
    """Whether a test noticed the change."""

    mutant: Mutant
    is_noticed: bool


@dataclass
class _Trial:
    mutant: Mutant
    process: BaseProcess
    ends_at: float = field(default_factory=lambda: time.monotonic() + LIMIT_SECONDS)

    def outcome(self) -> Outcome:
        """Once the process has ended or its time is over."""
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        return Outcome(self.mutant, self.process.exitcode != UNNOTICED)


class Trials:
    """A plugin of pytest that runs its tests on changes instead of running them once."""

    def __init__(
        self,
        package: Path,
        mutants: Sequence[Mutant],
        processes: int,
        tell: Callable[[Outcome], None],
    ) -> None:
        """Nothing runs before pytest has collected the tests; `tell` hears of each outcome."""
        self._package = package
        self._mutants = mutants
        self._processes = processes
        self._tell = tell
        self.problem = ""
        self._failed: list[str] = []
        self._reaching: dict[Place, set[int]] = {}
        self._order: list[int] = []
        self._items: list[pytest.Item] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run everything once, then each change's tests."""
        self._items = session.items
        reached: set[Place] = set()
        with noting(self._package, reached):
            self._run_unchanged(reached)
        if not self.problem:
            for outcome in self._outcomes():
                self._tell(outcome)
        return True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """After a file of tests was imported."""
        if report.failed:
            self.problem = f"{report.nodeid}\n{report.longreprtext}"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """After each step of a test."""
        if report.failed:
            self._failed.append(f"{report.nodeid}\n{report.longreprtext}")

    def _run_unchanged(self, reached: set[Place]) -> None:
        took: dict[int, float] = {}
        for number in range(len(self._items)):
            started = time.monotonic()
            self._run(number, (number + 1) % len(self._items))
            took[number] = time.monotonic() - started
            for place in reached:
                self._reaching.setdefault(place, set()).add(number)
            reached.clear()
        self._order = sorted(took, key=took.__getitem__)
        self.problem = "\n".join([self.problem, *self._failed]).strip()

    def _run(self, number: int, following: int) -> None:
        item = self._items[number]
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=self._items[following])

    def _outcomes(self) -> Iterator[Outcome]:
        waiting = list(self._mutants)[::-1]
        running: list[_Trial] = []
        while waiting or running:
            while waiting and len(running) < self._processes:
                running.append(self._start(waiting.pop()))
            soonest = min(trial.ends_at for trial in running)
            sentinels = [trial.process.sentinel for trial in running]
            wait(sentinels, timeout=max(0.0, soonest - time.monotonic()))
            for trial in list(running):
                if not trial.process.is_alive() or time.monotonic() >= trial.ends_at:
                    running.remove(trial)
                    yield trial.outcome()

    def _start(self, mutant: Mutant) -> _Trial:
        fork = multiprocessing.get_context("fork")
        process = fork.Process(target=self._try, args=(mutant,))
        process.start()
        return _Trial(mutant, process)

    def _try(self, mutant: Mutant) -> None:
        """In a process of its own: end with status 0 only if every test passes."""
        # Tests start processes of their own, which a daemon may not.
        multiprocessing.process.current_process().daemon = False  # type: ignore[attr-defined]
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        try:
            graft(mutant.file, mutant.source)
            numbers = self._tests_of(mutant)
            for number, following in zip(numbers, [*numbers[1:], numbers[0]], strict=True):
                signal.setitimer(signal.ITIMER_PROF, TEST_CPU_SECONDS)
                self._run(number, following)
                if self._failed:
                    os._exit(NOTICED)
        except BaseException:  # noqa: BLE001
            os._exit(NOTICED)
        os._exit(UNNOTICED)

    def _tests_of(self, mutant: Mutant) -> list[int]:
        """Those that reach the changed function; all, if there is none or nothing reaches it."""
        places = {(mutant.file, mutant.function)}
        constant = mutant.was.partition(":")[0]
        if not mutant.function and constant.isidentifier():
            places = users(self._package).get(constant, set())
        reaching = set().union(*(self._reaching.get(place, set()) for place in places))
        return [number for number in self._order if not reaching or number in reaching]
