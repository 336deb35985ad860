"""Debian packages in a folder of our own: fetched and verified by apt, unpacked by dpkg.

Promises that the system's apt and dpkg are only read: no package is installed, no list changed, no
root needed. Must never unpack what apt hasn't verified. Trusts Debian's archive keys.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy.local.errors import StackError

STEP_SECONDS: Final = 600


class AptFailed(StackError):
    """apt or dpkg isn't there, or ended badly; `problem` has its last words."""


def is_here() -> bool:
    """Whether this machine has apt and dpkg."""
    return shutil.which("apt-get") is not None and shutil.which("dpkg") is not None


def unpack(names: Sequence[str], folder: Path, extra: Mapping[str, object]) -> Path:
    """Fetch packages with all they need that isn't installed; the folder they are unpacked into.

    `extra` are apt's settings beside those that keep it inside `folder`. Raises AptFailed.
    """
    apt, root = folder / "apt", folder / "root"
    for path in (apt / "lists" / "partial", apt / "archives" / "partial", root):
        path.mkdir(parents=True)
    settings = {"APT_CONFIG": str(_configuration(apt, extra))}
    run(["apt-get", "-qq", "update"], settings)
    run(["apt-get", "-qq", "--yes", "--download-only", "install", *names], settings)
    for package in sorted((apt / "archives").glob("*.deb")):
        run(["dpkg", "-x", str(package), str(root)])
    shutil.rmtree(apt)
    return root


def _configuration(apt: Path, extra: Mapping[str, object]) -> Path:
    """Write the settings that keep apt out of the system's folders."""
    settings: dict[str, object] = {
        "Dir::State::Lists": apt / "lists",
        "Dir::State::extended_states": apt / "extended_states",
        "Dir::Cache": apt,
        "Dir::Cache::Archives": apt / "archives",
        "Acquire::Languages": "none",
        "Acquire::Retries": 3,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",
        # The system's dpkg is only read: its lock is root's.
        "Debug::NoLocking": "true",
        **extra,
    }
    path = apt / "apt.conf"
    path.write_text("".join(f'{name} "{value}";\n' for name, value in settings.items()))
    return path


def run(command: Sequence[str], settings: Mapping[str, str] | None = None) -> str:
    """What a command prints; raises AptFailed with its last words."""
    environment = {**os.environ, **(settings or {})}
    environment |= {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        ran = subprocess.run(
            command,
            check=False,
            env=environment,
            capture_output=True,
            text=True,
            timeout=STEP_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise AptFailed(f"{command[0]} failed ({type(failure).__name__}).", "") from None
    if ran.returncode != 0:
        said = " ".join((ran.stderr or ran.stdout).split())[-300:]
        raise AptFailed(f"{command[0]} failed: {said}", "")
    return ran.stdout
