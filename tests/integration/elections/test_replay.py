"""Derived tables of elections, rebuilt from the law by its own handlers."""

import asyncio
from typing import Any

import asyncpg

from deploy.local.stack import Stack
from services.elections import app
from shared.kafka.replay import BrokerLog, Replay
from shared.postgres.dump import digests
from shared.replay import Order, ReplayParts
from shared.testing.promises import promise
from tests.integration.elections.polling import Polling
from tests.integration.elections.wrong_ballots import set_aside


def _parts(stack: Stack, pool: Any) -> ReplayParts:
    settings = app.SETTINGS(
        instance="elections-replay",
        kafka=stack.kafka_address,
        database_host="127.0.0.1",
        database_port=1,
        database_name="none",
        database_user="none",
        database_password_file=stack.home.root,
        admin_port=0,
        secrets_dir=stack.home.root,
        trust_dir=stack.home.trust,
    )
    return app.replay_parts(settings, pool)


@promise("P10")
async def test_a_replay_rebuilds_every_derived_table(elections_stack, officer, neighbours) -> None:
    """In fetches of other sizes and another order of partitions the log gives the same sums,
    statements and hashes, byte for byte."""
    polling = await Polling.opened(elections_stack, officer, neighbours)
    [first, *_] = await polling.vote(*[[[1, 0], [0, 1, 0]]] * 5)
    await polling.say("votes", first, first.tracker)
    for wrong in set_aside(polling, first):
        await polling.say("votes", wrong, wrong.tracker)
    await polling.close()
    await polling.end_board()
    await polling.until("tallied")
    assert (await polling.decrypt(1))[0] == 200
    parts = _parts(elections_stack, None)
    live = await asyncpg.connect(elections_stack.database_url("elections", "owner"))
    log = BrokerLog(elections_stack.kafka_address)
    for stream in parts.streams:
        await _until_applied(live, stream.consumer, await log.ends(stream.topics))
    wanted = await digests(live, parts.derived)
    await live.close()
    filled = {name for name, digest in wanted.items() if digest.rows}
    assert filled >= set(wanted) - {"refused_records", "quarantined_records"}
    for seed, most in ((1, 3), (2, 500)):
        assert await _rebuilt(elections_stack, seed, most) == wanted


async def _until_applied(sql: Any, consumer: str, ends: dict[tuple[str, int], int]) -> None:
    async with asyncio.timeout(60):
        while await _offsets(sql, consumer) != ends:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def _offsets(sql: Any, consumer: str) -> dict[tuple[str, int], int]:
    rows = await sql.fetch(
        "select topic, partition, next_offset from consumer_offsets where consumer = $1", consumer
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def _rebuilt(stack: Stack, seed: int, most: int) -> Any:
    database = stack.add_database("elections", f"again_{seed}")
    pool = await asyncpg.create_pool(
        stack.database_url("elections", "app", database), min_size=1, max_size=2
    )
    try:
        log = BrokerLog(stack.kafka_address)
        parts = _parts(stack, pool)
        for stream in parts.streams:
            replay = Replay(stream, pool, "elections", Order(seed, most))
            await replay.run(log, await log.ends(stream.topics))
        async with pool.acquire() as sql, sql.transaction():
            return await digests(sql, parts.derived)
    finally:
        await pool.close()
        stack.drop_database(database)
