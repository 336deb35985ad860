"""The whole system on a Kafka and a PostgreSQL of its own, every service a process.

Promises that a test finds all services ready and leaves them so, and that nothing is left running.
It has a home of its own, since tests of single services play their neighbours on the shared one.
"""

import http.client
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from cli.rehearsal import people
from cli.rehearsal.offices import Officers
from deploy.local import ports, processes, readiness, services
from deploy.local.home import Home
from deploy.local.ports import LOOPBACK
from deploy.local.stack import Stack
from shared.config import ProcessSettings
from tests.journeys.patience import PatientApi

FIRST_BASE, BASES = 16_000, 40
START_SECONDS = 90.0


class Whole:
    """The running system, and who works in it."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.extra: dict[str, str] = {}
        """Settings that every service is started with, beside its own."""
        self._folder = folder
        self._folders = 0

    @property
    def gateway(self) -> str:
        """Where voters knock."""
        return f"http://{LOOPBACK}:{self.stack.ports.api('gateway')}"

    @property
    def names(self) -> tuple[str, ...]:
        """The services of this checkout."""
        return services.present()

    @property
    def officers(self) -> Officers:
        """Two officers and two clerks, who repeat what isn't answered."""
        tokens = people.tokens(self.stack.home)

        def api(service: str, who: str) -> PatientApi:
            address = f"http://{LOOPBACK}:{self.stack.ports.api(service)}"
            return PatientApi(address, tokens[who], timeout_seconds=60)

        return Officers(
            elections=api("elections", "officer"),
            codes=api("codes", "officer"),
            identity=(api("identity", "officer"), api("identity", "second-officer")),
            postal=(api("postal", "clerk"), api("postal", "second-clerk")),
            voiding=(api("postal", "officer"), api("postal", "second-officer")),
        )

    def new_folder(self) -> Path:
        """A name for a folder that isn't there yet, for an election's offline files."""
        self._folders += 1
        return self._folder / f"offline-{self._folders}"

    def up(self, *names: str) -> None:
        """Start these services (all by default) side by side; return when each is ready."""
        wanted = names or self.names
        for name in wanted:
            self.stack.start_service(name, self.extra, is_awaited=False)
        for name in wanted:
            self.await_ready(name)

    def await_ready(self, name: str) -> None:
        """Return when the service is ready; raises DidNotStart with its last words."""
        port = self.stack.ports.admin(name)
        processes.wait_until(
            lambda: readiness.is_ready(port),
            self.stack.service_pid_file(name),
            self.stack.service_log(name),
            START_SECONDS,
        )

    def is_running(self, name: str) -> bool:
        """Whether the process lives, ready or not."""
        return self.stack.service_pid_file(name).running() is not None

    def reasons(self, name: str) -> dict[str, str]:
        """What /readyz of a service complains of, by check; empty when it is ready."""
        body = self.readyz(name)
        return {check: said["reason"] for check, said in body.items() if said["reason"]}

    def readyz(self, name: str) -> dict[str, Any]:
        """The checks that /readyz shows."""
        connection = http.client.HTTPConnection(LOOPBACK, self.stack.ports.admin(name), timeout=10)
        try:
            connection.request("GET", "/readyz")
            raw = connection.getresponse().read()
        finally:
            connection.close()
        return dict(msgspec.json.decode(raw)["checks"])

    def reading(self, instance: str) -> ProcessSettings:
        """Settings for a test that reads topics beside the services."""
        return ProcessSettings(
            instance=instance,
            kafka=self.stack.kafka_address,
            admin_port=0,
            secrets_dir=self.stack.home.root,
            trust_dir=self.stack.home.trust,
        )


@contextmanager
def whole_system(folder: Path, extra: Mapping[str, str] | None = None) -> Iterator[Whole]:
    """Everything up, with `extra` settings for each service; everything down in the end."""
    base = ports.free_base(start=FIRST_BASE + os.getpid() % BASES * ports.SPAN)
    home = Home.locate(folder / "home")
    stack = Stack(home, ports.load(home, base))
    whole = Whole(stack, folder)
    whole.extra.update(extra or {})
    try:
        stack.start_infrastructure()
        whole.up()
        yield whole
    finally:
        stack.stop()
