"""Which services there are, how each is started, and every setting it is given.

The one place that knows the `CASTONCE_*` variables of a service process. Never puts a secret into
an environment: secrets are files, and the variables name them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.home import CHECKOUT, Home
from deploy.local.ports import LOOPBACK, Ports

ALL = ("elections", "identity", "codes", "votes", "postal", "board", "gateway", "monitor")
WITH_DATABASE = ("elections", "identity", "codes", "votes", "postal", "board", "gateway")
WITH_READER = ("board",)
"""Who answers what the public asks of its database under a role that may only read."""
WITH_API = ("elections", "identity", "codes", "postal", "board", "gateway")
WITH_STAFF = ("elections", "identity", "codes", "postal")
"""Who takes officials' commands; the others don't learn who the officials are."""
# What a person may set for themselves in the environment of `castonce up`.
SETTABLE_BY_ALL = ("CASTONCE_LOG_LEVEL",)
_PAGES = ("CASTONCE_IS_TLS", "CASTONCE_TIME_ZONE")
SETTABLE = {
    "votes": ("CASTONCE_VERIFIERS",),
    "board": ("CASTONCE_BOARD_NAME", "CASTONCE_BOARD_URL", "CASTONCE_BOOTH_URL", *_PAGES),
    "gateway": ("CASTONCE_BOARD_URL", "CASTONCE_BOOTH_MANIFEST", *_PAGES),
}
SITES = {"gateway": "CASTONCE_BOOTH_URL", "board": "CASTONCE_BOARD_URL"}
"""Who shows pages to the public, and the variable that says where they are."""
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


@dataclass(frozen=True)
class ServiceSpec:
    """One service as a process: what to run and where to ask whether it is ready."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    admin_port: int


def present() -> tuple[str, ...]:
    """The services whose code is in this checkout."""
    return tuple(name for name in ALL if (CHECKOUT / "services" / name / "__main__.py").exists())


def database_name(service: str) -> str:
    return f"castonce_{service}"


def owner_role(service: str) -> str:
    """The role that owns the tables and runs the migrations; no process of a service has it."""
    return f"{service}_owner"


def runtime_role(service: str) -> str:
    """The role a service runs as: it may do what the migrations grant it."""
    return f"{service}_app"


def reader_role(service: str) -> str:
    """The role under which the public's questions are answered: it may read some tables."""
    return f"{service}_reader"


def spec(
    home: Home, ports: Ports, service: str, extra: Mapping[str, str] | None = None
) -> ServiceSpec:
    """How this home starts the service; `extra` settings win, for tests."""
    return ServiceSpec(
        name=service,
        argv=(sys.executable, "-m", f"services.{service}"),
        environment={
            **_inherited(service),
            **_settings(home, ports, service),
            **(_database(home, ports, service) if service in WITH_DATABASE else {}),
            **(_reader(home, service) if service in WITH_READER else {}),
            **({"CASTONCE_STAFF_FILE": str(home.staff_file)} if service in WITH_STAFF else {}),
            **({"CASTONCE_ARCHIVE_DIR": str(home.archive)} if service == "board" else {}),
            **_pages(ports, service),
            **(extra or {}),
        },
        admin_port=ports.admin(service),
    )


def site_url(ports: Ports, service: str) -> str:
    """Where a site's pages are for people: what they set in the environment, else this machine."""
    return os.environ.get(SITES[service]) or f"http://{LOOPBACK}:{ports.api(service)}/"


def _pages(ports: Ports, service: str) -> dict[str, str]:
    """Each of the two sites is told where the other one is; settings of a person's win."""
    others = [name for name in SITES if name != service and service in SITES]
    return {SITES[name]: site_url(ports, name) for name in others}


def _inherited(service: str) -> dict[str, str]:
    names = (*INHERITED, *SETTABLE_BY_ALL, *SETTABLE.get(service, ()))
    return {"PYTHONUNBUFFERED": "1"} | {
        name: os.environ[name] for name in names if name in os.environ
    }


def _settings(home: Home, ports: Ports, service: str) -> dict[str, str]:
    return {
        "CASTONCE_INSTANCE": f"{service}-0",
        "CASTONCE_KAFKA": f"{LOOPBACK}:{ports.of('kafka')}",
        "CASTONCE_HOST": LOOPBACK,
        "CASTONCE_ADMIN_PORT": str(ports.admin(service)),
        "CASTONCE_API_PORT": str(ports.api(service) if service in WITH_API else 0),
        "CASTONCE_SECRETS_DIR": str(home.secret_folder(service)),
        "CASTONCE_TRUST_DIR": str(home.trust),
    }


def _database(home: Home, ports: Ports, service: str) -> dict[str, str]:
    return {
        "CASTONCE_DATABASE_HOST": LOOPBACK,
        "CASTONCE_DATABASE_PORT": str(ports.of("postgres")),
        "CASTONCE_DATABASE_NAME": database_name(service),
        "CASTONCE_DATABASE_USER": runtime_role(service),
        "CASTONCE_DATABASE_PASSWORD_FILE": str(home.password_file(service, "database")),
    }


def _reader(home: Home, service: str) -> dict[str, str]:
    return {
        "CASTONCE_DATABASE_READER": reader_role(service),
        "CASTONCE_DATABASE_READER_PASSWORD_FILE": str(home.password_file(service, "reader")),
    }


def supervisor_environment(home: Home) -> dict[str, str]:
    """What the daemon needs to build each service's settings itself."""
    passed = (
        *INHERITED,
        *SETTABLE_BY_ALL,
        *(name for names in SETTABLE.values() for name in names),
    )
    own = {"CASTONCE_CACHE": str(home.cache), "PYTHONUNBUFFERED": "1"}
    java = ("CASTONCE_JAVA",)
    return own | {name: os.environ[name] for name in (*passed, *java) if name in os.environ}
