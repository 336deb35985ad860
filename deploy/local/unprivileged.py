"""Run PostgreSQL's programs as an ordinary user where we are root, which PostgreSQL refuses to be.

Uses the system's `nobody`, creates no account, and opens no folder to others: where the way to the
data leads through folders that `nobody` may not enter, the program keeps just the right to pass.
"""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

from deploy.local.errors import StackError

USER = "nobody"
CAP_DAC_OVERRIDE = 1  # a capability's number in Linux; Docker grants this one and not the next
CAP_DAC_READ_SEARCH = 2


def command_prefix(*through: Path) -> list[str]:
    """What to put before a command line so that it runs unprivileged; nothing if we already are.

    `through` are the paths the program must reach. Raises StackError where that can't be had.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError("PostgreSQL can't run as root, and setpriv is missing.", _FIX)
    entry = pwd.getpwnam(USER)
    prefix = [setpriv, f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    if all(_others_may_enter(path) for path in through):
        return prefix
    right = _passing_right()
    # Without this bit access(2), by which initdb looks for its siblings, forgets the right.
    bits = "--securebits=+no_setuid_fixup"
    return [*prefix, f"--inh-caps=+{right}", f"--ambient-caps=+{right}", bits]


_FIX = "Install util-linux, or run castonce as an ordinary user."


def own(path: Path) -> None:
    """Hand a file or folder of ours to the unprivileged user, if there is one."""
    if os.geteuid() == 0:
        entry = pwd.getpwnam(USER)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _others_may_enter(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def _passing_right() -> str:
    status = Path("/proc/self/status").read_text()
    held = int(status.partition("CapEff:")[2].split()[0], 16)
    for name, number in (
        ("dac_read_search", CAP_DAC_READ_SEARCH),
        ("dac_override", CAP_DAC_OVERRIDE),
    ):
        if held >> number & 1:
            return name
    raise StackError(
        f"The user {USER}, as whom PostgreSQL runs, may not enter CASTONCE_HOME.",
        "The home is closed to others: run castonce as an ordinary user.",
    )
