"""Kafka or PostgreSQL away: officials are asked to wait, and an import is whole or not there."""

import asyncio
from typing import Any

import pytest

from cli.client import InternalApi
from cli.rehearsal.roll import as_csv, make_roll
from cli.screen import CliError
from shared.testing.promises import promise

ROLL = as_csv(make_roll(30, seed=3))


@pytest.fixture
async def election(neighbours, officers) -> str:
    """A fresh election that identity knows."""
    election_id = await neighbours.create_election()
    await _until(officers[0], f"/elections/{election_id}/summary")
    return election_id


async def _until(api: InternalApi, path: str) -> Any:
    async with asyncio.timeout(60):
        while True:
            try:
                return await asyncio.to_thread(api.get, path)
            except CliError:
                await asyncio.sleep(0.05)


async def _until_electors(api: InternalApi, election_id: str, count: int) -> None:
    async with asyncio.timeout(60):
        while True:
            summary = await _until(api, f"/elections/{election_id}/summary")
            if summary["electors"] == count:
                return
            await asyncio.sleep(0.05)


def _import(api: InternalApi, election_id: str) -> dict[str, Any]:
    lines = list(api.stream(f"/elections/{election_id}/roll", content=ROLL))
    return lines[-1]["report"]


@promise("P15")
async def test_an_import_without_kafka_is_kept_and_announced_later(
    election, officers, neighbours
) -> None:
    """The roll is committed at once; its events reach the log once, when Kafka is back."""
    await asyncio.to_thread(neighbours.stack.kill_kafka)
    importing = asyncio.create_task(asyncio.to_thread(_import, officers[0], election))
    try:
        await _until_electors(officers[0], election, 30)
    finally:
        await asyncio.to_thread(neighbours.stack.start_kafka)
    report = await importing
    assert report["electors_in_database"] == report["events_in_log"] == 30
    await neighbours.until(lambda: len(neighbours.rights(election)) >= 30)
    assert len({right.right_id for right in neighbours.rights(election)}) == 30


@promise("P15")
async def test_without_postgresql_officials_are_asked_to_wait(
    election, officers, neighbours
) -> None:
    """Look-ups and imports are refused politely, nothing is half done, and all works afterwards."""
    await asyncio.to_thread(neighbours.stack.kill_postgres)
    try:
        with pytest.raises(CliError, match="database is away"):
            await asyncio.to_thread(officers[0].get, "/elections")
        with pytest.raises(CliError, match="database is away"):
            await asyncio.to_thread(_import, officers[0], election)
    finally:
        await asyncio.to_thread(neighbours.stack.start_postgres)
    summary = await _until(officers[0], f"/elections/{election}/summary")
    assert summary["electors"] == 0
    report = await asyncio.to_thread(_import, officers[0], election)
    assert report["electors_in_database"] == report["events_in_log"] == 30
