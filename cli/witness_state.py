"""What a witness keeps: per election the last cosigned head, all before it, and alarms.

Promises that a file appears whole or not at all and is on the disk when `keep` returns; that one
witness at a time works in a folder; and that no head is overwritten by another of its size.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.screen import CliError

HEAD, HEADS, SEEN = "head", "heads", "seen"


class Followed:
    """One election in the witness' folder."""

    def __init__(self, folder: Path, election_id: str) -> None:
        self.election_id = election_id
        self.folder = folder / election_id

    def head(self) -> bytes | None:
        """The last head that was cosigned."""
        path = self.folder / HEAD
        return path.read_bytes() if path.exists() else None

    def keep(self, cosigned: bytes, size: int) -> None:
        """Make this the last head."""
        _write(self.folder / HEADS / f"{size}.checkpoint", cosigned)
        _write(self.folder / HEAD, cosigned)

    def largest_seen(self, url: str) -> int:
        """The size of the largest head that an address showed; 0 if none."""
        path = self._seen(url)
        return int(path.read_text().split()[0]) if path.exists() else 0

    def see(self, url: str, size: int) -> None:
        """Remember how far an address reached."""
        if size > self.largest_seen(url):
            _write(self._seen(url), f"{size} {url}\n".encode())

    def alarms(self) -> list[Path]:
        """Alarms that nobody has moved away yet."""
        return sorted(self.folder.glob("ALARM-*.txt"))

    def raise_alarm(self, text: str) -> Path:
        """Write an alarm's file, named by its content."""
        name = hashlib.sha256(text.encode()).hexdigest()[:12]
        path = self.folder / f"ALARM-{name}.txt"
        _write(path, text.encode())
        return path

    def _seen(self, url: str) -> Path:
        return self.folder / SEEN / hashlib.sha256(url.encode()).hexdigest()[:12]


def known_elections(folder: Path) -> list[str]:
    """The elections that are followed already."""
    return sorted(path.parent.name for path in folder.glob(f"*/{HEAD}"))


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for this witness; raises CliError where another one works in it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CliError(
                f"Another witness works in {folder}.", "Give each a --state folder of its own."
            ) from None
        yield


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
