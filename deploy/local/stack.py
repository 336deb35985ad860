"""The whole local stack as one object: for the command line, and for tests that break things.

Kafka and PostgreSQL are processes that outlive whoever started them; services started here are too.
(`supervisor` is the one that watches services.) All calls block; inside an event loop use a thread.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import signal
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from deploy.local import keys, processes, provision, readiness, services
from deploy.local.errors import StackError
from deploy.local.home import CHECKOUT, Home
from deploy.local.kafka import Broker
from deploy.local.ports import Ports, load
from deploy.local.postgres import Server
from deploy.local.processes import PidFile

INFRASTRUCTURE = ("kafka", "postgres")
SERVICE_STOP_GRACE_SECONDS = 15
SUPERVISOR_STOP_GRACE_SECONDS = SERVICE_STOP_GRACE_SECONDS + 10


class Stack:
    """One home's Kafka, PostgreSQL and services."""

    def __init__(self, home: Home, ports: Ports | None = None) -> None:
        self.home = home
        self.ports = ports or load(home)
        self.broker = Broker(home, self.ports)
        self.server = Server(home, self.ports)

    @property
    def kafka_address(self) -> str:
        """host:port of the broker."""
        return self.broker.address

    def database_url(
        self,
        service: str,
        role: Literal["app", "owner", "reader"] = "app",
        database: str | None = None,
    ) -> str:
        """The address of a service's database, with the password of that role in it."""
        return provision.database_url(self.server, service, f"{service}_{role}", database)

    def add_database(self, service: str, suffix: str) -> str:
        """Make one more database for a service, empty and migrated; its name."""
        return provision.add_database(self.server, service, suffix)

    def drop_database(self, database: str) -> None:
        """Remove a database that `add_database` made."""
        provision.drop_database(self.server, database)

    def start(self, only: Iterable[str] | None = None) -> None:
        """Start the named parts (`kafka`, `postgres`, services; default all) and what they need.

        Harmless for parts that run. Raises StackError naming the part and the fix.
        """
        wanted = self.parts(only)
        self.start_infrastructure([part for part in wanted if part in INFRASTRUCTURE])
        for service in wanted:
            if service not in INFRASTRUCTURE:
                self.start_service(service)

    def parts(self, only: Iterable[str] | None = None) -> list[str]:
        """The parts asked for, in starting order; raises StackError for a name nobody has."""
        every = [*INFRASTRUCTURE, *services.present()]
        chosen = every if only is None else [*only]
        for part in chosen:
            if part not in every:
                raise StackError(
                    f"There is no part named {part!r}.", f"Choose from {', '.join(every)}."
                )
        return [part for part in every if part in chosen]

    def start_infrastructure(self, parts: Iterable[str] = INFRASTRUCTURE) -> None:
        """Start Kafka and PostgreSQL side by side, then make topics, databases, roles and keys."""
        self.home.ensure()
        keys.ensure(self.home)
        work: dict[str, Callable[[], None]] = {
            "kafka": self.start_kafka,
            "postgres": self._start_postgres_with_databases,
        }
        with ThreadPoolExecutor(2) as pool:
            for job in [pool.submit(work[part]) for part in parts]:
                job.result()

    def _start_postgres_with_databases(self) -> None:
        self.start_postgres()
        provision.databases(self.server, services.WITH_DATABASE)

    def start_kafka(self) -> None:
        """Return when the broker serves and every topic of ours is there."""
        self.broker.start()
        ensure_topics(self.kafka_address)

    def kill_kafka(self) -> None:
        """SIGKILL; the log stays as it was at that moment."""
        self.broker.kill()

    def start_postgres(self) -> None:
        """Return when PostgreSQL answers queries."""
        self.server.start()

    def kill_postgres(self) -> None:
        """SIGKILL to the server and all its children."""
        self.server.kill()

    @property
    def supervisor_pid_file(self) -> PidFile:
        return PidFile(self.home.run / "supervisor.pid")

    def service_pid_file(self, service: str) -> PidFile:
        return PidFile(self.home.run / f"{service}.pid")

    def service_log(self, service: str) -> Path:
        return self.home.logs / f"{service}.log"

    def start_service(
        self,
        service: str,
        extra: Mapping[str, str] | None = None,
        limit_seconds: float = 30,
        is_awaited: bool = True,
    ) -> None:
        """Start one service and, unless told otherwise, return when it is ready.

        `extra` settings are added to its environment. Harmless if it runs already.
        """
        pid_file, log = self.service_pid_file(service), self.service_log(service)
        spec = services.spec(self.home, self.ports, service, extra)
        if pid_file.running() is None:
            readiness.require_free_ports(self.ports, spec)
            processes.start_detached(spec.argv, log, pid_file, spec.environment)
        if is_awaited:
            processes.wait_until(
                lambda: readiness.is_ready(spec.admin_port), pid_file, log, limit_seconds
            )

    def kill_service(self, service: str, with_signal: int = signal.SIGKILL) -> None:
        """Send a signal to one service; after SIGKILL it is gone when this returns."""
        processes.kill(self.service_pid_file(service), with_signal)

    def stop_service(self, service: str) -> bool:
        """Ask one service to end, and see that it does; False if it was not running."""
        pid_file = self.service_pid_file(service)
        return processes.stop(pid_file, signal.SIGTERM, SERVICE_STOP_GRACE_SECONDS)

    def stop(self) -> list[str]:
        """Stop services, then Kafka, then PostgreSQL; the names of those that were running."""
        stopped = self.stop_services()
        for name, part in (("kafka", self.broker), ("postgres", self.server)):
            if part.stop():
                stopped.append(name)
        return stopped

    def stop_services(self) -> list[str]:
        """Stop the supervisor, which stops its services, and services without one."""
        running = [name for name in services.ALL if self.service_pid_file(name).running()]
        processes.stop(self.supervisor_pid_file, signal.SIGTERM, SUPERVISOR_STOP_GRACE_SECONDS)
        with ThreadPoolExecutor(len(services.ALL)) as pool:
            list(pool.map(self.stop_service, services.ALL))
        return running


def ensure_topics(address: str) -> None:
    """Create the topics that the contracts name, where the checkout has that code."""
    if not (CHECKOUT / "shared" / "kafka" / "topics.py").exists():
        return
    topics = importlib.import_module("shared.kafka.topics")
    with ThreadPoolExecutor(1) as own_loop:  # the caller may run inside an event loop already
        own_loop.submit(_run, topics.ensure, address).result()


def _run(ensure: Callable[[str], object], address: str) -> None:
    async def wait() -> None:
        outcome = ensure(address)
        if inspect.isawaitable(outcome):
            await outcome

    asyncio.run(wait())
