"""A cache of Kafka's classes, loaded and linked ahead of time, so that the broker starts in 1.5 s.

Made once per Java and class path by starting an empty broker and stopping it (JEP 514). It is only
ever a shortcut: where it is missing or doesn't fit, Java ignores it and the start takes 4 s.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

from deploy.local import broker_settings, java, ports
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.processes import PidFile, start_detached, stop, wait_until

TRAINING_LIMIT_SECONDS = 60
WRITING_LIMIT_SECONDS = 60


def cache_file(home: Home, classpath: str, runtime: java.Java) -> Path:
    """Where the cache for this Java and class path lies; another one has another name."""
    subject = f"{runtime.path}\n{runtime.major}\n{classpath}"
    return home.cache / f"kafka-{hashlib.sha256(subject.encode()).hexdigest()[:16]}.aot"


def flags(home: Home, classpath: str, runtime: java.Java) -> list[str]:
    """The Java flags that use the cache, none where there is no cache."""
    path = cache_file(home, classpath, runtime)
    if not runtime.can_cache_ahead or not path.exists():
        return []
    return [f"-XX:AOTCache={path}", "-Xlog:aot*=error"]


def prepare(home: Home, classpath: str) -> str:
    """Make the cache if it is missing; the sentence returned says what came of it."""
    runtime = java.find()
    if not runtime.can_cache_ahead:
        return f"Java {runtime.major} keeps no class cache; Kafka starts a little slower"
    target = cache_file(home, classpath, runtime)
    if target.exists():
        return "its class cache is here"
    with tempfile.TemporaryDirectory(dir=home.cache, prefix="training-") as folder:
        made = Path(folder) / "kafka.aot"
        try:
            _train(runtime, classpath, Path(folder), made)
        except StackError as error:
            return f"no class cache was made, Kafka starts a little slower ({error.problem})"
        if not made.exists():
            return "Java wrote no class cache; Kafka starts a little slower"
        made.replace(target)
    return "its class cache is made"


def _train(runtime: java.Java, classpath: str, folder: Path, made: Path) -> None:
    base = ports.free_base((0, 1), start=20000)
    settings, log4j = folder / "server.properties", folder / "log4j2.properties"
    settings.write_text(broker_settings.server_properties(folder / "data", base, base + 1))
    log4j.write_text(broker_settings.LOG4J)
    broker_settings.format_storage(runtime, [], classpath, settings)
    log, pid_file = folder / "kafka.log", PidFile(folder / "kafka.pid")
    command = [str(runtime.path), *broker_settings.java_flags(log4j), f"-XX:AOTCacheOutput={made}"]
    command += ["-cp", classpath, "kafka.Kafka", str(settings)]
    start_detached(command, log, pid_file, dict(os.environ))
    try:
        wait_until(lambda: ports.accepts(base), pid_file, log, TRAINING_LIMIT_SECONDS)
    finally:
        stop(pid_file, signal.SIGTERM, WRITING_LIMIT_SECONDS)
        shutil.rmtree(folder / "data", ignore_errors=True)
