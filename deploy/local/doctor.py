"""Examine what the local stack needs, and name a fix for whatever is missing.

Looks and never changes: nothing is started, created or repaired here.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local import jars, java, provision, readiness, states, unprivileged, web
from deploy.local.errors import StackError
from deploy.local.home import CHECKOUT
from deploy.local.ports import OFFSETS, is_taken
from deploy.local.postgres import BINARIES
from deploy.local.stack import Stack

SETUP = "Run make setup."
LEAST_FREE_BYTES = 2 * 1024**3


@dataclass(frozen=True)
class Finding:
    """The outcome of one check; `fix` is empty exactly if it passed."""

    check: str
    detail: str
    fix: str = ""

    @property
    def is_fine(self) -> bool:
        return not self.fix


def examine(stack: Stack) -> list[Finding]:
    """Every check, in the order in which a person would mend things."""
    checks: tuple[Callable[[Stack], Iterator[Finding]], ...] = (
        _python,
        _packages,
        _java,
        _jars,
        _web,
        _postgres,
        _disk,
        _secrets,
        _ports,
        _running,
    )
    return [finding for check in checks for finding in check(stack)]


def _python(_: Stack) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    fix = "" if sys.version_info >= (3, 11) else "Install Python 3.11 and run make setup."
    yield Finding("python", version, fix)


def _packages(_: Stack) -> Iterator[Finding]:
    wrong = []
    for line in (CHECKOUT / "requirements.lock").read_text().splitlines():
        name, separator, rest = line.partition("==")
        if separator and not line.startswith((" ", "#")):
            wrong += _version_problem(name.partition("[")[0], rest.split()[0])
    detail = "; ".join(wrong[:3]) if wrong else "all locked packages are here"
    yield Finding("packages", detail, SETUP if wrong else "")


def _version_problem(name: str, locked: str) -> list[str]:
    try:
        there = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return [f"{name} is missing"]
    return [] if there == locked else [f"{name} is {there}, locked is {locked}"]


def _java(_: Stack) -> Iterator[Finding]:
    try:
        found = java.find()
    except StackError as error:
        yield Finding("java", error.problem, error.fix)
    else:
        yield Finding("java", f"{found.major} at {found.path}")


def _jars(stack: Stack) -> Iterator[Finding]:
    problems = jars.problems(stack.home)
    detail = problems[0] if problems else f"{len(jars.paths(stack.home))} jars, hashes as locked"
    yield Finding("kafka", detail, SETUP if problems else "")


def _web(_: Stack) -> Iterator[Finding]:
    problems = web.problems()
    detail = problems[0] if problems else "modules as locked, styles built"
    yield Finding("web", detail, SETUP if problems else "")


def _postgres(_: Stack) -> Iterator[Finding]:
    try:
        prefix = unprivileged.command_prefix(BINARIES / "postgres")
        command = [*prefix, str(BINARIES / "postgres"), "--version"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    except StackError as error:
        yield Finding("postgres", error.problem, error.fix)
        return
    except OSError as error:
        yield Finding("postgres", f"can't be run: {error}", SETUP)
        return
    is_fine = done.returncode == 0 and provision.DBMATE.exists()
    detail = done.stdout.strip() if is_fine else done.stderr.strip() or "dbmate is missing"
    yield Finding("postgres", detail, "" if is_fine else SETUP)


def _disk(stack: Stack) -> Iterator[Finding]:
    place = next(
        folder for folder in (stack.home.root, *stack.home.root.parents) if folder.exists()
    )
    free = shutil.disk_usage(place).free
    fix = "" if free >= LEAST_FREE_BYTES else f"Make room: 2 GB are needed below {place}."
    yield Finding("disk", f"{free / 1024**3:.1f} GB free", fix)
    if not os.access(place, os.W_OK):
        yield Finding("disk", f"{place} can't be written", "Choose another CASTONCE_HOME.")


def _secrets(stack: Stack) -> Iterator[Finding]:
    folder = stack.home.secrets
    if not folder.exists():
        yield Finding("secrets", "none yet; castonce up makes them")
        return
    open_to_others = [path for path in (folder, *folder.rglob("*")) if _is_open(path)]
    detail = f"{open_to_others[0]} is open to others" if open_to_others else "only the owner reads"
    fix = f"chmod -R go= {folder}" if open_to_others else ""
    yield Finding("secrets", detail, fix)


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o077)


def _ports(stack: Stack) -> Iterator[Finding]:
    ours = {"kafka": stack.broker.is_running, "postgres": stack.server.is_running}
    ours["kafka-controller"] = ours["kafka"]
    for name in ("gateway", "board"):
        ours[name] = stack.service_pid_file(name).running() is not None
    taken = [
        f"{part} needs {stack.ports.of(part)}"
        for part in OFFSETS
        if not ours.get(part, False) and is_taken(stack.ports.of(part))
    ]
    detail = "; ".join(taken) + ", taken by others" if taken else f"from {stack.ports.base} on"
    fix = "Stop the other program, or castonce up --port-base N." if taken else ""
    yield Finding("ports", detail, fix)


def _running(stack: Stack) -> Iterator[Finding]:
    """What is up must also answer; what is down is no fault."""
    for name, part in (("kafka", stack.broker), ("postgres", stack.server)):
        if part.is_running:
            is_fine = part.serves()
            fix = "" if is_fine else f"castonce down, then up; its log: {part.log}"
            yield Finding(f"{name} now", "serves" if is_fine else "runs, does not answer", fix)
        else:
            yield Finding(f"{name} now", "is down (castonce up starts it)")
    for one in states.read(stack.home):
        is_fine = readiness.is_ready(stack.ports.admin(one.name))
        fix = "" if is_fine else f"Read {stack.service_log(one.name)}."
        yield Finding(f"{one.name} now", "ready" if is_fine else one.reason or "not ready", fix)
