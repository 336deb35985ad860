"""wrk, Debian's load generator, with which the benchmark asks for pages.

Promises a program that runs: the machine's own, or packages that Debian signed, unpacked into the
cache without touching the system. Trusts the machine's apt and its sources. Run as a module by
`make setup-test`: `python -m deploy.local.wrk`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from deploy.local import private_apt
from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.private_apt import AptFailed

_SCRIPT: Final = """#!/bin/sh
root="${{0%/*}}/root"
export LD_LIBRARY_PATH="{libraries}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
exec "$root/usr/bin/wrk" "$@"
"""
_FIX: Final = "Install wrk yourself so that it is on the PATH, then run make setup-test again."


class WrkMissing(StackError):
    """wrk isn't there, or can't be had on this machine."""


def folder(home: Home) -> Path:
    """Where it is unpacked."""
    return home.cache / "wrk"


def find(home: Home) -> Path | None:
    """The program, if it is there: on the PATH, or unpacked by `install`."""
    own = shutil.which("wrk")
    if own is not None and runs(Path(own)):
        return Path(own)
    script = folder(home) / "wrk"
    return script if script.exists() else None


def require(home: Home) -> Path:
    """The program; raises WrkMissing if it isn't there."""
    found = find(home)
    if found is None:
        raise WrkMissing("wrk is missing, and pages are loaded with it.", "Run make setup-test.")
    return found


def runs(program: Path) -> bool:
    """Whether it is wrk, and finds its libraries."""
    try:
        ran = subprocess.run(
            [program, "--version"], check=False, capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    # It exits with 1 after its version, so only what it says is looked at.
    return ran.stdout.startswith("wrk ")


def install(home: Home) -> Path:
    """Fetch and unpack the program unless it is there; raises WrkMissing with a fix."""
    found = find(home)
    if found is not None:
        return found
    if not private_apt.is_here():
        raise WrkMissing("wrk comes from Debian, and this machine isn't one.", _FIX)
    target = folder(home)
    shutil.rmtree(target, ignore_errors=True)
    try:
        root = private_apt.unpack(["wrk"], target, {})
        return _proven(root, target)
    except AptFailed as failure:
        shutil.rmtree(target, ignore_errors=True)
        raise WrkMissing(f"wrk can't be had: {failure.problem}", _FIX) from None


def _proven(root: Path, target: Path) -> Path:
    """The script that runs what was unpacked, once it ran; raises AptFailed."""
    script = target / "unproven"
    libraries = sorted(root.glob("usr/lib/*-linux-gnu*"))
    inside = (f"$root/{path.relative_to(root)}" for path in libraries)
    script.write_text(_SCRIPT.format(libraries=":".join(inside)))
    script.chmod(0o755)
    if not runs(script):
        raise AptFailed("the package doesn't run here.", "")
    return script.replace(target / "wrk")


def main() -> int:
    """Install; the exit code is 1 with a sentence on stderr on failure."""
    try:
        sys.stdout.write(f"wrk: {install(Home.locate())}\n")
    except WrkMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
