"""How the tests' set-up finds belenios-tool."""

import stat
from pathlib import Path

import pytest

from deploy.local import belenios
from deploy.local.belenios import BeleniosMissing
from deploy.local.home import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty one; nothing is on the PATH but what a test puts into `programs`."""
    (tmp_path / "programs").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    monkeypatch.delenv(belenios.MIRROR_VARIABLE, raising=False)
    return Home(tmp_path / "home", tmp_path / "cache")


def _program(home: Home, name: str, says: str, code: int = 0) -> Path:
    path = home.root.parent / "programs" / name
    path.write_text(f"#!/bin/sh\n{says}\nexit {code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("version", "is_enough"),
    [
        ("3.3.0 (3.3.0+20260702)", True),
        ("3.1", True),
        ("10.0", True),
        ("3.0", False),
        ("2.0", False),
    ],
)
def test_an_old_program_is_not_taken(home: Home, version: str, is_enough: bool) -> None:
    """Before 3.1 committees wrote in another cipher; before 3.0 there was no Ed25519."""
    program = _program(home, "belenios-tool", f"echo '{version}'")
    assert belenios.find(home) == (program if is_enough else None)


def test_a_program_that_does_not_run_is_not_taken(home: Home) -> None:
    """It is missing, then, and the words say what to do."""
    _program(home, "belenios-tool", "exit 127")
    with pytest.raises(BeleniosMissing, match="make setup-test"):
        belenios.require(home)


def test_a_machine_without_apt_is_told_what_to_do(home: Home) -> None:
    """Name a mirror, or install the program."""
    with pytest.raises(BeleniosMissing, match=r"isn't one.*CASTONCE_DEBIAN_MIRROR"):
        belenios.install(home)


def test_the_mirror_is_the_machines_own(home: Home) -> None:
    """Not that of security updates, nor that of other people's packages."""
    lines = (
        "http://other.example/apt/ any",
        "http://mirror.example/debian-security/ bookworm-security",
        "http://mirror.example/debian/ bookworm-updates",
        "http://mirror.example/debian/ bookworm",
    )
    _program(home, "apt-get", "\n".join(f"echo '{line}'" for line in lines))
    assert belenios.mirror() == "http://mirror.example/debian/"


def test_a_mirror_can_be_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a machine is of another system."""
    monkeypatch.setenv(belenios.MIRROR_VARIABLE, "http://named.example/debian")
    assert belenios.mirror() == "http://named.example/debian"
    monkeypatch.delenv(belenios.MIRROR_VARIABLE)
    _program(home, "apt-get", "true")
    with pytest.raises(BeleniosMissing, match="no Debian mirror"):
        belenios.mirror()


def test_a_failed_download_leaves_nothing_and_says_why(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a program would be taken for a whole one the next time."""
    keyring = home.root.parent / "keyring"
    keyring.touch()
    monkeypatch.setattr(belenios, "KEYRING", keyring)
    monkeypatch.setenv(belenios.MIRROR_VARIABLE, "http://named.example/debian")
    _program(home, "dpkg", "true")
    _program(home, "apt-get", "echo 'Could not resolve named.example' >&2", code=100)
    with pytest.raises(BeleniosMissing, match=r"testing: .*Could not resolve.*unstable: "):
        belenios.install(home)
    assert not belenios.folder(home).exists()
