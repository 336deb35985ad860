"""Databases, roles and tables of the services: made where missing, migrated where behind.

For each service: database `castonce_<service>`, owned by `<service>_owner`, who runs migrations,
and the runtime role `<service>_app`, which may do what they grant and nothing else; for `board`
also `board_reader`, under which the public's questions are answered. Migrations are plain SQL:
`shared/schema`, then `services/<service>/schema`. Never shows a password in a process list or a
log.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import subprocess
import sysconfig
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from deploy.local import services
from deploy.local.errors import ProvisioningFailed
from deploy.local.home import CHECKOUT, Home
from deploy.local.ports import LOOPBACK
from deploy.local.postgres import Server

DBMATE = Path(sysconfig.get_path("scripts"), "dbmate")
SCRAM_ROUNDS = 4096
MIGRATION_LIMIT_SECONDS = 120


def databases(server: Server, names: Iterable[str]) -> None:
    """Make what is missing for these services and apply the migrations they lack.

    Raises ProvisioningFailed with PostgreSQL's or dbmate's own words.
    """
    wanted = list(names)
    there = set(server.run_sql("select datname from pg_database").split())
    missing = [name for name in wanted if services.database_name(name) not in there]
    _make_roles(server, wanted)
    for name in missing:
        database, owner = services.database_name(name), services.owner_role(name)
        server.run_sql(f"create database {database} owner {owner}")
    server.run_sql("".join(_access_sql(name, services.database_name(name)) for name in wanted))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: migrate(server, name), wanted))


def add_database(server: Server, service: str, suffix: str) -> str:
    """Make one more, empty and migrated, database of a service and return its name, for replays."""
    database = f"{services.database_name(service)}_{suffix}"
    server.run_sql(f"create database {database} owner {services.owner_role(service)}")
    server.run_sql(_access_sql(service, database))
    migrate(server, service, database)
    return database


def drop_database(server: Server, database: str) -> None:
    """Remove a database that `add_database` made, cutting its connections."""
    server.run_sql(f"drop database if exists {database} with (force)")


def _make_roles(server: Server, names: Iterable[str]) -> None:
    """Make the roles that are missing: all of a new service, a new one of an old service."""
    there = set(server.run_sql("select rolname from pg_roles").split())
    missing = {
        role: path
        for name in names
        for role, path in _roles(server.home, name).items()
        if role not in there
    }
    if missing:
        server.run_sql("".join(_role_sql(role, path) for role, path in missing.items()))


def _roles(home: Home, service: str) -> dict[str, Path]:
    """Each role of a service with the file of its password."""
    roles = {
        services.owner_role(service): owner_password_file(home, service),
        services.runtime_role(service): home.password_file(service, "database"),
    }
    if service in services.WITH_READER:
        roles[services.reader_role(service)] = home.password_file(service, "reader")
    return roles


def _role_sql(role: str, password: Path) -> str:
    return (
        f"create role {role} login nosuperuser nocreatedb nocreaterole noinherit"
        f" password '{scram_verifier(password.read_text())}';\n"
    )


def owner_password_file(home: Home, service: str) -> Path:
    """The owner's password: kept away from the service's own folder, which the service can read."""
    return home.password_file("postgres", services.owner_role(service))


def _access_sql(service: str, database: str) -> str:
    """Who may connect: nobody but the roles of this service."""
    names = [services.owner_role(service), services.runtime_role(service)]
    if service in services.WITH_READER:
        names.append(services.reader_role(service))
    roles = ", ".join(names)
    return (
        f"revoke all on database {database} from public;"
        f"grant connect on database {database} to {roles};"
    )


def scram_verifier(password: str) -> str:
    """What PostgreSQL stores for a password (RFC 5803), so that it never sees the password."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ROUNDS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    stored = base64.b64encode(hashlib.sha256(client_key).digest()).decode()
    server_key = base64.b64encode(hmac.digest(salted, b"Server Key", "sha256")).decode()
    return f"SCRAM-SHA-256${SCRAM_ROUNDS}:{base64.b64encode(salt).decode()}${stored}:{server_key}"


def migration_folders(service: str) -> list[Path]:
    """Where the service's SQL lies, in the order it is applied; only folders that hold some."""
    folders = (CHECKOUT / "shared" / "schema", CHECKOUT / "services" / service / "schema")
    return [folder for folder in folders if any(folder.glob("*.sql"))]


def migrate(server: Server, service: str, database: str | None = None) -> None:
    """Apply the migrations that the database lacks, as its owner, one folder after the other."""
    url = database_url(server, service, services.owner_role(service), database)
    for folder in migration_folders(service):
        table = "schema_migrations" if folder.parent.name == service else "shared_migrations"
        command = [str(DBMATE), "--no-dump-schema", "--env-file", os.devnull]
        command += ["--migrations-dir", str(folder), "--migrations-table", table, "migrate"]
        environment = {"DATABASE_URL": url, "PATH": os.environ.get("PATH", "")}
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=MIGRATION_LIMIT_SECONDS,
            env=environment,
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-1500:]
            where = folder.relative_to(CHECKOUT)
            raise ProvisioningFailed(f"A migration of {where} failed for {service}: {said}", "")


def database_url(server: Server, service: str, role: str, database: str | None = None) -> str:
    """The address of a service's database with the role's password in it, for libraries."""
    path = _roles(server.home, service)[role]
    where = f"{LOOPBACK}:{server.port}/{database or services.database_name(service)}"
    return f"postgresql://{role}:{quote(path.read_text())}@{where}?sslmode=disable"
