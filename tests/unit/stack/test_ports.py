"""Ports: each home has its own, and a conflict is explained."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from deploy.local import ports, services
from deploy.local.errors import PortTaken, StackError
from deploy.local.home import Home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("CASTONCE_PORT_BASE", raising=False)
    return Home(tmp_path / "home", tmp_path / "cache")


def test_a_moved_home_stays_moved(home: Home) -> None:
    """The base given once is used by every later start that names none."""
    assert ports.load(home).base == ports.DEFAULT_BASE
    ports.load(home, 12000)
    assert ports.load(home).base == 12000


def test_looking_moves_nothing(home: Home) -> None:
    """Asking which ports would be used writes nothing."""
    ports.wanted(home, 12000)
    assert not home.ports_file.exists()


def test_no_two_parts_share_a_port() -> None:
    """Within one home every listener has its own port, and two homes 100 apart share none."""
    mine = ports.Ports(9000)
    used = [mine.of(part) for part in ports.OFFSETS]
    used += [mine.admin(name) for name in ports.SERVICE_SLOTS]
    used += [mine.api(name) for name in services.WITH_API if name not in ports.OFFSETS]
    assert len(used) == len(set(used))
    assert all(9000 <= port < 9000 + ports.SPAN for port in used)


def test_a_taken_port_is_named_with_the_fix() -> None:
    """Who meets a conflict reads which port, for what, and the command that moves the copy."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            ports.require_free(ports.Ports(port - 10), {"kafka": port})
    assert f"Port {port}, which kafka needs" in caught.value.problem
    assert "castonce up --port-base" in caught.value.fix


@pytest.mark.parametrize("base", [80, 65500])
def test_an_impossible_base_is_refused(home: Home, base: int) -> None:
    """A base whose ports would be privileged or not exist is refused at once."""
    with pytest.raises(StackError):
        ports.load(home, base)


def test_a_base_in_words_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """CASTONCE_PORT_BASE that is no number is named, not ignored."""
    monkeypatch.setenv("CASTONCE_PORT_BASE", "high")
    with pytest.raises(StackError, match="CASTONCE_PORT_BASE"):
        ports.load(home)
