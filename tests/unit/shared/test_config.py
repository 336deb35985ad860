"""Settings: a service starts with exactly what it was told, or says what to change."""

from pathlib import Path
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from shared.config import ServiceSettings, load
from shared.errors import KeyFileError, SettingsError


class Settings(ServiceSettings, frozen=True, kw_only=True):
    """A service with one setting of its own."""

    verifiers: Annotated[int, Meta(ge=1, le=64)] = 2


def environment(**changes: str | None) -> dict[str, str]:
    given: dict[str, str | None] = {
        "PATH": "/bin",
        "CASTONCE_INSTANCE": "votes-0",
        "CASTONCE_KAFKA": "127.0.0.1:9092",
        "CASTONCE_DATABASE_HOST": "127.0.0.1",
        "CASTONCE_DATABASE_PORT": "5432",
        "CASTONCE_DATABASE_NAME": "castonce_votes",
        "CASTONCE_DATABASE_USER": "votes_app",
        "CASTONCE_DATABASE_PASSWORD_FILE": "/run/password",
        "CASTONCE_ADMIN_PORT": "8421",
        "CASTONCE_SECRETS_DIR": "/run/secrets",
        "CASTONCE_TRUST_DIR": "/run/trust",
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


def test_what_is_given_arrives_typed() -> None:
    """Numbers are numbers, paths are paths, and what isn't given has its default."""
    settings = load(Settings, environment(CASTONCE_VERIFIERS="3"))
    assert settings.verifiers == 3
    assert settings.database_port == 5432
    assert settings.trust_dir == Path("/run/trust")
    assert settings.host == "127.0.0.1"
    assert settings.staff_file is None


def test_settings_never_change() -> None:
    """What a service started with is what it runs with."""
    settings = load(Settings, environment())
    with pytest.raises(AttributeError):
        settings.verifiers = 9  # type: ignore[misc]


def test_an_unknown_variable_stops_the_start_and_names_the_nearest() -> None:
    """A mistyped setting is never silently without effect."""
    with pytest.raises(SettingsError, match=r"CASTONCE_VERIFYERS .* mean CASTONCE_VERIFIERS"):
        load(Settings, environment(CASTONCE_VERIFYERS="3"))


def test_other_peoples_variables_are_left_alone() -> None:
    """Only our own prefix is ours to judge."""
    assert load(Settings, environment(KUBERNETES_PORT="x", castonce_lower="y"))


def test_a_missing_variable_is_named() -> None:
    """The message says which variable to set."""
    with pytest.raises(SettingsError, match="CASTONCE_KAFKA is not set"):
        load(Settings, environment(CASTONCE_KAFKA=None))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CASTONCE_VERIFIERS", "many", "int"),
        ("CASTONCE_VERIFIERS", "0", ">= 1"),
        ("CASTONCE_VERIFIERS", "65", "<= 64"),
        ("CASTONCE_VERIFIERS", "", "int"),
        ("CASTONCE_DATABASE_PORT", "70000", "<= 65535"),
        ("CASTONCE_INSTANCE", "Votes 0", "regex"),
        ("CASTONCE_KAFKA", "nowhere", "regex"),
        ("CASTONCE_LOG_LEVEL", "loud", "one of debug, info, warning, error"),
        ("CASTONCE_TRUST_DIR", "", "path"),
        ("CASTONCE_HOST", "a b", "regex"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    name: str, value: str, expected: str
) -> None:
    """The message helps, and never repeats the value, which could be a secret put in its place."""
    with pytest.raises(SettingsError, match=name) as caught:
        load(Settings, environment(**{name: value}))
    assert expected in str(caught.value)
    if value and name != "CASTONCE_VERIFIERS":
        assert value not in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    """Nobody has to start five times to find five mistakes."""
    wrong = environment(CASTONCE_KAFKA=None, CASTONCE_VERIFIERS="x", CASTONCE_SURPRISE="1")
    with pytest.raises(SettingsError) as caught:
        load(Settings, wrong)
    for name in ("CASTONCE_KAFKA", "CASTONCE_VERIFIERS", "CASTONCE_SURPRISE"):
        assert name in str(caught.value)


def test_a_secret_in_the_environment_is_refused_unread() -> None:
    """Secrets come as files only: a password in a variable is an unknown setting, never shown."""
    with pytest.raises(SettingsError, match="CASTONCE_DATABASE_PASSWORD") as caught:
        load(Settings, environment(CASTONCE_DATABASE_PASSWORD="hunter2"))
    assert "hunter2" not in str(caught.value)


def test_secrets_are_read_from_files_of_ones_own(tmp_path: Path) -> None:
    """The password and the keys come from private files, or not at all."""
    (tmp_path / "signing.key").write_text("ab" * 32 + "\n")
    (tmp_path / "signing.key").chmod(0o600)
    (tmp_path / "password").write_text("hunter2\n")
    (tmp_path / "password").chmod(0o644)
    settings = load(
        Settings,
        environment(
            CASTONCE_SECRETS_DIR=str(tmp_path),
            CASTONCE_DATABASE_PASSWORD_FILE=str(tmp_path / "password"),
        ),
    )
    assert settings.secret("signing.key") == "ab" * 32
    with pytest.raises(KeyFileError, match="chmod 600"):
        settings.database_password()


def test_a_settings_type_needs_no_base() -> None:
    """Any struct can be loaded, so that a tool may have settings of its own."""

    class Small(msgspec.Struct, frozen=True):
        home: Path | None = None

    assert load(Small, {"CASTONCE_HOME": "/x"}).home == Path("/x")
