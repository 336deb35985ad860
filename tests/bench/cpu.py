"""CPU time of processes, from /proc: user and system time of a process and of all its children."""

import os
import resource
from collections.abc import Mapping
from pathlib import Path

from deploy.local.processes import children_of

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")


def used_seconds(pid: int) -> float:
    """What the process, its living children and the children it has outlived used so far."""
    own = _fields(pid)
    if own is None:
        return 0.0
    # utime, stime, and the same of children that were waited for.
    total = sum(int(own[at]) for at in (11, 12, 13, 14)) * TICK_SECONDS
    return total + sum(used_seconds(child.pid) for child in children_of(pid))


def snapshot(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds of each named process tree."""
    return {name: used_seconds(pid) for name, pid in pids.items()}


def since(before: Mapping[str, float], pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds of each since the snapshot."""
    now = snapshot(pids)
    return {name: now[name] - before[name] for name in now}


def load_average() -> float:
    """Of the last minute: how many programs wanted a core."""
    return os.getloadavg()[0]


def _fields(pid: int) -> list[str] | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def own_children() -> frozenset[int]:
    """The living children of this process."""
    return frozenset(child.pid for child in children_of(os.getpid()))


def ended_seconds() -> float:
    """CPU seconds of the children that this process has outlived."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
