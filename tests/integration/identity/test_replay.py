"""Derived tables of identity, rebuilt from the law by its own handlers."""

import asyncio
import secrets

import asyncpg

from deploy.local.stack import Stack
from services.identity import app
from shared.contracts.votes import (
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    RightWithdrawalAccepted,
    RightWithdrawalRefused,
    SecondVoteAttempted,
)
from shared.kafka.replay import BrokerLog, Replay
from shared.postgres.dump import digests
from shared.replay import Order, ReplayParts
from shared.testing.promises import promise

RIGHTS = 12


def _parts(stack: Stack) -> ReplayParts:
    settings = app.SETTINGS(
        instance="identity-replay",
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
    return app.replay_parts(settings, None)


async def _decide_much(neighbours) -> None:
    """Decisions of every kind that identity keeps, some of them twice, on many rights, some of
    them behind the close of their partition."""
    election_id = await neighbours.create_election()
    await neighbours.change_phase(election_id, "open")
    for number in range(RIGHTS):
        right_id = secrets.token_hex(16)
        said = {"election_id": election_id, "right_id": right_id, "decided_at_ms": number}
        second = SecondVoteAttempted(
            **said, first_channel="post", first_at_ms=1, attempt_channel="online"
        )
        aside = EnvelopeSetAside(
            **said, scan_id=f"s{number}", serial="0123456789ABCD", reason="voted_by_post"
        )
        void = EnvelopeVoidAccepted(**said, scan_id=f"s{number}", void_id="v", reopened=False)
        taken = RightWithdrawalAccepted(**said, withdrawal_id=f"a{number}")
        refused = RightWithdrawalRefused(
            **said, withdrawal_id=f"r{right_id}", reason="already_used"
        )
        for decision in (second, aside, void, taken, refused):
            event_id = secrets.token_hex(16)
            for _ in range(1 + number % 2):
                await neighbours.decide(right_id, decision, event_id)
        if number == RIGHTS // 2:
            # What comes behind it on these partitions is late, in whatever fetch it comes.
            await neighbours.close(election_id, 0, 2, 5)
    await neighbours.close(election_id)
    await neighbours.change_phase(election_id, "online_closed")


@promise("P10")
async def test_a_replay_rebuilds_every_derived_table(neighbours) -> None:
    """In other fetches and another interleaving of topics the law gives the same rows."""
    stack = neighbours.stack
    await _decide_much(neighbours)
    parts = _parts(stack)
    [stream] = parts.streams
    live = await asyncpg.connect(stack.database_url("identity", "owner"))
    log = BrokerLog(stack.kafka_address)
    await _until_applied(live, stream.consumer, await log.ends(stream.topics))
    wanted = await digests(live, parts.derived)
    await live.close()
    assert all(digest.rows for digest in wanted.values())
    for seed, most in ((1, 3), (2, 500)):
        assert await _rebuilt(stack, parts, seed, most) == wanted


async def _until_applied(
    sql: asyncpg.Connection, consumer: str, ends: dict[tuple[str, int], int]
) -> None:
    async with asyncio.timeout(60):
        while True:
            if await _offsets(sql, consumer) == ends:
                return
            await asyncio.sleep(0.05)


async def _offsets(sql: asyncpg.Connection, consumer: str) -> dict[tuple[str, int], int]:
    rows = await sql.fetch(
        "select topic, partition, next_offset from consumer_offsets where consumer = $1", consumer
    )
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def _rebuilt(stack: Stack, parts: ReplayParts, seed: int, most: int):
    [stream] = parts.streams
    database = stack.add_database("identity", f"again_{seed}")
    url = stack.database_url("identity", "app", database)
    pool = await asyncpg.create_pool(url, min_size=1, max_size=2)
    try:
        log = BrokerLog(stack.kafka_address)
        replay = Replay(stream, pool, "identity", Order(seed, most))
        assert await replay.run(log, await log.ends(stream.topics)) > 0
        async with pool.acquire() as sql, sql.transaction():
            return await digests(sql, parts.derived)
    finally:
        await pool.close()
        stack.drop_database(database)
