"""The local broker: one Kafka node that is its own controller, on 127.0.0.1.

Promises that `start` returns only when the broker serves requests, that `stop` lets it write what
it holds, and that a start after a stop or a kill finds the same log. Topics are not its business.
"""

from __future__ import annotations

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.local import ahead_of_time, broker_settings, jars, java, ports
from deploy.local.home import Home
from deploy.local.processes import PidFile, kill, start_detached, stop, wait_until

START_LIMIT_SECONDS = 60
STOP_GRACE_SECONDS = 20  # a broker that spins in its raft thread ignores TERM; then it is killed


@dataclass(frozen=True)
class Broker:
    """The broker of one home."""

    home: Home
    ports: ports.Ports

    @property
    def address(self) -> str:
        return f"{ports.LOOPBACK}:{self.ports.of('kafka')}"

    @property
    def log(self) -> Path:
        return self.home.logs / "kafka.log"

    @property
    def pid_file(self) -> PidFile:
        return PidFile(self.home.run / "kafka.pid")

    @property
    def is_running(self) -> bool:
        return self.pid_file.running() is not None

    def start(self) -> None:
        """Serve when this returns; harmless if the broker runs already."""
        if not self.is_running:
            wanted = {"kafka": self.ports.of("kafka")}
            wanted["kafka's controller"] = self.ports.of("kafka-controller")
            ports.require_free(self.ports, wanted)
            self._launch()
        wait_until(self.serves, self.pid_file, self.log, START_LIMIT_SECONDS)

    def _launch(self) -> None:
        runtime, classpath = java.find(), jars.classpath(self.home)
        settings = self._write_settings()
        quick = ahead_of_time.flags(self.home, classpath, runtime)
        if not (self._data / "meta.properties").exists():
            broker_settings.format_storage(runtime, quick, classpath, settings)
        flags = broker_settings.java_flags(settings.with_name("log4j2.properties"))
        command = [str(runtime.path), *flags, *quick, "-cp", classpath]
        command += ["kafka.Kafka", str(settings)]
        start_detached(command, self.log, self.pid_file, _environment())

    @property
    def _data(self) -> Path:
        return self.home.kafka / "data"

    def _write_settings(self) -> Path:
        path = self.home.kafka / "server.properties"
        own, controller = self.ports.of("kafka"), self.ports.of("kafka-controller")
        path.write_text(broker_settings.server_properties(self._data, own, controller))
        path.with_name("log4j2.properties").write_text(broker_settings.LOG4J)
        return path

    def serves(self) -> bool:
        """Whether the broker answers a metadata request and names itself as alive."""
        if not ports.accepts(self.ports.of("kafka")):
            return False
        with ThreadPoolExecutor(1) as own_loop:  # the caller may run inside a loop already
            return own_loop.submit(lambda: asyncio.run(_names_a_broker(self.address))).result()

    def stop(self) -> bool:
        """End the broker in good order; False if it was not running."""
        return stop(self.pid_file, signal.SIGTERM, STOP_GRACE_SECONDS)

    def kill(self) -> None:
        """End the broker at once, as a crash would."""
        kill(self.pid_file)


async def _names_a_broker(address: str) -> bool:
    client = AIOKafkaAdminClient(bootstrap_servers=address, request_timeout_ms=2000)
    try:
        await client.start()
        return bool((await client.describe_cluster())["brokers"])
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()


def _environment() -> dict[str, str]:
    """What Java needs of ours; the rest, which may hold secrets, stays out of the process."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ}
