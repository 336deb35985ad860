"""Derived tables of codes and postal, rebuilt from the law by their own handlers."""

from typing import Any

import asyncpg
import pytest

from deploy.local.stack import Stack
from services.codes import app as codes_app
from services.postal import app as postal_app
from shared.config import ServiceSettings
from shared.kafka.replay import BrokerLog, Replay
from shared.postgres.dump import digests
from shared.replay import Order, ReplayParts
from shared.testing.promises import promise
from tests.integration.codes_postal.conftest import Election

APPS: dict[str, Any] = {"codes": codes_app, "postal": postal_app}


def parts_of(service: str, stack: Stack) -> ReplayParts:
    """What the service says that a replay needs."""
    settings: ServiceSettings = APPS[service].SETTINGS(
        instance=f"{service}-replay",
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
    parts: ReplayParts = APPS[service].replay_parts(settings, None)
    return parts


@promise("P10")
@pytest.mark.parametrize(("seed", "most"), [(1, 3), (2, 500)])
@pytest.mark.parametrize("service", ["codes", "postal"])
async def test_a_replay_rebuilds_every_derived_table(
    running: Stack, election: Election, service: str, seed: int, most: int
) -> None:
    """Read from offset 0 into empty tables, in other fetches and another interleaving of topics,
    the law gives the same rows, byte by byte."""
    parts = parts_of(service, running)
    [stream] = parts.streams
    live = await asyncpg.connect(running.database_url(service, "owner"))
    async with live.transaction(isolation="repeatable_read"):
        rows = await live.fetch(
            "select topic, partition, next_offset from consumer_offsets where consumer = $1",
            stream.consumer,
        )
        wanted = await digests(live, parts.derived)
    await live.close()
    ends = {(row["topic"], row["partition"]): row["next_offset"] for row in rows}
    database = running.add_database(service, f"again_{seed}")
    pool = await asyncpg.create_pool(
        running.database_url(service, "app", database), min_size=1, max_size=2
    )
    try:
        replay = Replay(stream, pool, service, Order(seed, most))
        assert await replay.run(BrokerLog(running.kafka_address), ends) > 0
        async with pool.acquire() as sql, sql.transaction():
            rebuilt = await digests(sql, parts.derived)
    finally:
        await pool.close()
        running.drop_database(database)
    assert rebuilt == wanted
    assert any(digest.rows for digest in wanted.values())
