"""Settings from the environment: every `CASTONCE_*` variable is known, typed and in range.

Promises that a service starts with exactly the settings it names, or not at all, saying which one
to change and what was expected. Must never print a value, or take a secret from the environment:
secrets are files. The stack starts a service with the service's own variables only.

    class VotesSettings(ServiceSettings, frozen=True, kw_only=True):
        verifiers: Annotated[int, Meta(ge=1, le=64)] = 2      # CASTONCE_VERIFIERS

    settings = load(VotesSettings, os.environ)
    settings.database_port, settings.secret("signing.key")
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from shared.errors import SettingsError
from shared.keys import read_secret

PREFIX = "CASTONCE_"

S = TypeVar("S", bound=Struct)
Word = Annotated[str, Meta(min_length=1, max_length=200)]
Host = Annotated[str, Meta(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._:-]+$")]
Port = Annotated[int, Meta(ge=1, le=65535)]
PortOrNone = Annotated[int, Meta(ge=0, le=65535)]
HostAndPort = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9._-]+:[0-9]{1,5}(,[A-Za-z0-9._-]+:[0-9]{1,5})*$")
]


class ProcessSettings(Struct, frozen=True, kw_only=True):
    """What every process needs, also one that has neither a database nor a key of its own."""

    instance: Annotated[str, Meta(pattern="^[a-z][a-z0-9-]{0,60}$")]
    """Name of this process, such as `votes-0`: Kafka's group.instance.id."""
    kafka: HostAndPort
    admin_port: PortOrNone
    """Where /livez, /readyz and /metrics answer; 0 lets the system choose (tests)."""
    api_port: PortOrNone = 0
    """Where the API listens; 0 when the service has none."""
    host: Host = "127.0.0.1"
    secrets_dir: Path
    """The folder with this service's own secrets (`signing.key`, ...), no other's."""
    trust_dir: Path
    """The folder with everybody's public keys (`<service>.pub`)."""
    staff_file: Path | None = None
    """Who may use the internal API; required by services that have one."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    def secret(self, name: str) -> str:
        """The content of one of this service's own secret files."""
        return read_secret(self.secrets_dir / name)


class ServiceSettings(ProcessSettings, frozen=True, kw_only=True):
    """What a service with a database needs; its own settings are a subclass with more fields."""

    database_host: Host
    database_port: Port
    database_name: Word
    database_user: Word
    database_password_file: Path

    def database_password(self) -> str:
        """The database role's password, from its file."""
        return read_secret(self.database_password_file)


def load(settings: type[S], environ: Mapping[str, str]) -> S:
    """The settings that `environ` holds; raises SettingsError naming every variable to change."""
    fields = {field.name: field for field in msgspec.structs.fields(settings)}
    given = {_field(name): text for name, text in environ.items() if name.startswith(PREFIX)}
    problems = [_unknown(name, fields) for name in given if name not in fields]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in given:
            try:
                values[name] = _convert(given[name], field.type)
            except (msgspec.ValidationError, ValueError) as error:
                problems.append(f"{_variable(name)}: {error}.")
        elif field.required:
            problems.append(f"{_variable(name)} is not set.")
    if problems:
        raise SettingsError(" ".join(problems))
    return settings(**values)


def _convert(text: str, kind: Any) -> Any:
    if kind in (Path, Path | None):
        if not text:
            raise ValueError("Expected a path")
        return Path(text)
    if get_origin(kind) is Literal and text not in get_args(kind):
        # msgspec's own sentence would quote the value.
        raise ValueError(f"Expected one of {', '.join(map(str, get_args(kind)))}")
    return msgspec.convert(text, kind, strict=False)


def _field(variable: str) -> str:
    return variable.removeprefix(PREFIX).lower()


def _variable(field: str) -> str:
    return PREFIX + field.upper()


def _unknown(name: str, fields: Mapping[str, object]) -> str:
    nearest = difflib.get_close_matches(name, fields, n=1)
    hint = f" Did you mean {_variable(nearest[0])}?" if nearest else ""
    return f"{_variable(name)} is no setting of this service.{hint}"
