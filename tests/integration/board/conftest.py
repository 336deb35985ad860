"""`board` on real Kafka and PostgreSQL, with its neighbours played and the public asking."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec
import pytest

from deploy.local import keys
from deploy.local.stack import Stack
from shared.consumer_types import Emission
from shared.contracts.board import ArchiveCompleted, BoardEnded
from shared.contracts.message import Message, decode, encode
from shared.contracts.topics import BOARD, ELECTIONS, Topic
from shared.kafka.decoding import Raw
from shared.kafka.producer import Producer
from shared.kafka.replay import BrokerLog
from shared.kafka.sealing import Sealed, Sealer
from shared.keys import Signer, read_secret
from shared.testing.board import Polls

WAIT_SECONDS = 30.0


class Hall:
    """The stack with `board`, everybody's signing keys, and a voice on Kafka."""

    def __init__(self, stack: Stack, producer: Producer, http: aiohttp.ClientSession) -> None:
        self.stack = stack
        self.producer = producer
        self.url = f"http://127.0.0.1:{stack.ports.api('board')}"
        self.signers = {
            name: Signer(read_secret(stack.home.secret_folder(name) / "signing.key"))
            for name in keys.SIGNERS
        }
        self.http = http

    def polls(self, seed: str, **about: Any) -> Polls:
        """An election under the keys of this stack."""
        return Polls(f"{seed}-{time.time_ns()}", signers=self.signers, **about)

    # Saying

    def sealed(self, message: Message, *, signer: str | None = None, event_id: str = "") -> Sealed:
        """A record as its producer sends it, or as `signer` would forge it."""
        about = message.CONTRACT
        source: Any = about.producer
        event_id = event_id or sha256(about.name.encode() + encode(message)).hexdigest()[:32]
        election_id: str = getattr(message, "election_id", "x")
        key = self.signers[signer or source] if about.is_signed else None
        [record] = Sealer(key, source).seal([Emission(message, event_id, election_id)])
        return record

    async def say(self, *messages: Message) -> None:
        """Append messages to their topics, in this order per topic."""
        await self.producer.publish([self.sealed(message) for message in messages])

    async def publish(self, records: Iterable[Sealed]) -> None:
        """Append records as they are."""
        await self.producer.publish(list(records))

    # Asking

    async def get(self, path: str, **headers: str) -> tuple[int, bytes, Any]:
        """Status, body and headers of an answer."""
        async with self.http.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.read(), answer.headers

    async def json(self, path: str) -> Any:
        """The JSON of an answer, which must be a success."""
        status, body, _ = await self.get(path)
        assert status == 200, body
        return msgspec.json.decode(body)

    async def board(self, election_id: str) -> dict[str, Any]:
        """The board as the public sees it; empty while there is none."""
        status, body, _ = await self.get(f"/elections/{election_id}")
        return msgspec.json.decode(body) if status == 200 else {}

    async def until(
        self, election_id: str, is_so: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """The board once it is so."""
        found: dict[str, Any] = await eventually(lambda: self.board(election_id), is_so)
        return found

    async def until_entries(self, election_id: str, entries: int) -> dict[str, Any]:
        """The board once it has so many entries."""
        return await self.until(election_id, lambda board: board.get("entries") == entries)

    async def until_phase(self, election_id: str, phase: str) -> dict[str, Any]:
        """The board once it is so far."""
        return await self.until(election_id, lambda board: board.get("phase") == phase)

    # Looking at what only operators see

    def file(self, election_id: str, suffix: str) -> Path:
        """One of the two public files."""
        return self.stack.home.archive / f"{election_id}.{suffix}"

    async def log(self, topic: Topic, kind: type[Message] | None = None) -> list[Any]:
        """The messages of a topic with one partition, in order, of one type if named."""
        broker = BrokerLog(self.stack.kafka_address)
        [end] = (await broker.ends([topic])).values()
        raws: list[Raw] = []
        async for records in broker.read((topic.name, 0), end, 1000):
            raws += records
        messages = [decode(dict(raw.headers)["ce_type"].decode(), raw.value) for raw in raws]
        return [one for one in messages if kind is None or isinstance(one, kind)]

    async def posted(self, election_id: str) -> list[str]:
        """What stands on the board's own topic about an election, by type."""
        return [
            type(message).__name__
            for message in await self.log(BOARD)
            if message.election_id == election_id
        ]

    async def completed(self, election_id: str) -> ArchiveCompleted:
        """What was said of the complete archive, once it is."""
        found = await eventually(lambda: self.announced(election_id, ArchiveCompleted), bool)
        return found[0]

    async def announced(
        self, election_id: str, kind: type[ArchiveCompleted] | type[BoardEnded]
    ) -> list[Any]:
        """What the board said to everybody about an election."""
        said = await self.log(ELECTIONS, kind)
        return [message for message in said if message.election_id == election_id]

    @contextlib.asynccontextmanager
    async def database(self) -> AsyncIterator[asyncpg.Connection[Any]]:
        """The board's database, as its owner."""
        sql = await asyncpg.connect(self.stack.database_url("board", "owner"))
        try:
            yield sql
        finally:
            await sql.close()

    async def start(self) -> None:
        """Start the process and wait until it is ready."""
        await asyncio.to_thread(self.stack.start_service, "board")

    async def kill(self) -> None:
        """SIGKILL."""
        await asyncio.to_thread(self.stack.kill_service, "board")

    async def stop(self) -> None:
        """Stop the process in good order."""
        await asyncio.to_thread(self.stack.stop_service, "board")

    # Whole courses

    async def set_up(self, polls: Polls, parts: int = 2) -> None:
        """Say everything that a board's first entry needs, and wait for it."""
        await self.say(polls.created(), polls.list_fixed(), *polls.published(parts))
        await self.until(polls.election_id, lambda board: board.get("entries", 0) >= 1)

    async def voted(self, polls: Polls) -> None:
        """Set an election up, activate the voters' credentials, and have them all vote."""
        await self.set_up(polls)
        await self.say(polls.changed(), *polls.all_accepted())
        await self.until(polls.election_id, lambda board: board.get("ballots") == polls.voters)

    async def decided(self, polls: Polls) -> ArchiveCompleted:
        """Everything up to the result."""
        await self.voted(polls)
        await self.say(*polls.closing())
        await self.until_phase(polls.election_id, "decrypted")
        return await self.completed(polls.election_id)

    async def declared(self, polls: Polls) -> None:
        """Everything up to the declaration."""
        await self.say(polls.declared(await self.decided(polls)))
        await self.until_phase(polls.election_id, "declared")


async def eventually(look: Callable[[], Awaitable[Any]], is_so: Callable[[Any], bool]) -> Any:
    """What `look` finds once it is so; fails after WAIT_SECONDS, showing what it found last."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        found = await look()
        if is_so(found):
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.02)


@pytest.fixture(scope="module")
def board_stack(stack: Stack) -> Iterator[Stack]:
    """The stack with `board` alone, so that nobody but the test plays its neighbours."""
    stack.stop_services()
    stack.start(["kafka", "postgres", "board"])
    yield stack
    stack.stop_services()


@pytest.fixture(scope="module")
async def hall(board_stack: Stack) -> AsyncIterator[Hall]:
    """Where the board hangs."""
    producer = Producer(board_stack.kafka_address, "hall")
    await producer.start()
    async with aiohttp.ClientSession() as http:
        yield Hall(board_stack, producer, http)
    await producer.stop()
