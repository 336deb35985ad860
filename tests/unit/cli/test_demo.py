"""What `castonce demo` believes of an election that an earlier start left."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest

from cli import booth, demo
from cli.screen import CliError
from deploy.local.home import Home, write_private
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
