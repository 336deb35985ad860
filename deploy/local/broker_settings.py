"""The settings of the one local broker, as text for Kafka's `server.properties`.

Anything that an election's law depends on (flushing, retention, stamps) is set per topic by code,
not here.
"""

from __future__ import annotations

import base64
import subprocess
import uuid
from pathlib import Path

from deploy.local.errors import DidNotStart
from deploy.local.java import Java

MAX_RECORD_BYTES = 1024 * 1024
HEAP = "512m"


def server_properties(data: Path, port: int, controller_port: int) -> str:
    """The settings of a node that is broker and controller, listening on 127.0.0.1 only."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": str(data),
        **_SAFETY,
        **_ONE_BROKER,
        **_QUICK,
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


_SAFETY = {
    "auto.create.topics.enable": "false",
    "unclean.leader.election.enable": "false",
    "message.max.bytes": str(MAX_RECORD_BYTES),
    "log.retention.hours": "168",
}
_ONE_BROKER = {
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "3",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
}
_QUICK = {
    # A killed broker is fenced, and let back in, after this time: 5 s to serve again instead of 12.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "controller.quorum.election.timeout.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "num.recovery.threads.per.data.dir": "2",
    "num.network.threads": "2",
    "num.io.threads": "4",
}

LOG4J = """\
status = warn
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5p %c{1} %m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
"""


def java_flags(log4j: Path) -> list[str]:
    """Flags that every start of the broker gets, ahead-of-time cache aside."""
    return [
        f"-Xms{HEAP}",
        f"-Xmx{HEAP}",
        "-XX:+UseG1GC",
        "-XX:MaxGCPauseMillis=20",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={log4j}",
    ]


def format_storage(runtime: Java, cache_flags: list[str], classpath: str, settings: Path) -> None:
    """Give an empty data folder its cluster id; raises DidNotStart with Kafka's own words."""
    log4j = settings.with_name("log4j2.properties")
    command = [str(runtime.path), *java_flags(log4j), *cache_flags, "-cp", classpath]
    command += ["kafka.tools.StorageTool", "format", "-t", _new_cluster_id(), "-c", str(settings)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-1000:]
        raise DidNotStart(f"Kafka's storage can't be formatted: {said}", "Run castonce doctor.")


def _new_cluster_id() -> str:
    """A uuid as Kafka writes it; never one whose first sign reads as an option."""
    return "C" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
