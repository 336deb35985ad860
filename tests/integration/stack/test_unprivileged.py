"""PostgreSQL's programs as an ordinary user, also below folders that others may not enter."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local import unprivileged


def as_nobody(code: str, path: Path) -> str:
    prefix = unprivileged.command_prefix(path, Path(sys.executable))
    command = [*prefix, sys.executable, "-c", f"import os; path = {str(path)!r}; print({code})"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A file of the unprivileged user below a folder that only root may enter."""
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    path = folder / "file"
    path.write_text("x")
    unprivileged.own(path)
    return path


def test_the_way_through_closed_folders_is_open(closed: Path) -> None:
    """A checkout below a closed home folder works: the program reaches its files, access(2) too."""
    assert as_nobody("open(path).read()", closed) == "x"
    assert as_nobody("os.access(path, os.W_OK)", closed) == "True"


def test_the_program_is_not_root(closed: Path) -> None:
    """Whoever started it, it runs as another user than root and in no group of root's."""
    assert as_nobody("0 in (os.getuid(), os.geteuid(), *os.getgroups())", closed) == "False"


def test_nothing_is_opened_to_others(closed: Path) -> None:
    """Making the command changes no mode on the way."""
    unprivileged.command_prefix(closed)
    assert closed.parent.stat().st_mode & 0o777 == 0o700
