"""What a witness keeps: per election each head that the board signed, which it cosigned, alarms.

Promises that a file appears whole or not at all and is on the disk when its method returns; that a
head is kept as it was signed before anything else is asked; that one witness at a time works in a
folder; and that no head is overwritten by another of its size. Must never take what it can't read
for nothing seen.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from ballots.signed_note import Checkpoint
from cli.screen import CliError

HEAD, HEADS, SEEN, UNPROVEN = "head", "heads", "seen", "unproven"
_REACHED: Final = re.compile(r"([1-9][0-9]{0,15}) (?:([0-9a-f]{12}) )?\S+\n")
_COUNT: Final = re.compile(r"(0|[1-9][0-9]{0,5})\n")
_SHORT: Final = 12


class Kept(NamedTuple):
    """A head as it lies in the folder, and when it was put there (seconds since 1970)."""

    raw: bytes
    kept_seconds: float


class Reached(NamedTuple):
    """How far an address was seen to reach, and the head; None where only its size was kept."""

    size: int
    head: Kept | None


class Followed:
    """One election in the witness' folder."""

    def __init__(self, folder: Path, election_id: str) -> None:
        self.election_id = election_id
        self.folder = folder / election_id

    def cosigned(self) -> Kept | None:
        """The last head that was cosigned, also where only its copy among all heads is left."""
        if (self.folder / HEAD).exists():
            return _kept(self.folder / HEAD)
        return self._largest("*.checkpoint")

    def last(self) -> Kept | None:
        """What the next head must add to: the last cosigned, or else the largest that was seen.

        Raises CliError where something was seen, and no head is left of it.
        """
        found = self.cosigned() or self._largest("*.seen")
        if found is None and any((self.folder / SEEN).glob("*")):
            raise CliError(
                f"The heads of {self.election_id} are gone from {self.folder}.",
                "Put them back from a copy, or begin in another folder.",
            )
        return found

    def keep(self, cosigned: bytes, size: int) -> None:
        """Make this the last head."""
        _write(self.folder / HEADS / f"{size}.checkpoint", cosigned)
        _write(self.folder / HEAD, cosigned)

    def see(self, raw: bytes, head: Checkpoint, url: str = "") -> None:
        """Keep a head that the board signed, and how far an address reached with it."""
        path = self._seen_head(head.size, _short(head))
        if not path.exists():
            _write(path, raw)
        if url and head.size > self.reached(url).size:
            _write(self._seen(url), f"{head.size} {_short(head)} {url}\n".encode())

    def contradiction(self, head: Checkpoint) -> Kept | None:
        """A head of the same size with another root, if one was seen; cosigned, if one was."""
        cosigned = self.folder / HEADS / f"{head.size}.checkpoint"
        for path in sorted((self.folder / HEADS).glob(f"{head.size}-*.seen")):
            if path != self._seen_head(head.size, _short(head)):
                other = _kept(path)
                # A cosigned head begins with the text that was signed, as the board's own does.
                own = _kept(cosigned) if cosigned.exists() else other
                return own if own.raw.split(b"\n\n")[0] == other.raw.split(b"\n\n")[0] else other
        return None

    def reached(self, url: str) -> Reached:
        """The largest head that an address showed, of size 0 if none; raises CliError."""
        found = _matched(self._seen(url), _REACHED)
        if found is None:
            return Reached(0, None)
        path = self._seen_head(int(found[1]), found[2] or "")
        return Reached(int(found[1]), _kept(path) if path.exists() else None)

    def patience_used(self, url: str) -> int:
        """What was counted against an address since it last proved a head; raises CliError."""
        found = _matched(self._unproven(url), _COUNT)
        return int(found[1]) if found else 0

    def use_patience(self, url: str, count: int) -> None:
        """Set what is counted against an address; nothing is written while it is 0."""
        if count != self.patience_used(url):
            _write(self._unproven(url), f"{count}\n".encode())

    def alarms(self) -> list[Path]:
        """Alarms that nobody has moved away yet."""
        return sorted(self.folder.glob("ALARM-*.txt"))

    def raise_alarm(self, text: str) -> Path:
        """Write an alarm's file, named by its content."""
        name = hashlib.sha256(text.encode()).hexdigest()[:_SHORT]
        path = self.folder / f"ALARM-{name}.txt"
        _write(path, text.encode())
        return path

    def _largest(self, pattern: str) -> Kept | None:
        sizes = {path: _size_of(path) for path in (self.folder / HEADS).glob(pattern)}
        return _kept(max(sizes, key=lambda path: sizes[path])) if sizes else None

    def _seen_head(self, size: int, short: str) -> Path:
        return self.folder / HEADS / f"{size}-{short}.seen"

    def _seen(self, url: str) -> Path:
        return self.folder / SEEN / _named(url)

    def _unproven(self, url: str) -> Path:
        return self.folder / UNPROVEN / _named(url)


def known_elections(folder: Path) -> list[str]:
    """The elections of which anything was seen."""
    return sorted({path.parent.name for name in (HEAD, HEADS) for path in folder.glob(f"*/{name}")})


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


def _short(head: Checkpoint) -> str:
    return head.root.hex()[:_SHORT]


def _named(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:_SHORT]


def _size_of(path: Path) -> int:
    digits = re.split(r"[-.]", path.name)[0]
    return int(digits) if digits.isascii() and digits.isdigit() else -1


def _kept(path: Path) -> Kept:
    try:
        return Kept(path.read_bytes(), path.stat().st_mtime)
    except OSError as error:
        raise CliError(f"{path} can't be read ({error.strerror}).") from None


def _matched(path: Path, pattern: re.Pattern[str]) -> re.Match[str] | None:
    """What a small file says, None where there is none; raises CliError for anything else."""
    try:
        found = pattern.fullmatch(path.read_text("ascii"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        found = None
    if found is None:
        raise CliError(
            f"{path} is damaged: what was seen there isn't known.",
            "Put it back from a copy, or begin in another folder.",
        )
    return found


def _write(path: Path, content: bytes) -> None:
    try:
        _replace(path, content)
    except OSError as error:
        raise CliError(
            f"{path} can't be written ({error.strerror}).", "Is the disk full?"
        ) from None


def _replace(path: Path, content: bytes) -> None:
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
