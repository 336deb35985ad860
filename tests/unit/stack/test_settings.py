"""What is handed to processes: settings in the environment, secrets only as files."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from deploy.local import broker_settings, keys, provision, services
from deploy.local.home import Home
from deploy.local.ports import Ports
from deploy.local.supervisor import explain_exit
from services.gateway.config import GatewaySettings
from shared.config import load
from shared.errors import SettingsError


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home", tmp_path / "cache")
    made.ensure()
    keys.ensure(made)
    return made


@pytest.mark.parametrize("service", services.ALL)
def test_no_secret_is_in_a_service_environment(home: Home, service: str) -> None:
    """The environment of a process can be read by others of its user: it names files only."""
    spec = services.spec(home, Ports(9000), service)
    secrets = {path.read_text() for path in home.secrets.rglob("*") if path.is_file()}
    assert secrets
    assert not secrets & set(spec.environment.values())


@pytest.mark.parametrize("service", services.ALL)
def test_only_who_takes_commands_is_told_who_may_give_them(home: Home, service: str) -> None:
    """A service without an official's route has no list of officials; the others have it."""
    package = services.CHECKOUT / "services" / service
    routes = "".join(path.read_text() for path in package.rglob("*.py"))
    settings = services.spec(home, Ports(9000), service).environment
    assert ("CASTONCE_STAFF_FILE" in settings) == ("StaffList(" in routes)


def test_the_gateway_has_no_key_that_anybody_would_believe(home: Home) -> None:
    """It faces the public network: what it says is believed for a voter's or an official's sake."""
    assert not (home.secrets / "gateway" / "signing.key").exists()
    assert not (home.trust / "gateway.pub").exists()


def test_stray_settings_do_not_reach_services(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service refuses unknown settings, so what is meant for `castonce up` stays out of it."""
    monkeypatch.setenv("CASTONCE_HOME", "/somewhere")
    monkeypatch.setenv("CASTONCE_LOG_LEVEL", "debug")
    monkeypatch.setenv("CASTONCE_VERIFIERS", "2")
    settings = services.spec(home, Ports(9000), "gateway").environment
    assert settings["CASTONCE_LOG_LEVEL"] == "debug"
    assert "CASTONCE_HOME" not in settings
    assert "CASTONCE_VERIFIERS" not in settings
    assert services.spec(home, Ports(9000), "votes").environment["CASTONCE_VERIFIERS"] == "2"


def test_the_owner_password_is_out_of_the_service_reach(home: Home) -> None:
    """The role that may change tables has its password outside the service's own folder."""
    path = provision.owner_password_file(home, "votes")
    spec = services.spec(home, Ports(9000), "votes")
    assert not path.is_relative_to(spec.environment["CASTONCE_SECRETS_DIR"])


def test_scram_verifier_fits_the_password() -> None:
    """PostgreSQL gets RFC 5803's verifier: the password fits it and isn't in it."""
    verifier = provision.scram_verifier("correct horse")
    _, rounds_and_salt, keys_text = verifier.split("$")
    rounds, salt = rounds_and_salt.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", b"correct horse", base64.b64decode(salt), int(rounds))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    assert keys_text.split(":")[0] == base64.b64encode(hashlib.sha256(client_key).digest()).decode()
    assert "horse" not in verifier


def test_the_broker_listens_on_loopback_and_makes_no_topics() -> None:
    """The local broker can't be reached from the network and creates no topic by itself."""
    text = broker_settings.server_properties(Path("/data"), 9010, 9011)
    settings = dict(line.split("=", 1) for line in text.splitlines())
    listeners = settings["listeners"].split(",") + settings["advertised.listeners"].split(",")
    assert all("//127.0.0.1:" in one for one in listeners)
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["unclean.leader.election.enable"] == "false"


@pytest.mark.parametrize(
    ("code", "words"),
    [(3, "ended with exit code 3"), (-9, "was ended by SIGKILL"), (-15, "was ended by SIGTERM")],
)
def test_an_exit_is_explained_in_words(code: int, words: str) -> None:
    """A death is told by exit code or by the name of the signal."""
    assert explain_exit(code) == words


def test_each_site_is_told_where_the_other_one_is(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This machine's address, or what a person set because of a proxy; nobody else is told."""
    found = {name: services.spec(home, Ports(9000), name).environment for name in services.ALL}
    assert found["gateway"]["CASTONCE_BOARD_URL"] == "http://127.0.0.1:9002/"
    assert found["board"]["CASTONCE_BOOTH_URL"] == "http://127.0.0.1:9000/"
    assert {name for name in services.ALL if "_URL" in " ".join(found[name])} == {
        "gateway",
        "board",
    }
    monkeypatch.setenv("CASTONCE_BOARD_URL", "https://board.example.org/")
    gateway = services.spec(home, Ports(9000), "gateway").environment
    assert gateway["CASTONCE_BOARD_URL"] == "https://board.example.org/"
    # Its own pages name it in commands to copy; unset, it is host and port.
    board = services.spec(home, Ports(9000), "board").environment
    assert board["CASTONCE_BOARD_URL"] == "https://board.example.org/"


@pytest.mark.parametrize("address", ["javascript:x/", "https://a.example", "//a.example/", "x/"])
def test_a_sites_address_that_is_none_is_refused(home: Home, address: str) -> None:
    """It becomes a link on every page."""
    environment = dict(services.spec(home, Ports(9000), "gateway").environment)
    load(GatewaySettings, environment)
    with pytest.raises(SettingsError, match="CASTONCE_BOARD_URL"):
        load(GatewaySettings, environment | {"CASTONCE_BOARD_URL": address})
