"""Kafka or PostgreSQL away: officials are asked to wait, and an import is whole or not there."""

import asyncio
import dataclasses
from contextlib import suppress
from typing import Any

import asyncpg
import pytest

from cli.client import InternalApi
from cli.rehearsal.roll import as_csv, make_roll
from cli.screen import CliError
from services.identity import importing
from services.identity.importing import RollImporter, Wanted
from shared.clock import SystemClock
from shared.kafka.outbox import Outbox
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


async def test_the_same_file_again_is_no_proof_that_the_log_has_the_roll(
    election, neighbours, monkeypatch
) -> None:
    """What an earlier import left unsaid counts as missing, in every report until Kafka has it."""
    where = neighbours.stack.database_url("identity", "app")
    named = {"application_name": "import-test"}
    async with asyncpg.create_pool(where, min_size=1, max_size=4, server_settings=named) as pool:
        outbox = Outbox(pool, neighbours.producer, neighbours.signer("identity"), "identity")
        importer = RollImporter(pool, outbox, b"s" * 32, SystemClock())
        wanted = Wanted(election, "officer-1", ROLL)

        async def in_log(is_dry_run: bool = False) -> tuple[int, int]:
            asked = dataclasses.replace(wanted, is_dry_run=is_dry_run)
            _, report = await importer.run(asked, lambda stage, done, total: None)
            return report.electors_in_database, report.events_in_log

        monkeypatch.setattr(importing, "ANNOUNCE_SECONDS", 0.0)
        assert [await in_log(), await in_log(), await in_log(True)] == [(30, 0)] * 3
        monkeypatch.setattr(importing, "ANNOUNCE_SECONDS", 60.0)
        publishing = asyncio.create_task(outbox.run())
        assert await in_log() == (30, 30)
        publishing.cancel()
        with suppress(asyncio.CancelledError):
            await publishing
    await neighbours.until(lambda: len(neighbours.rights(election)) == 30)


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
