"""The hops of a lone vote with nothing in them: what the machine allows, whatever the code does.

One record goes to a topic that is flushed per write; another process fetches it, asks PostgreSQL
one question, commits one row and sends another record to such a topic; it is fetched here. Promises
the bare libraries on one connection each, and none of this repository's code between two hops. A
lone vote crosses the same hops, and an HTTP call besides.

    found = await measure(room, 300)          # the child process: python -m tests.bench.floor
"""

import asyncio
import sys
import time
from asyncio.subprocess import PIPE

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition  # noqa: TID251  (bare)
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from msgspec import Struct

from tests.bench.figures import quantile
from tests.bench.room import Room

THERE, BACK = TopicPartition("bench.floor.there", 0), TopicPartition("bench.floor.back", 0)
DATABASE = "castonce_floor"
RECORD, ANSWER = bytes(3000), bytes(700)
"""As long as a ballot's record and an outcome."""
LIMIT_SECONDS = 30.0
_SCHEMA = """
create table rows (number bigint primary key, body bytea not null);
alter table rows alter body set storage external;
alter table rows set (toast_tuple_target = 8160);
"""


class Floor(Struct, frozen=True):
    """One measurement: there and back, in milliseconds."""

    p50: float
    p90: float


async def prepare(room: Room) -> None:
    """The topics and the table."""
    await room.run_sql(f"create database {DATABASE}", "postgres")
    for statement in filter(str.strip, _SCHEMA.split(";")):
        await room.run_sql(statement, DATABASE)
    admin = AIOKafkaAdminClient(bootstrap_servers=room.stack.kafka_address)
    await admin.start()
    flushed = {"flush.messages": "1"}
    await admin.create_topics(
        [NewTopic(place.topic, 1, 1, topic_configs=flushed) for place in (THERE, BACK)]
    )
    await admin.close()


async def measure(room: Room, count: int) -> Floor:
    """Send records there and back, one at a time; the first third isn't counted."""
    argv = (sys.executable, "-m", "tests.bench.floor")
    child = await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=PIPE)
    assert child.stdin is not None and child.stdout is not None
    try:
        child.stdin.write(f"{room.stack.kafka_address}\n{room.address(DATABASE)}\n".encode())
        if (await child.stdout.readline()).strip() != b"ready":
            raise RuntimeError("the far end of the bare hops did not start")
        # In a loop like the services': this one is the standard library's.
        took = await asyncio.to_thread(uvloop.run, _near(room.stack.kafka_address, count))
    finally:
        child.terminate()
        await child.wait()
    counted = sorted(took[count // 3 :])
    return Floor(quantile(counted, 0.5) * 1e3, quantile(counted, 0.9) * 1e3)


async def _near(kafka: str, count: int) -> list[float]:
    producer, consumer = await _clients(kafka, BACK)
    took = []
    try:
        for _ in range(count):
            began = time.perf_counter()
            sent = await producer.send(THERE.topic, RECORD, b"key", THERE.partition)
            async with asyncio.timeout(LIMIT_SECONDS):
                await consumer.getone()
            took.append(time.perf_counter() - began)
            await sent
    finally:
        await producer.stop()
        await consumer.stop()
    return took


async def _far(kafka: str, database: str) -> None:
    producer, consumer = await _clients(kafka, THERE)
    sql = await asyncpg.connect(database)
    print("ready", flush=True)  # noqa: T201
    while True:
        record = await consumer.getone()
        await sql.fetch("select body from rows where number = $1", record.offset)
        await sql.execute("insert into rows values ($1, $2)", record.offset, record.value)
        sent = await producer.send(BACK.topic, ANSWER, b"key", BACK.partition)
        sent.add_done_callback(lambda done: done.result())


async def _clients(kafka: str, read: TopicPartition) -> tuple[AIOKafkaProducer, AIOKafkaConsumer]:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True, acks="all")
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="none"
    )
    await producer.start()
    await consumer.start()
    consumer.assign([read])
    await consumer.seek_to_end(read)
    await consumer.position(read)  # the end as it is now, not when a record is there
    return producer, consumer


if __name__ == "__main__":
    where = [sys.stdin.readline().strip() for _ in range(2)]
    uvloop.run(_far(*where))
