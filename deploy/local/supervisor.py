"""Keeps services running as separate processes: starts, watches, explains, restarts, stops them.

Promises that every death is reported with its reason and last words, that a service that dies is
started again after a growing pause, and that on SIGTERM or SIGINT all of them are ended, by force
only after a grace. Run as a module (`python -m deploy.local.supervisor HOME SERVICE...`) it is the
daemon behind `castonce up`; the states it writes are what `castonce status` shows.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.local import processes, readiness, services, states, watchdog
from deploy.local.errors import DidNotStart
from deploy.local.home import CHECKOUT, Home
from deploy.local.services import ServiceSpec
from deploy.local.stack import SERVICE_STOP_GRACE_SECONDS, Stack

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
SETTLED_SECONDS = 60.0  # a service that ran this long starts over with the first pause
READY_POLL_SECONDS = 0.1
LONGEST_LINE_BYTES = 1024 * 1024

Show = Callable[[str, str], None]  # the service's name (or `castonce`) and one line of text


class Supervisor:
    """Watches the services of one stack until it is told to stop."""

    def __init__(
        self,
        stack: Stack,
        specs: Sequence[ServiceSpec],
        show: Show,
        grace_seconds: float = SERVICE_STOP_GRACE_SECONDS,
    ) -> None:
        self._stack = stack
        self._specs = specs
        self._show = show
        self._grace_seconds = grace_seconds
        self._stopping = asyncio.Event()
        self._board = states.Board(stack.home, [spec.name for spec in specs])

    def stop(self) -> None:
        """Ask `run` to end all services and return."""
        self._stopping.set()

    async def run(self) -> None:
        """Keep the services up until `stop` is called or SIGTERM or SIGINT arrives."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        async with asyncio.TaskGroup() as tasks:
            for spec in self._specs:
                tasks.create_task(self._keep(spec))
            tasks.create_task(watchdog.watch(self._stack, self._stopping, self._say))
        self._board.remove()

    def _say(self, text: str) -> None:
        self._show("castonce", text)

    async def _keep(self, spec: ServiceSpec) -> None:
        """One service's life: start it, wait for its death, explain, pause, again."""
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            began = time.monotonic()
            reason = await self._live_once(spec)
            if self._stopping.is_set():
                return
            if time.monotonic() - began > SETTLED_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._board.set(spec.name, "died", reason)
            self._say(f"{spec.name} {reason}; it is started again in {pause:g} s")
            await watchdog.is_set_within(self._stopping, pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _live_once(self, spec: ServiceSpec) -> str:
        """Run the service to its end and return why it ended, in words."""
        self._board.set(spec.name, "starting")
        process = await asyncio.create_subprocess_exec(
            *spec.argv,
            env=dict(spec.environment),
            cwd=CHECKOUT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=STDOUT,
            limit=LONGEST_LINE_BYTES,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop it in good order
        )
        pid_file = self._stack.service_pid_file(spec.name)
        with contextlib.suppress(DidNotStart):  # it died at once: that is explained below
            pid_file.write(process.pid)
        last: deque[str] = deque(maxlen=processes.LAST_LINES)
        announcing = asyncio.create_task(self._announce_ready(spec))
        ending = asyncio.create_task(self._end_when_stopping(process))
        try:
            await self._copy_log(process, spec.name, last)
            code = await process.wait()
        finally:
            announcing.cancel()
            ending.cancel()
            pid_file.remove()
        if not self._stopping.is_set():
            for line in last:
                self._say(f"{spec.name} | {line}")
        return explain_exit(code)

    async def _announce_ready(self, spec: ServiceSpec) -> None:
        while not await watchdog.is_set_within(self._stopping, READY_POLL_SECONDS):
            if await asyncio.to_thread(readiness.is_ready, spec.admin_port):
                self._board.set(spec.name, "ready")
                self._say(f"{spec.name} is ready")
                return

    async def _end_when_stopping(self, process: Process) -> None:
        await self._stopping.wait()
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            await asyncio.sleep(self._grace_seconds)
            process.kill()

    async def _copy_log(self, process: Process, name: str, last: deque[str]) -> None:
        """Write each line to the service's log and show it; returns when the service closes it."""
        assert process.stdout is not None  # noqa: S101 - asked for with PIPE
        path = self._stack.service_log(name)
        processes.rotate(path)
        with path.open("ab", buffering=0) as log:
            while raw := await process.stdout.readline():
                log.write(raw)
                text = raw.decode(errors="replace").rstrip()
                last.append(text)
                self._show(name, text)


def explain_exit(code: int) -> str:
    """Why a process ended, in words: its exit code, or the name of the signal that ended it."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _print(name: str, text: str) -> None:
    if name == "castonce":  # each service's own lines are in its log already
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """The daemon: watch the named services of the home until SIGTERM."""
    stack = Stack(Home.locate(Path(arguments[0])))
    specs = [services.spec(stack.home, stack.ports, name) for name in arguments[1:]]

    async def watch() -> None:
        await Supervisor(stack, specs, _print).run()

    asyncio.run(watch())


if __name__ == "__main__":
    main(sys.argv[1:])
