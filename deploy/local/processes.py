"""Start processes that outlive their starter, and find them again by pid file.

Promises that a pid file left by a dead process is never mistaken for a living one: a process is
known by its pid and the kernel's start time of it. Never signals a process it has no such proof of.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import DidNotStart, DidNotStop

POLL_SECONDS = 0.05
LAST_LINES = 20


@dataclass(frozen=True)
class Identity:
    """One process of this boot: the pid alone may have been given to another since."""

    pid: int
    start_ticks: int


def start_ticks(pid: int) -> int | None:
    """The kernel's start time of a living process in ticks, None if it is gone or a zombie.

    A zombie whose threads are still ending counts as living: it may hold its ports until then.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    is_over = fields[0] in "ZX" and int(fields[17]) <= 1  # the count of its threads
    return None if is_over else int(fields[19])


def children_of(pid: int) -> list[Identity]:
    """The living processes whose parent is this one now."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        child = int(folder.name)
        ticks = start_ticks(child)
        if ticks is not None and _parent(child) == pid:
            found.append(Identity(child, ticks))
    return found


def _parent(pid: int) -> int | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(stat.rpartition(")")[2].split()[1])


def end_at_once(found: Identity, limit_seconds: float = 10) -> None:
    """Kill exactly this process, not another that got its pid since, and wait until it is gone."""
    deadline = time.monotonic() + limit_seconds
    while start_ticks(found.pid) == found.start_ticks:
        if time.monotonic() > deadline:
            raise DidNotStop(f"Process {found.pid} can't be ended.", "Look at it with ps.")
        with contextlib.suppress(ProcessLookupError):
            os.kill(found.pid, signal.SIGKILL)
        time.sleep(POLL_SECONDS / 5)


@dataclass(frozen=True)
class PidFile:
    """The record of one running part: its pid and start time, written by who started it."""

    path: Path

    def write(self, pid: int) -> None:
        """Record the process; raises DidNotStart if it is gone already."""
        ticks = start_ticks(pid)
        if ticks is None:
            raise DidNotStart(f"{self.path.stem} ended at once.", "Read its log.")
        draft = self.path.with_suffix(".new")
        draft.write_text(f"{pid} {ticks}\n")
        draft.replace(self.path)

    def running(self) -> Identity | None:
        """The process if it still runs; a stale or unreadable file counts as not running."""
        try:
            pid, ticks = (int(word) for word in self.path.read_text().split())
        except (FileNotFoundError, ValueError):
            return None
        _reap(pid)
        return Identity(pid, ticks) if start_ticks(pid) == ticks else None

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)


def start_detached(
    argv: Sequence[str], log: Path, pid_file: PidFile, environment: Mapping[str, str]
) -> Identity:
    """Start a program in a session of its own, its output in a new log (the last one is kept)."""
    rotate(log)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        argv[0],
        list(argv),
        dict(environment),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGPIPE],
        setsigmask=[],
    )
    pid_file.write(pid)
    found = pid_file.running()
    if found is None:
        raise DidNotStart(f"{pid_file.path.stem} ended at once.", explain_log(log))
    return found


def wait_until(
    is_ready: Callable[[], bool], pid_file: PidFile, log: Path, limit_seconds: float
) -> None:
    """Return once the part is ready; raise DidNotStart with its last words if it dies first."""
    name = pid_file.path.stem
    deadline = time.monotonic() + limit_seconds
    while not is_ready():
        if pid_file.running() is None:
            raise DidNotStart(f"{name} died while starting.", explain_log(log))
        if time.monotonic() > deadline:
            raise DidNotStart(f"{name} did not serve in {limit_seconds:.0f} s.", explain_log(log))
        time.sleep(POLL_SECONDS)


def stop(pid_file: PidFile, first_signal: int, grace_seconds: float) -> bool:
    """End the recorded process, by force after the grace; False if it was not running."""
    found = pid_file.running()
    if found is None:
        pid_file.remove()
        return False
    if not _signal_and_wait(pid_file, found, first_signal, grace_seconds):
        kill(pid_file, signal.SIGKILL)
    pid_file.remove()
    return True


def kill(pid_file: PidFile, with_signal: int = signal.SIGKILL) -> None:
    """Send the signal and, if it is SIGKILL, wait until the process is gone."""
    found = pid_file.running()
    if found is None:
        return
    is_last_word = with_signal == signal.SIGKILL
    gone = _signal_and_wait(pid_file, found, with_signal, 10 if is_last_word else 0)
    if is_last_word and not gone:
        raise DidNotStop(
            f"{pid_file.path.stem} (pid {found.pid}) can't be ended.", "Look at it with ps."
        )


def _signal_and_wait(pid_file: PidFile, found: Identity, number: int, limit_seconds: float) -> bool:
    try:
        os.kill(found.pid, number)
    except ProcessLookupError:
        return True
    deadline = time.monotonic() + limit_seconds
    while pid_file.running() is not None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_SECONDS / 5)
    return True


def _reap(pid: int) -> None:
    """Collect the exit of a child of ours, so that it doesn't stay as a zombie."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # somebody else's child, which its own parent collects


def rotate(log: Path) -> None:
    """Keep one earlier log beside the new one, so that the reason for a restart stays readable."""
    if log.exists():
        log.replace(log.with_suffix(".previous.log"))


def last_lines(log: Path, count: int = LAST_LINES) -> list[str]:
    """The end of a log, at most `count` lines, for a person to read."""
    if not log.exists():
        return []
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 64 * 1024))
        return stream.read().decode(errors="replace").splitlines()[-count:]


def explain_log(log: Path) -> str:
    """Where the log is, and how it ends."""
    lines = last_lines(log)
    ending = "\n  ".join(lines) if lines else "(nothing was written)"
    return f"Its log {log} ends:\n  {ending}"
