"""A bench for tests of the plumbing: its own database, topics and message types, on a real stack.

Promises that nothing of one test is seen by another one on the same broker and server.

    async with Bench.open(stack) as bench:
        inbox = await bench.channel(partitions=2)
        stream = bench.stream([inbox], store)
        async with bench.running(stream): ...
"""

import asyncio
import contextlib
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import asyncpg
import msgspec
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local import provision
from deploy.local.stack import Stack
from shared.config import ServiceSettings
from shared.consumer_types import Done, Emission, Handler, Outcome, Record, Sql
from shared.contracts import message as messages
from shared.contracts.message import Message, Service, contract, derived_event_id, encode
from shared.contracts.quarantine import RecordQuarantined
from shared.contracts.topics import ELECTIONS, Topic
from shared.kafka import topics
from shared.kafka.outbox import Outbox
from shared.kafka.producer import Producer
from shared.kafka.sealing import Sealed
from shared.kafka.signatures import SignaturePolicy
from shared.kafka.stream import Stream
from shared.kafka.tail import Tail
from shared.keys import Signer
from shared.postgres.pool import connect

SERVICE: Service = "votes"
LIMIT_SECONDS = 60.0
_COUNTER = itertools.count()
_NOTES = 'create table notes (topic text, partition int, "offset" bigint, text text, number int);'


@dataclass(frozen=True)
class Channel:
    """A topic of one test, and the only message type on it: `{text, number}`."""

    topic: Topic
    kind: Any

    def message(self, text: str, number: int = 0) -> Message:
        """A message of this channel's type."""
        made: Message = self.kind(text=text, number=number)
        return made


class Notes:
    """A store that writes one row per applied record, with no key that could hide a double."""

    def __init__(self) -> None:
        self.saved: list[tuple[Any, ...]] = []

    async def load(self, sql: Sql, records: Sequence[Record[Any]]) -> list[tuple[Any, ...]]:
        """An empty list of rows."""
        return []

    async def save(self, sql: Sql, work: list[tuple[Any, ...]]) -> None:
        """Insert the rows."""
        await sql.executemany("insert into notes values ($1, $2, $3, $4, $5)", work)


async def note(record: Record[Any], work: list[tuple[Any, ...]]) -> Outcome:
    """Write the record down."""
    said = record.message
    work.append((record.topic, record.partition, record.offset, said.text, said.number))
    return Done()


def note_and_tell(outbox: Channel) -> Handler[list[tuple[Any, ...]]]:
    """A handler that writes the record down and says the same on another channel."""

    async def handle(record: Record[Any], work: list[tuple[Any, ...]]) -> Outcome:
        await note(record, work)
        said = outbox.message(record.message.text, record.message.number)
        return Done([Emission(said, derived_event_id(record.event_id, "Told"), said_key(record))])

    return handle


def said_key(record: Record[Any]) -> str:
    """What messages of a channel are keyed by: the text before the first blank."""
    return str(record.message.text).partition(" ")[0]


@dataclass
class Seen:
    """Counts what was committed, so that a test can wait for it."""

    records: list[Record[Any]] = field(default_factory=list)
    _grew: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, work: Any, records: Sequence[Record[Any]]) -> None:
        """As `after_commit` of a stream."""
        self.records.extend(records)
        self._grew.set()

    def take(self, record: Record[Any]) -> None:
        """As callback of a tail."""
        self.records.append(record)
        self._grew.set()

    async def count(self, wanted: int) -> list[Record[Any]]:
        """Return when so many records were committed."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while len(self.records) < wanted:
                self._grew.clear()
                await self._grew.wait()
        return self.records


class Bench:
    """One test's world."""

    def __init__(self, stack: Stack, settings: ServiceSettings, pool: Any) -> None:
        self.stack = stack
        self.settings = settings
        self.pool = pool
        self.signer = Signer(settings.secret("signing.key"))
        self.producer = Producer(settings.kafka, settings.instance)
        self.trust = SignaturePolicy(settings.trust_dir)
        self._names: list[str] = []

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, stack: Stack) -> AsyncIterator[Self]:
        """A fresh database with the shared schema and a table `notes`, and a producer."""
        settings = await make_database(stack)
        pool = await connect(settings, size=6)
        bench = cls(stack, settings, pool)
        await bench.producer.start()
        try:
            yield bench
        finally:
            await bench.producer.stop()
            pool.terminate()
            for name in bench._names:
                messages.REGISTRY.pop(name)
                messages._DECODERS.pop(name)

    async def channel(
        self, partitions: int = 1, *, is_law: bool = True, is_signed: bool = False
    ) -> Channel:
        """A new topic on the broker with a message type of its own."""
        made = self.undeclared(partitions, is_law=is_law, is_signed=is_signed)
        await topics.ensure(self.settings.kafka, [made.topic])
        return made

    def undeclared(
        self, partitions: int = 1, *, is_law: bool = True, is_signed: bool = False
    ) -> Channel:
        """The same, before the topic is created."""
        unique = f"{uuid.uuid4().hex[:8]}{next(_COUNTER)}"
        topic = Topic(f"castonce.bench{unique}.v1", partitions, is_law, "A test's own topic.")
        kind: Any = type(
            f"Said{unique}",
            (Message,),
            {"__annotations__": {"text": str, "number": int}, "number": 0, "__module__": __name__},
            frozen=True,
            kw_only=True,
        )
        contract(topic, SERVICE, signed=is_signed)(kind)
        self._names.append(kind.CONTRACT.name)
        return Channel(topic, kind)

    def outbox(self, producer: Producer | None = None) -> Outbox:
        """An outbox of the bench's service."""
        return Outbox(self.pool, producer or self.producer, self.signer, SERVICE)

    def stream(
        self,
        channels: Sequence[Channel],
        *,
        handler: Handler[Any] = note,
        store: Any = None,
        outbox: Outbox | None = None,
        name: str = "bench",
        **more: Any,
    ) -> Stream[Any]:
        """A stream over these channels, under a consumer name made of `name` and the topic."""
        more.setdefault("trust", self.trust)
        settings = msgspec.structs.replace(
            self.settings, instance=more.pop("instance", self.settings.instance)
        )
        return Stream(
            f"{name}-{channels[0].topic.name}",
            [channel.topic for channel in channels],
            {channel.kind: handler for channel in channels},
            store or Notes(),
            self.pool,
            settings,
            outbox or self.outbox(),
            **more,
        )

    def sealed(
        self, channel: Channel, text: str, number: int = 0, partition: int = 0, event_id: str = ""
    ) -> Sealed:
        """A valid record of the channel, signed where its type is."""
        sealer = self.outbox().sealer
        said = Emission(
            channel.message(text, number),
            event_id or uuid.uuid4().hex,
            text.partition(" ")[0],
            partition,
        )
        (record,) = sealer.seal([said])
        return record

    async def say(self, channel: Channel, *texts: str, partition: int = 0) -> None:
        """Append valid records to one partition, numbered from 0."""
        await self.producer.publish(
            [self.sealed(channel, text, n, partition) for n, text in enumerate(texts)]
        )

    async def notes(self) -> list[Any]:
        """Every row that the store wrote, in log order per partition."""
        rows: list[Any] = await self.pool.fetch(
            'select * from notes order by topic, partition, "offset"'
        )
        return rows

    async def texts(self) -> list[str]:
        """The texts that were written, in log order per partition."""
        return [row["text"] for row in await self.notes()]

    async def as_owner(self, statement: str) -> None:
        """Run SQL that the service's own role may not run."""
        name = self.settings.database_name
        url = provision.database_url(self.stack.server, SERVICE, f"{SERVICE}_owner", name)
        owner = await asyncpg.connect(url)
        try:
            await owner.execute(statement)
        finally:
            await owner.close()

    async def everything_is_published(self) -> bool:
        """Whether no outbox row waits, as the table says."""
        waiting = await self.pool.fetchval("select count(*) from outbox where published_at is null")
        return bool(waiting == 0)

    async def committed(self, group: str, channel: Channel) -> dict[int, int]:
        """The group's offsets in Kafka, by partition."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.kafka)
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(group)
        finally:
            await admin.close()
        return {
            place.partition: at.offset
            for place, at in found.items()
            if place.topic == channel.topic.name
        }

    async def read(self, channel: Channel) -> list[Record[Any]]:
        """Every record of the channel that is in the log now."""
        return await self._read([channel.topic], [channel.kind])

    async def notices(self, channel: Channel) -> list[RecordQuarantined]:
        """What was said about records of this channel that were set aside."""
        said = await self._read([ELECTIONS], [RecordQuarantined])
        return [r.message for r in said if r.message.topic == channel.topic.name]

    async def _read(self, wanted: Sequence[Topic], types: Sequence[Any]) -> list[Record[Any]]:
        seen = Seen()
        tail = Tail(wanted, True, seen.take, settings=self.settings, trust=self.trust, types=types)
        async with running(tail.run()), asyncio.timeout(LIMIT_SECONDS):
            await tail.caught_up()
        return seen.records

    @contextlib.asynccontextmanager
    async def running(
        self, stream: Stream[Any], outbox: Outbox | None = None
    ) -> AsyncIterator[None]:
        """The stream (and an outbox) as tasks; a failure of theirs fails the test."""
        async with contextlib.AsyncExitStack() as tasks:
            if outbox is not None:
                await tasks.enter_async_context(running(outbox.run()))
            await tasks.enter_async_context(running(stream.run()))
            yield


@contextlib.asynccontextmanager
async def running(work: Any) -> AsyncIterator["asyncio.Task[Any]"]:
    """This as a task; it is cancelled at the end, and an error of its own is raised."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()


async def eventually(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Return when the condition holds; it is asked again and again, TimeoutError if never."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.02)


async def make_database(stack: Stack) -> ServiceSettings:
    """A database of its own with the shared schema; the settings of a service that uses it."""
    name = f"bench_{uuid.uuid4().hex[:12]}"
    await asyncio.to_thread(_create, stack, name)
    folder: Path = stack.home.secret_folder(SERVICE)
    return ServiceSettings(
        instance=f"{SERVICE}-0",
        kafka=stack.kafka_address,
        database_host="127.0.0.1",
        database_port=stack.ports.of("postgres"),
        database_name=name,
        database_user=f"{SERVICE}_app",
        database_password_file=stack.home.password_file(SERVICE, "database"),
        admin_port=0,
        secrets_dir=folder,
        trust_dir=stack.home.trust,
    )


def _create(stack: Stack, name: str) -> None:
    stack.server.run_sql(f"create database {name} owner {SERVICE}_owner")
    asyncio.run(_fill(provision.database_url(stack.server, SERVICE, f"{SERVICE}_owner", name)))


async def _fill(url: str) -> None:
    schema = Path(__file__).parents[1] / "schema"
    connection = await asyncpg.connect(url)
    try:
        for path in sorted(schema.glob("*.sql")):
            up, _, _ = path.read_text().partition("-- migrate:down")
            await connection.execute(up)
        await connection.execute(f"{_NOTES} grant all on notes to {SERVICE}_app")
    finally:
        await connection.close()


def raw_value(text: str, number: int, channel: Channel) -> bytes:
    """The value of a valid record, for tests that make the rest of it wrong."""
    return encode(channel.message(text, number))
