"""What the measurements run in: a stack of its own, the peer beside it, and the voters' process.

Promises an empty home at every start but for the sealed ballots, that every process is one that was
started here, and that all of them are ended when the room is left.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import msgspec

from ballots.election import Election
from deploy.local import ports, processes, readiness, services
from deploy.local.home import Home
from deploy.local.processes import PidFile
from deploy.local.stack import Stack
from shared.contracts.topics import RIGHTS
from shared.kafka.lag import LagReader, Place
from shared.kafka.producer import Producer
from shared.keys import read_public, read_secret
from tests.bench import cpu, peer
from tests.bench.electorate import make_election, right_id
from tests.bench.law import Law
from tests.bench.load import Outcome, Prepare, Run
from tests.bench.plain_pages import Answer
from tests.bench.sealed import SealedBallots

FIRST_PORT = 27_000
PEER_OFFSET = 70
PEER_CONNECTIONS = 16
PEER_DATABASE = "castonce_peer"
VOTES_DATABASE = services.database_name("votes")
LIMIT_SECONDS = 120
TUNED = {"max_wal_size": "16GB", "checkpoint_timeout": "30min"}
"""So that no checkpoint falls into one row and not into the next; the same for both sides."""

T = TypeVar("T")


class Room:
    """The stack, the peer, the voters; used as a context manager."""

    def __init__(self, home: Home, electors: int) -> None:
        self.home = home
        self.electors = electors
        self.election: Election = make_election()
        self.ballots = SealedBallots(home.root / "ballots")
        self.stack = Stack(home, ports.load(home, _base()))
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    async def __aenter__(self) -> "Room":
        print(f"Sealing what is missing of {self.electors:,} ballots ...", flush=True)  # noqa: T201
        await asyncio.to_thread(self.ballots.ensure, self.electors)
        print("Starting Kafka and PostgreSQL ...", flush=True)  # noqa: T201
        try:
            await self._open()
        except BaseException:
            await asyncio.to_thread(self.stack.stop)
            raise
        return self

    async def _open(self) -> None:
        await asyncio.to_thread(self.stack.stop)
        self.home.remove_state()
        await asyncio.to_thread(self.stack.start_infrastructure)
        await self._tune()
        await self._define()
        self._start_voters()

    async def __aexit__(self, *_: object) -> None:
        for name in list(self._children):
            self._end(name)
        await asyncio.to_thread(self.stack.stop)

    async def sql(self, database: str = VOTES_DATABASE) -> "asyncpg.Connection[Any]":
        """A superuser's connection."""
        return await asyncpg.connect(self.address(database))

    def address(self, database: str) -> str:
        """Where a superuser finds a database; it has the password in it."""
        return self._address("postgres", self._superuser(), database)

    async def run_sql(self, text: str, database: str = VOTES_DATABASE) -> list[asyncpg.Record]:
        """What one statement gives."""
        connection = await self.sql(database)
        try:
            return await connection.fetch(text, timeout=LIMIT_SECONDS * 10)
        finally:
            await connection.close()

    async def new_votes_database(self, suffix: str) -> str:
        """One more database of votes, empty."""
        return await asyncio.to_thread(self.stack.add_database, "votes", suffix)

    async def new_peer_database(self, name: str = PEER_DATABASE) -> None:
        """The peer's tables, empty."""
        await self.run_sql(f"create database {name}", "postgres")
        for statement in filter(str.strip, peer.SCHEMA.split(";")):
            await self.run_sql(statement, name)

    # Processes

    def start_gateway(self) -> None:
        """The gateway, as the stack starts it."""
        self.stack.start_service("gateway")

    def start_votes(self, *, is_stubbed: bool, database: str = VOTES_DATABASE) -> None:
        """Votes, really or with proofs believed, on one of its databases."""
        extra = {"CASTONCE_DATABASE_NAME": database}
        if not is_stubbed:
            self.stack.start_service("votes", extra, LIMIT_SECONDS)
            return
        spec = services.spec(self.home, self.stack.ports, "votes", extra)
        pid_file, log = self.stack.service_pid_file("votes"), self.stack.service_log("votes")
        argv = (sys.executable, "-m", "tests.bench.stubbed_votes")
        processes.start_detached(argv, log, pid_file, spec.environment)
        is_ready = _asks(spec.admin_port)
        processes.wait_until(is_ready, pid_file, log, LIMIT_SECONDS)

    def stop_votes(self) -> None:
        """End votes in good order."""
        self.stack.stop_service("votes")

    def start_peer(self, *, is_stubbed: bool, database: str = PEER_DATABASE) -> None:
        """The plain service."""
        address = self.address(database)
        argv = [sys.executable, "-m", "tests.bench.peer", "--port", str(self.peer_port)]
        argv += ["--connections", str(PEER_CONNECTIONS)]
        child = self._start("peer", [*argv, *(["--stub"] if is_stubbed else [])])
        seed = read_secret(self.home.secrets / "votes" / "signing.key")
        identity = read_public(self.home.trust, "identity")
        _write(child, f"{address}\n{seed}\n{identity}\n".encode())
        if _read(child).strip() != b"ready":
            raise RuntimeError(f"the peer did not start, see {self._log('peer')}")

    def stop_peer(self) -> None:
        """End the plain service."""
        self._end("peer")

    def start_plain_pages(self, answers: Sequence[Answer]) -> int:
        """The plain service of pages, at the peer's port; its process."""
        argv = [sys.executable, "-m", "tests.bench.plain_pages", str(self.peer_port)]
        child = self._start("plain_pages", argv)
        _write(child, msgspec.json.encode(answers) + b"\n")
        if _read(child).strip() != b"ready":
            raise RuntimeError(f"plain pages did not start, see {self._log('plain_pages')}")
        return child.pid

    def stop_plain_pages(self) -> None:
        """End it."""
        self._end("plain_pages")

    # The voters

    async def prepare(self, command: Prepare) -> None:
        """Have the voters' requests built."""
        await self._ask_voters(command, int)

    async def vote(self, run: Run) -> Outcome:
        """Have the voters vote."""
        return await self._ask_voters(run, Outcome)

    async def _ask_voters(self, command: Prepare | Run, kind: type[T]) -> T:
        child = self._children["load"]
        _write(child, msgspec.json.encode(command) + b"\n")
        answer = await asyncio.to_thread(_read, child)
        if not answer:
            raise RuntimeError(f"the voters' process ended, see {self._log('load')}")
        return msgspec.json.decode(answer, type=kind)

    @property
    def gateway_port(self) -> int:
        return self.stack.ports.api("gateway")

    @property
    def peer_port(self) -> int:
        return self.stack.ports.base + PEER_OFFSET

    # What the log and the tables say

    async def log_ends(self) -> dict[int, int]:
        """The end of each partition of rights."""
        reader = LagReader(self.stack.kafka_address, [RIGHTS])
        await reader.start()
        try:
            ends: Mapping[Place, int] = (await reader.look()).ends
        finally:
            await reader.stop()
        return {partition: end for (_, partition), end in ends.items()}

    async def applied(self, database: str = VOTES_DATABASE) -> dict[int, int]:
        """How far votes has applied each partition of rights."""
        rows = await self.run_sql("select partition, next_offset from consumer_offsets", database)
        return {row["partition"]: row["next_offset"] for row in rows}

    async def until_applied(self, database: str = VOTES_DATABASE) -> None:
        """Return when votes has applied the whole log."""
        ends = await self.log_ends()
        async with asyncio.timeout(LIMIT_SECONDS * 5):
            while not reaches(await self.applied(database), ends):  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    def pids(
        self, *, of_peer: bool, services: Sequence[str] = ("gateway", "votes")
    ) -> dict[str, int]:
        """The processes whose CPU is told apart."""
        own = {"peer": self._children["peer"].pid} if of_peer else {}
        if not of_peer:
            own = {name: self.service_pid(name) for name in services}
        return {**own, **self.infrastructure_pids(), "load": self._children["load"].pid}

    def service_pid(self, service: str) -> int:
        """The process of a service that runs."""
        return _pid(self.stack.service_pid_file(service))

    def infrastructure_pids(self) -> dict[str, int]:
        """The server's and the broker's."""
        server, broker = self.stack.server, self.stack.broker
        return {"PostgreSQL": _pid(server.pid_file), "Kafka": _pid(broker.pid_file)}

    async def _tune(self) -> None:
        for name, value in TUNED.items():
            await self.run_sql(f"alter system set {name} = '{value}'", "postgres")
        await self.run_sql("select pg_reload_conf()", "postgres")

    async def _define(self) -> None:
        producer = Producer(self.stack.kafka_address, "bench-0")
        await producer.start()
        try:
            law = Law(self.election, self.home.secrets, self.home.trust)
            await law.write(producer, self.electors)
        finally:
            await producer.stop()

    async def publish_credentials(self) -> None:
        """Tell the board the list of credentials: its pages begin with it."""
        producer = Producer(self.stack.kafka_address, "bench-1")
        await producer.start()
        try:
            law = Law(self.election, self.home.secrets, self.home.trust)
            await law.publish_credentials(producer, self.electors)
        finally:
            await producer.stop()

    async def copy_sealed_electors(self, database: str = PEER_DATABASE) -> None:
        """Give the peer the rights that the log grants to the sealed electors."""
        connection = await self.sql(database)
        named = msgspec.json.Decoder(peer.Named)
        rows = [
            (right_id(number), named.decode(ballot).credential)
            for number, ballot in enumerate(self.ballots.some(0, self.electors))
        ]
        try:
            await connection.copy_records_to_table("rights", records=rows)
        finally:
            await connection.close()

    def _start_voters(self) -> None:
        argv = [sys.executable, "-m", "tests.bench.load"]
        self._start("load", [*argv, str(self.home.root), str(self.home.root / "ballots")])

    def _start(self, name: str, argv: list[str]) -> "subprocess.Popen[bytes]":
        with self._log(name).open("wb") as log:
            child = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
            )
        self._children[name] = child
        return child

    def _end(self, name: str) -> None:
        child = self._children.pop(name)
        child.terminate()
        child.wait(10)

    def _log(self, name: str) -> Path:
        return self.home.logs / f"{name}.log"

    def _superuser(self) -> str:
        return self.stack.server.password_file.read_text()

    def _address(self, user: str, password: str, database: str) -> str:
        where = f"{ports.LOOPBACK}:{self.stack.server.port}/{database}"
        return f"postgresql://{user}:{password}@{where}?sslmode=disable"


def reaches(applied: Mapping[int, int], ends: Mapping[int, int]) -> bool:
    """Whether every partition is applied to its end."""
    return all(applied.get(partition, 0) >= end for partition, end in ends.items())


def load() -> float:
    """The machine's load average, as a figure of how quiet it was."""
    return cpu.load_average()


def _asks(admin_port: int) -> Any:
    return lambda: readiness.is_ready(admin_port)


def _pid(pid_file: PidFile) -> int:
    found = pid_file.running()
    if found is None:
        raise RuntimeError(f"{pid_file.path.stem} does not run")
    return found.pid


def _base() -> int:
    chosen = os.environ.get("CASTONCE_PORT_BASE", "")
    return int(chosen) if chosen.isdigit() else ports.free_base(start=FIRST_PORT)


def _write(child: "subprocess.Popen[bytes]", text: bytes) -> None:
    assert child.stdin is not None
    child.stdin.write(text)
    child.stdin.flush()


def _read(child: "subprocess.Popen[bytes]") -> bytes:
    assert child.stdout is not None
    return child.stdout.readline()
