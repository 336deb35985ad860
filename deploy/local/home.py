"""Where the local stack keeps everything it writes: one folder, the home.

Promises that all state lies under `Home.root` (downloads under `Home.cache`, which several homes
may share), that nobody but its owner enters it, and that nothing outside is ever changed.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


@dataclass(frozen=True)
class Home:
    """The folders and files of one copy of the local stack."""

    root: Path
    cache: Path

    @classmethod
    def locate(cls, root: Path | None = None) -> Home:
        """The home named by the argument, else by CASTONCE_HOME, else `.castonce` in the checkout.

        Downloads go to CASTONCE_CACHE, else to `.castonce/cache` in the checkout, so that a new
        home needs no new download.
        """
        default = CHECKOUT / ".castonce"
        chosen = root or Path(os.environ.get("CASTONCE_HOME") or default)
        cache = Path(os.environ.get("CASTONCE_CACHE") or default / "cache")
        return cls(chosen.expanduser().resolve(), cache.expanduser().resolve())

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def trust(self) -> Path:
        """Public keys that every service may read."""
        return self.root / "trust"

    @property
    def staff_file(self) -> Path:
        """Who may give officials' commands: names, roles and hashes of their tokens."""
        return self.root / "staff.json"

    @property
    def staff(self) -> Path:
        """Tokens that were made on this machine for the person who works on it."""
        return self.root / "staff"

    @property
    def archive(self) -> Path:
        """The public archives: two files per election, written by `board` alone."""
        return self.root / "archive"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Pid files of what runs now."""
        return self.root / "run"

    @property
    def demo_file(self) -> Path:
        """The election that `castonce demo` shows, and three electors' codes."""
        return self.root / "demo.json"

    @property
    def demo(self) -> Path:
        """The offline files of demo elections: keys, packs, codes."""
        return self.root / "demo"

    @property
    def ports_file(self) -> Path:
        return self.root / "ports.toml"

    def state_folders(self) -> tuple[Path, ...]:
        """The folders that `up --fresh` empties."""
        return (
            self.kafka,
            self.postgres,
            self.secrets,
            self.trust,
            self.staff,
            self.archive,
            self.logs,
            self.run,
            self.demo,
        )

    def ensure(self) -> None:
        """Make the folders that are missing; nobody but the owner enters the home.

        Kafka's data and the logs lie in it with whatever modes their writers choose.
        """
        make_private_folder(self.root)
        for folder in (self.kafka, self.trust, self.archive, self.logs, self.run):
            folder.mkdir(exist_ok=True)
        make_private_folder(self.secrets)
        make_private_folder(self.staff)
        if not self.staff_file.exists():
            write_private(self.staff_file, "[]\n")

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Only one command at a time starts or stops this copy; others wait for it."""
        make_private_folder(self.root)
        with (self.root / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def remove_state(self) -> None:
        """Delete everything but the ports and the downloads; nothing may be running."""
        for folder in self.state_folders():
            shutil.rmtree(folder, ignore_errors=True)
        self.staff_file.unlink(missing_ok=True)
        self.demo_file.unlink(missing_ok=True)

    def secret_folder(self, owner: str) -> Path:
        """The folder of one service's secrets, made if missing, mode 0700."""
        make_private_folder(self.secrets)
        return make_private_folder(self.secrets / owner)

    def password_file(self, owner: str, name: str) -> Path:
        """A file holding a random password, made on first use, mode 0600, no line end."""
        path = self.secret_folder(owner) / f"{name}.password"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path


def make_private_folder(path: Path) -> Path:
    """The folder, made if missing, entered by its owner only."""
    path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_FOLDER)
    path.chmod(PRIVATE_FOLDER)
    return path


def write_private(path: Path, text: str) -> None:
    """Write the file whole or not at all; at no moment can anybody but its owner read it."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_FILE)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    draft.replace(path)
