"""How the tests' set-up finds wrk."""

import stat
from pathlib import Path

import pytest

from deploy.local import wrk
from deploy.local.home import Home
from deploy.local.wrk import WrkMissing

VERSION = "wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012 Will Glozer"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty one; nothing is on the PATH but what a test puts into `programs`."""
    (tmp_path / "programs").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    return Home(tmp_path / "home", tmp_path / "cache")


def _program(home: Home, name: str, says: str, code: int = 0) -> Path:
    path = home.root.parent / "programs" / name
    path.write_text(f"#!/bin/sh\n{says}\nexit {code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_the_machines_own_program_is_taken_first(home: Home) -> None:
    """wrk ends with 1 after its version; another program of that name isn't taken for it."""
    program = _program(home, "wrk", f"echo '{VERSION}'", code=1)
    assert wrk.install(home) == program
    _program(home, "wrk", "echo 'wrk: error while loading shared libraries' >&2", code=127)
    assert wrk.find(home) is None


def test_a_machine_without_apt_is_told_what_to_do(home: Home) -> None:
    """The benchmark never leaves the pages out for want of the program."""
    with pytest.raises(WrkMissing, match=r"isn't one.*Install wrk yourself"):
        wrk.install(home)
    with pytest.raises(WrkMissing, match="make setup-test"):
        wrk.require(home)


def test_a_failed_download_leaves_nothing_and_says_why(home: Home) -> None:
    """Half a program would be taken for a whole one the next time."""
    _program(home, "dpkg", "true")
    _program(home, "apt-get", "echo 'Could not resolve mirror.example' >&2", code=100)
    with pytest.raises(WrkMissing, match=r"Could not resolve.*Install wrk yourself"):
        wrk.install(home)
    assert not wrk.folder(home).exists()


def test_a_program_that_does_not_run_is_not_kept(home: Home) -> None:
    """Packages that unpack, but hold nothing that runs here."""
    _program(home, "dpkg", "true")
    _program(home, "apt-get", "true")
    with pytest.raises(WrkMissing, match="doesn't run here"):
        wrk.install(home)
    assert not wrk.folder(home).exists()
