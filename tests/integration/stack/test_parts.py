"""Kafka and PostgreSQL as the stack runs them: safe, closed to strangers, back after a crash."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import provision, services, watchdog
from deploy.local.stack import Stack
from shared.testing.promises import promise


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


async def test_postgres_waits_for_the_disk(stack: Stack) -> None:
    """What PostgreSQL calls committed survives a power cut: it waits for the disk."""
    async with connected(stack.database_url("votes")) as votes:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await votes.fetchval(f"show {name}") == "on"
        assert (await votes.fetchval("show server_version")).startswith("18")


async def test_nobody_enters_without_the_password(stack: Stack) -> None:
    """A wrong password is refused for a service's role and for the superuser alike."""
    for user in (services.runtime_role("votes"), "postgres"):
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(
                host="127.0.0.1",
                port=stack.ports.of("postgres"),
                user=user,
                password="guess",
                database="castonce_votes",
            )


@promise("P7")
async def test_a_service_enters_no_other_database(stack: Stack) -> None:
    """The gateway's role can't even connect to the roll, nor any role to another's database."""
    url = stack.database_url("gateway").replace("castonce_gateway", "castonce_identity")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(url, timeout=10)


@promise("P3")
async def test_a_service_role_makes_no_tables_and_is_no_superuser(stack: Stack) -> None:
    """A hacked service can neither change its schema nor give itself rights."""
    async with connected(stack.database_url("votes")) as votes:
        for statement in (
            "create table mine (a int)",
            "alter role votes_app superuser",
            "set role votes_owner",
            "create role other",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await votes.execute(statement)


def test_no_password_is_in_a_log_or_command_line(stack: Stack) -> None:
    """Passwords lie in the secrets folder only: no log holds one, and no list of processes."""
    secrets = {path.read_text() for path in stack.home.secrets.rglob("*") if path.is_file()}
    seen = "".join(path.read_text(errors="replace") for path in stack.home.logs.glob("*.log"))
    listed = ["cat", *map(str, Path("/proc").glob("[0-9]*/cmdline"))]
    seen += subprocess.run(listed, capture_output=True, check=False).stdout.decode(errors="replace")
    assert not [secret for secret in secrets if secret in seen]


def test_postgres_does_not_run_as_root(stack: Stack) -> None:
    """Whoever started it, PostgreSQL runs as an ordinary user."""
    found = stack.server.pid_file.running()
    assert found is not None
    status = Path(f"/proc/{found.pid}/status").read_text()
    assert status.partition("Uid:")[2].split()[0] != "0"


async def test_migrations_run_once_and_again(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration is applied once, a new one at the next start, an empty list is fine."""
    folder = tmp_path / "votes" / "schema"
    folder.mkdir(parents=True)
    monkeypatch.setattr(
        provision, "migration_folders", lambda service: [folder] if any(folder.iterdir()) else []
    )
    monkeypatch.setattr(provision, "CHECKOUT", tmp_path)
    database = stack.add_database("votes", "migrated")
    url = stack.database_url("votes", "owner", database)
    make = "-- migrate:up\ncreate table {0} (a int);\n-- migrate:down\ndrop table {0};\n"
    for number, table in ((1, "one"), (2, "two")):
        (folder / f"2024010100000{number}_{table}.sql").write_text(make.format(table))
        for _ in range(2):
            provision.migrate(stack.server, "votes", database)
    async with connected(url) as owner:
        rows = await owner.fetch("select tablename from pg_tables where schemaname = 'public'")
    stack.drop_database(database)
    assert {row["tablename"] for row in rows} == {"one", "two", "schema_migrations"}


@promise("P15")
async def test_killed_postgres_comes_back_with_what_was_committed(stack: Stack) -> None:
    """After a kill and a start, a committed row is there and an open transaction's is not."""
    database = stack.add_database("votes", "killed")
    url = stack.database_url("votes", "owner", database)
    async with connected(url) as owner:
        await owner.execute("create table kept_after_a_kill (n int)")
        await owner.execute("insert into kept_after_a_kill values (1)")
    open_one = await asyncpg.connect(url)
    await open_one.execute("begin")
    await open_one.execute("insert into kept_after_a_kill values (2)")
    await asyncio.to_thread(stack.kill_postgres)
    assert not stack.server.is_running
    open_one.terminate()
    await asyncio.to_thread(stack.start_postgres)
    async with connected(url) as owner:
        rows = await owner.fetch("select n from kept_after_a_kill")
    await asyncio.to_thread(stack.drop_database, database)
    assert [row["n"] for row in rows] == [1]


@promise("P15")
async def test_killed_kafka_comes_back_with_its_topics(stack: Stack) -> None:
    """After a kill and a start the broker serves and a topic made before is there."""
    await _make_topic(stack, "stack-test.kill")
    await asyncio.to_thread(stack.kill_kafka)
    assert not stack.broker.is_running
    await asyncio.to_thread(stack.start_kafka)
    assert "stack-test.kill" in await _topics(stack)


@promise("P15")
async def test_the_watchdog_brings_a_dead_part_back(stack: Stack) -> None:
    """While the stack is up nobody has to start Kafka or PostgreSQL again by hand."""
    stopping, back = asyncio.Event(), asyncio.Event()
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)
        if "postgres serves again" in said:
            back.set()

    watching = asyncio.create_task(watchdog.watch(stack, stopping, hear))
    await asyncio.to_thread(stack.kill_postgres)
    async with asyncio.timeout(30):
        await back.wait()
    stopping.set()
    await watching
    assert said == ["postgres died; it is started again", "postgres serves again"]
    assert stack.server.serves()


def test_starting_twice_changes_nothing(stack: Stack) -> None:
    """A second start leaves the running processes alone."""
    before = (stack.broker.pid_file.running(), stack.server.pid_file.running())
    stack.start_infrastructure()
    assert (stack.broker.pid_file.running(), stack.server.pid_file.running()) == before


def test_kafka_makes_no_topic_by_itself(stack: Stack) -> None:
    """A misspelt topic name is an error, not a new topic with the wrong settings."""
    text = (stack.home.kafka / "server.properties").read_text()
    assert "auto.create.topics.enable=false\n" in text


async def _make_topic(stack: Stack, name: str) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_address)
    await client.start()
    try:
        await client.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    finally:
        await client.close()


async def _topics(stack: Stack) -> list[str]:
    client = AIOKafkaAdminClient(bootstrap_servers=stack.kafka_address)
    await client.start()
    try:
        return list(await client.list_topics())
    finally:
        await client.close()


def test_the_listeners_are_on_loopback_only(stack: Stack) -> None:
    """Nothing of the stack can be reached from another machine."""
    wanted = {stack.ports.of(part) for part in ("kafka", "kafka-controller", "postgres")}
    listed = subprocess.run(
        ["cat", "/proc/net/tcp", "/proc/net/tcp6"], capture_output=True, text=True, check=True
    )
    hosts = {
        fields[1].rpartition(":")[0]
        for fields in (line.split() for line in listed.stdout.splitlines())
        if len(fields) > 3 and fields[3] == "0A" and int(fields[1][-4:], 16) in wanted
    }
    assert hosts <= {"0100007F", "0000000000000000FFFF00000100007F"}
