"""The two programs that verify an archive, each started as a person would, and what they used.

Promises times of a verification that succeeded: any other outcome is an error, so that nobody
compares how quickly two programs give up.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from deploy.local import belenios
from deploy.local.home import Home

CASTONCE = Path(sys.executable).parent / "castonce-verify"
# Without the second, election verify may end before it has looked at the ballots.
BELENIOS_SETTINGS = {"BELENIOS_USE_URANDOM": "1", "LWT_ASYNC_METHOD": "none"}


class VerificationFailed(Exception):
    """A program refused an archive that is right, or couldn't be run; what it said."""


class Ran(NamedTuple):
    """One run to the end, with all the processes that it started itself."""

    cpu_seconds: float
    wall_seconds: float


def belenios_tool(archive: Path) -> Ran:
    """`election verify`; the archive must be the only one in its folder."""
    program = belenios.require(Home.locate())
    return run([str(program), "election", "verify"], archive.parent, BELENIOS_SETTINGS)


def castonce_verify(archive: Path, jobs: int) -> Ran:
    """`castonce-verify` with so many processes."""
    return run([str(CASTONCE), str(archive), "--jobs", str(jobs)], archive.parent, {})


def run(command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> Ran:
    """What a command used; raises VerificationFailed unless its exit status is 0."""
    with (folder / "said.txt").open("w+b") as said:
        began = time.perf_counter()
        started = subprocess.Popen(
            command, cwd=folder, env=os.environ | settings, stdout=said, stderr=said
        )
        # Beside the status, the system tells what the process and those it waited for used.
        _, status, used = os.wait4(started.pid, 0)
        seconds = time.perf_counter() - began
        started.returncode = os.waitstatus_to_exitcode(status)
        if started.returncode != 0:
            said.seek(0)
            raise VerificationFailed(f"{command[0]}: {said.read()[-500:].decode()}")
    return Ran(used.ru_utime + used.ru_stime, seconds)
