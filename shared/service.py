"""The life of a service's process: start politely, say whether it is ready, stop in order.

Promises that a task which ends by itself ends the process with its reason in the log, that SIGTERM
lets running requests finish, and that what was opened is closed in reverse order.

    async def main() -> None:                                   # services/<name>/app.py
        settings = load(VotesSettings, os.environ)
        async with Service("votes", settings) as service:       # /livez answers from here on
            pool = await service.wait_for("PostgreSQL", lambda: connect(settings, size=4))
            service.on_stop("pool", pool.close)
            stream = Stream(...)
            service.add_task("stream", stream.run())
            service.add_check("stream", stream.status)           # None, or why it isn't ready
            service.add_api(api.app())                           # listens on api_port
            await service.run_until_stopped()

    run(main)                                                    # services/<name>/__main__.py
"""

import asyncio
import gc
import inspect
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from types import TracebackType
from typing import Any, NoReturn, Self, TypeVar

import uvloop
from aiohttp import web
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError
from asyncpg import CannotConnectNowError, PostgresConnectionError

from shared.config import ProcessSettings
from shared.errors import CastonceError, NotNow
from shared.http import admin, server
from shared.logs import configure, get_logger

T = TypeVar("T")
Check = Callable[[], str | Awaitable[str | None] | None]
"""None when all is well, else the reason in a few words."""

RETRY_SECONDS = 2.0
CHECK_SECONDS = 2.0
"""A check that takes longer has failed."""
YOUNG_OBJECTS = 20_000
"""New containers between two collections of the youngest generation."""
STOP_SECONDS = 15.0
"""How long one task or one thing to close may take before it is left behind, with a log line."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)

AWAY = (
    OSError,
    TimeoutError,
    NotNow,
    CannotConnectNowError,
    PostgresConnectionError,
    KafkaConnectionError,
    KafkaTimeoutError,
    NodeNotReadyError,
)
"""Errors of a part that is away and may come back; any other one ends the start."""

log = get_logger()


class TaskEnded(CastonceError):
    """A task that runs as long as the service does has ended."""

    code = "task_ended"


class StoppedAtStart(CastonceError):
    """The service was told to stop before it was ready."""

    code = "stopped_at_start"


class Service:
    """One process: its tasks, its checks, its API, and how it stops."""

    def __init__(self, name: str, settings: ProcessSettings) -> None:
        self.name = name
        self.settings = settings
        self.stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []
        self._checks: dict[str, Check] = {}
        self._apis: list[web.Application] = []
        self._sites: list[server.Site] = []
        self._closers: list[tuple[str, Callable[[], Awaitable[Any]]]] = []
        self._waits_for: str | None = "the start"

    async def __aenter__(self) -> Self:
        configure(self.name, self.settings.instance, self.settings.log_level)
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.stopping.set)
        self._admin = await admin.serve(self.settings, self.readiness)
        log.info("started", pid=os.getpid(), admin_port=self._admin.port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stopping.set()
        await self._stop()
        for number in _SIGNALS:
            asyncio.get_running_loop().remove_signal_handler(number)
        log.info("stopped")

    def add_task(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Run this as long as the service runs; if it ends, the service ends."""
        self._tasks.append(asyncio.create_task(work, name=name))

    def add_check(self, name: str, check: Check) -> None:
        """Ask this at /readyz: None when all is well, else the reason; may be async."""
        self._checks[name] = check

    def add_api(self, app: web.Application) -> None:
        """Listen on the API port once the service runs."""
        self._apis.append(app)

    def on_stop(self, name: str, close: Callable[[], Awaitable[Any]]) -> None:
        """Close this when the service stops: the last one opened first, after all tasks."""
        self._closers.append((name, close))

    async def wait_for(self, what: str, attempt: Callable[[], Awaitable[T]]) -> T:
        """The outcome of `attempt`, tried again while `what` is away (AWAY).

        Raises StoppedAtStart when the service is told to stop meanwhile, and any other error.
        """
        self._waits_for = what
        while True:
            try:
                outcome = await self._or_stop(attempt())
            except AWAY as error:
                reason = f"{type(error).__name__}: {error}"
                log.warning("waiting", part=what, reason=reason, retry_seconds=RETRY_SECONDS)
            else:
                self._waits_for = "the start"
                return outcome
            await self._or_stop(asyncio.sleep(RETRY_SECONDS))

    async def readiness(self) -> dict[str, str | None]:
        """Every check with the reason why it fails, or None."""
        if self.stopping.is_set():
            return {"running": "stopping"}
        if self._waits_for:
            return {"running": f"waiting for {self._waits_for}"}
        names = list(self._checks)
        reasons = await asyncio.gather(*(self._ask(self._checks[name]) for name in names))
        return {"running": None, **dict(zip(names, reasons, strict=True))}

    async def run_until_stopped(self) -> None:
        """Serve until SIGTERM or SIGINT; raises TaskEnded when a task ends first."""
        for app in self._apis:
            site = await server.serve(app, self.settings.host, self.settings.api_port)
            self._sites.append(site)
            log.info("listening", port=site.port)
        self._waits_for = None
        spare_collections()
        stopped = asyncio.create_task(self.stopping.wait())
        await asyncio.wait([stopped, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        self._require_all_running()

    @property
    def ports(self) -> list[int]:
        """Where the APIs listen."""
        return [site.port for site in self._sites]

    @property
    def admin_port(self) -> int:
        """Where the probes answer."""
        return self._admin.port

    def _require_all_running(self) -> None:
        for task in self._tasks:
            if task.done():
                error = None if task.cancelled() else task.exception()
                reason = f"{type(error).__name__}: {error}" if error else "it returned"
                raise TaskEnded(f"The task {task.get_name()} ended: {reason}") from error

    async def _ask(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                answer = check()
                return await answer if inspect.isawaitable(answer) else answer
        except TimeoutError:
            return f"no answer within {CHECK_SECONDS:.0f} s"
        except Exception as error:  # noqa: BLE001  (a check that fails is the answer)
            return f"{type(error).__name__}: {error}"

    async def _or_stop(self, work: Awaitable[T]) -> T:
        task = asyncio.ensure_future(work)
        stopped = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
        if not task.done():
            task.cancel()
            raise StoppedAtStart()
        return task.result()

    async def _stop(self) -> None:
        for site in self._sites:
            await self._within("api", site.stop())
        for task in reversed(self._tasks):
            task.cancel()
            await self._within(task.get_name(), asyncio.wait([task]))
        for name, close in reversed(self._closers):
            await self._within(name, close())
        await self._within("admin", self._admin.stop())

    async def _within(self, name: str, work: Awaitable[Any]) -> None:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await work
        except Exception:
            log.exception("did_not_stop", part=name)


def spare_collections() -> None:
    """Leave what lives as long as the process out of garbage collection, and collect less often.

    Requests and records make many short-lived objects and hardly a cycle: collecting after every
    700 of them, as Python does, was a tenth of what a vote costs here.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> NoReturn:
    """Run a service to its end; the exit status is 0 after a clean stop, else 1 with the reason."""
    try:
        uvloop.run(main())
    except StoppedAtStart:
        sys.exit(0)
    except Exception as error:
        if not isinstance(error, CastonceError) or isinstance(error, TaskEnded):
            log.exception("died", reason=f"{type(error).__name__}: {error}")
        else:
            log.error("died", reason=str(error))  # noqa: TRY400  (the sentence says it all)
        sys.exit(1)
    sys.exit(0)
