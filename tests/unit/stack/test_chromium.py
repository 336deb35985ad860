"""How the tests' set-up finds Chromium."""

import stat
from pathlib import Path

import pytest

from deploy.local import chromium
from deploy.local.chromium import ChromiumMissing
from deploy.local.home import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty one; nothing is on the PATH but what a test puts into `programs`."""
    (tmp_path / "programs").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    return Home(tmp_path / "home", tmp_path / "cache")


def _program(home: Home, name: str, says: str, code: int = 0) -> Path:
    path = home.root.parent / "programs" / name
    path.write_text(f"#!/bin/sh\n{says}\nexit {code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("says", "is_enough"),
    [
        ("Chromium 156.0.8078.79 built on Debian GNU/Linux 12", True),
        ("Google Chrome 127.0.6533.72", True),
        ("Chromium 127.0.6533.72", True),
        ("Chromium 126.0.6478.182", False),
        ("Command '/usr/bin/chromium' requires a snap to be installed.", False),
    ],
)
def test_only_a_browser_that_checks_modules_is_taken(
    home: Home, says: str, is_enough: bool
) -> None:
    """An older one would load a changed module, and a test that it doesn't would prove nothing."""
    program = _program(home, "chromium", f'echo "{says}"')
    assert chromium.find(home) == (program if is_enough else None)


def test_a_browser_can_be_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a machine is of another system; a wrong name is said at once."""
    program = _program(home, "mine", "echo 'Chromium 200.0.1.1'")
    monkeypatch.setenv(chromium.VARIABLE, str(program))
    assert chromium.install(home) == program
    monkeypatch.setenv(chromium.VARIABLE, str(program.with_name("nobody")))
    with pytest.raises(ChromiumMissing, match="names no Chromium"):
        chromium.require(home)


def test_a_machine_without_apt_is_told_what_to_do(home: Home) -> None:
    """Install a browser, and name it."""
    with pytest.raises(ChromiumMissing, match=r"isn't one.*CASTONCE_CHROMIUM"):
        chromium.install(home)
    with pytest.raises(ChromiumMissing, match="make setup-test"):
        chromium.require(home)


def test_a_failed_download_leaves_nothing_and_says_why(home: Home) -> None:
    """Half a browser would be taken for a whole one the next time."""
    _program(home, "dpkg", "true")
    _program(home, "apt-get", "echo 'Could not resolve mirror.example' >&2", code=100)
    with pytest.raises(ChromiumMissing, match=r"Could not resolve.*CASTONCE_CHROMIUM"):
        chromium.install(home)
    assert not chromium.folder(home).exists()


def test_a_browser_that_does_not_run_is_not_kept(home: Home) -> None:
    """Packages that unpack, but hold nothing that runs here."""
    _program(home, "dpkg", "true")
    _program(home, "apt-get", "true")
    with pytest.raises(ChromiumMissing, match="doesn't run here"):
        chromium.install(home)
    assert not chromium.folder(home).exists()
