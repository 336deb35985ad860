"""Start the supervisor as a daemon, or find that it runs already, and wait for its services."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from deploy.local import processes, readiness, services, states
from deploy.local.errors import DidNotStart
from deploy.local.stack import Stack

READY_LIMIT_SECONDS = 60
DEATHS_TOLERATED = 2  # a service may lose a race at its start; a third death is a fault
POLL_SECONDS = 0.1


def ensure(stack: Stack, names: Sequence[str], tell: Callable[[str], None]) -> None:
    """Return when all named services are ready; `tell` hears each one's name as it gets there.

    Harmless if they are watched already; a daemon that watches others is replaced by one for all.
    Raises DidNotStart with the last words of a service that keeps dying.
    """
    watched = {one.name for one in states.read(stack.home)} if is_running(stack) else set()
    if not set(names) <= watched:
        _launch(stack, [name for name in services.ALL if name in {*names, *watched}])
    _wait_until_ready(stack, names, tell)


def is_running(stack: Stack) -> bool:
    """Whether a supervisor of this home runs, as a daemon or in some terminal."""
    return stack.supervisor_pid_file.running() is not None


def _launch(stack: Stack, names: Sequence[str]) -> None:
    clear(stack)
    for name in names:
        readiness.require_free_ports(stack.ports, services.spec(stack.home, stack.ports, name))
    command = [sys.executable, "-m", "deploy.local.supervisor", str(stack.home.root), *names]
    processes.start_detached(
        command,
        stack.home.logs / "supervisor.log",
        stack.supervisor_pid_file,
        services.supervisor_environment(stack.home),
    )


def clear(stack: Stack) -> None:
    """End a supervisor that runs, and services that one left behind when it was killed."""
    stack.stop_services()
    states.remove(stack.home)


def _wait_until_ready(stack: Stack, names: Sequence[str], tell: Callable[[str], None]) -> None:
    waiting = set(names)
    deadline = time.monotonic() + READY_LIMIT_SECONDS
    while waiting:
        if not is_running(stack):
            log = stack.home.logs / "supervisor.log"
            raise DidNotStart("The supervisor died.", processes.explain_log(log))
        for one in states.read(stack.home):
            if one.name in waiting and one.state == "ready":
                waiting.remove(one.name)
                tell(one.name)
            elif one.name in waiting and one.deaths > DEATHS_TOLERATED:
                raise _fault(stack, one.name, f"{one.name} keeps dying: it {one.reason}.")
        if time.monotonic() > deadline:
            name = sorted(waiting)[0]
            raise _fault(stack, name, f"{name} is not ready after {READY_LIMIT_SECONDS} s.")
        time.sleep(POLL_SECONDS)


def _fault(stack: Stack, service: str, problem: str) -> DidNotStart:
    return DidNotStart(problem, processes.explain_log(stack.service_log(service)))
