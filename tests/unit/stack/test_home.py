"""The home folder: where state lies and who can read it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deploy.local import keys
from deploy.local.home import Home


def place(folder: Path) -> Home:
    home = Home(folder / "home", folder / "cache")
    home.ensure()
    return home


def test_environment_chooses_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CASTONCE_HOME and CASTONCE_CACHE move state and downloads out of the checkout."""
    monkeypatch.setenv("CASTONCE_HOME", str(tmp_path / "a"))
    monkeypatch.setenv("CASTONCE_CACHE", str(tmp_path / "b"))
    assert Home.locate() == Home(tmp_path / "a", tmp_path / "b")


def test_only_the_owner_reads_secrets(tmp_path: Path) -> None:
    """Every folder below secrets has mode 0700 and every file 0600, whatever the umask."""
    home = place(tmp_path)
    keys.ensure(home)
    home.password_file("votes", "database")
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in home.secrets.rglob("*")}
    assert modes == {True: 0o700, False: 0o600}
    assert home.secrets.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_nobody_else_enters_the_home(tmp_path: Path, umask: int) -> None:
    """The home has mode 0700, also one that was open before: Kafka's data lies in it as it likes.

    Sealed ballots by right and every service's log would else be read by anybody on the machine.
    """
    before = os.umask(umask)
    try:
        home = Home(tmp_path / "home", tmp_path / "cache")
        with home.changing():
            assert home.root.stat().st_mode & 0o777 == 0o700
        home.root.chmod(0o755)
        home.ensure()
    finally:
        os.umask(before)
    assert home.root.stat().st_mode & 0o777 == 0o700


def test_passwords_and_keys_stay_what_they_are(tmp_path: Path) -> None:
    """A second start changes no password and no key: else nobody could open what is there."""
    home = place(tmp_path)
    keys.ensure(home)
    home.password_file("votes", "database")
    before = {path: path.read_text() for path in home.root.rglob("*") if path.is_file()}
    keys.ensure(home)
    home.ensure()
    home.password_file("votes", "database")
    assert {path: path.read_text() for path in before} == before


def test_public_keys_belong_to_the_private_ones(tmp_path: Path) -> None:
    """What the trust folder says of a service is the public half of that service's own key."""
    from nacl.signing import SigningKey

    home = place(tmp_path)
    keys.ensure(home)
    seed = bytes.fromhex((home.secrets / "votes" / "signing.key").read_text())
    assert (home.trust / "votes.pub").read_text() == bytes(SigningKey(seed).verify_key).hex()


def test_fresh_keeps_ports_and_downloads(tmp_path: Path) -> None:
    """Emptying a home removes secrets, tables and demo codes, not ports and downloads."""
    home = place(tmp_path)
    keys.ensure(home)
    home.ports_file.write_text("base = 9000\n")
    home.cache.mkdir()
    home.demo_file.write_text("{}")
    (home.demo / "1").mkdir(parents=True)
    (home.demo / "1" / "printer.key").write_text("a key that opens codes")
    home.remove_state()
    assert [path.name for path in home.root.iterdir()] == ["ports.toml"]
    assert home.cache.exists()
