"""What `castonce demo` believes of an election that an earlier start left."""

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from cli import booth, demo, demo_codes
from cli.screen import CliError
from deploy.local.errors import DidNotStart
from deploy.local.home import Home, write_private
from deploy.local.ports import Ports
from deploy.local.stack import Stack
from tests.unit.cli import gateway_double as double


@dataclass
class Place:
    """As much of a stack as the demo asks: where its files are, and where its gateway is."""

    home: Home
    port: int

    @property
    def ports(self) -> "Place":
        return self

    def api(self, _: str) -> int:
        """The gateway's port."""
        return self.port


def keep(home: Home, election_id: str) -> demo.Demo:
    """What a start before this one wrote down."""
    home.ensure()
    kept = demo.Demo(election_id, [])
    write_private(home.demo_file, msgspec.json.encode(kept).decode())
    return kept


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home of the test's own."""
    return Home(tmp_path / "home", tmp_path / "cache")


def test_the_same_election_is_shown_again_only_if_the_gateway_has_it(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Codes of an election that is gone work nowhere: another is set up in its place."""
    monkeypatch.setattr(demo, "READING_SECONDS", 0.0)
    with double.serving() as gateway:
        place = Place(home, urlsplit(gateway.url).port or 0)
        assert demo._existing(place) is None
        kept = keep(home, double.UUID)
        assert demo._existing(place) == kept
        keep(home, "aaaaaaaaaaaaaa")
        assert demo._existing(place) is None


def test_a_gateway_that_is_away_is_told_in_words(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nobody knows, and no second election is made."""
    monkeypatch.setattr(booth, "TRIES", 1)
    keep(home, double.UUID)
    with pytest.raises(CliError, match="gateway"):
        demo._existing(Place(home, 1))


class Stopped(Place):
    """A stack whose programs are ended by the same Ctrl-C that the demo hears."""

    def stop(self) -> None:
        """Nothing runs."""


def test_ctrl_c_while_it_starts_is_no_complaint(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Programs that were ended by it didn't fail, and a start that fails by itself is told."""
    stopped = threading.Event()

    def fails(_: object) -> None:
        raise DidNotStart("Kafka's storage can't be formatted", "Run castonce doctor.")

    monkeypatch.setattr(demo, "_start", fails)
    monkeypatch.setattr(demo, "_interrupts", lambda: stopped)
    monkeypatch.setattr(demo, "Stack", lambda *_: Stopped(home, 1))
    monkeypatch.setattr(demo.daemon, "is_running", lambda _: False)
    with pytest.raises(DidNotStart):
        demo.demo(home=home.root)
    stopped.set()
    demo.demo(home=home.root)
    assert "Stopped before" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("path", "said", "told"),
    [
        ("", None, "not used yet"),
        ("proof", (409, {"code": "already_voted_online", "first_at_ms": 9}), "has voted online"),
        ("state", (200, {"state": "spent", "since_ms": 9}), "has voted online"),
        ("state", (200, {"state": "blocked", "since_ms": 9}), "has voted by post"),
        ("answers", (403, {"code": "locked"}), "locked"),
        ("proof", (403, {"code": "something_new"}), demo_codes.UNKNOWN),
        ("state", (503, {"code": "unavailable"}), demo_codes.UNKNOWN),
    ],
)
def test_codes_shown_again_say_whether_they_are_used(
    monkeypatch: pytest.MonkeyPatch, path: str, said: double.Said, told: str
) -> None:
    """Asked of the gateway without a ballot; where it doesn't say, they may have been used."""
    monkeypatch.setattr(booth, "TRIES", 1)
    packs = [(double.CODE, {"postcode": double.ANSWER})]
    with double.serving() as gateway:
        if path:
            gateway.told[f"/api/sessions/s1/{path}"] = said
        [found] = asyncio.run(demo_codes.standings(gateway.url, double.UUID, packs))
        assert not gateway.ballots
    assert told in found


def test_a_demo_elector_has_a_link_as_a_letter_has_it(tmp_path: Path) -> None:
    """The code is in the fragment, in one piece, on the page of the demo election."""
    elector = demo.DemoElector("Ann", "1", "G2XE-5VQN-3ZHK-W0X8-1NGW", "9", {})
    stack = Stack(Home(tmp_path, tmp_path), Ports(9000))
    shown = demo._link(stack, demo.Demo("nuCS8kYZMPVnKe", [elector]), elector)
    assert shown == "http://127.0.0.1:9000/nuCS8kYZMPVnKe#G2XE5VQN3ZHKW0X81NGW"
