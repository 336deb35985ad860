"""The law replayed into empty databases, after everything that the tests before did to it."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from cli.booth import Booth
from deploy.local import services
from shared.testing.promises import promise
from tests.journeys import voters
from tests.journeys.gathering import gather
from tests.journeys.whole import Whole

ORDERS = [
    (1, 500),
    *(pytest.param(*order, marks=pytest.mark.long) for order in ((2, 1), (3, 7), (4, 100))),
]
TAMPERED = [
    ("votes", "update claims set at_ms = at_ms {} 1"),
    pytest.param(*("votes", "update ballots set at_ms = at_ms {} 1"), marks=pytest.mark.long),
    pytest.param(
        *("votes", "update rights set generation = generation {} 1"), marks=pytest.mark.long
    ),
]


async def replay(whole: Whole, *options: str) -> subprocess.CompletedProcess[str]:
    """What `castonce replay --check` says about the running system."""
    command = [str(Path(sys.executable).with_name("castonce")), "replay", "--check"]
    command += ["--home", str(whole.stack.home.root), *options]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, timeout=240, check=False
    )


async def _something_happens(whole: Whole, booth: Booth) -> None:
    gathering = await gather(whole, booth, "To be replayed", 4)
    await voters.vote(booth, gathering, gathering.one())
    both = gathering.one()
    assert await voters.scan(gathering, both) == "admitted"
    assert await voters.scan(gathering, both) == "voted_by_post"
    assert (await gathering.offices.replace_pack(gathering.one().right_id)).serial
    await gathering.offices.close_online()


@pytest.mark.parametrize(("seed", "batch"), ORDERS)
@promise("P10")
async def test_every_derived_table_comes_out_again(
    whole: Whole, booth: Booth, seed: int, batch: int
) -> None:
    """The topics alone rebuild every derived table, byte by byte, in other batches and orders.

    Whatever this system has been through by now is in its log: double votes, repetitions, garbage.
    """
    await _something_happens(whole, booth)
    done = await replay(whole, "--seed", str(seed), "--batch", str(batch))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "byte by byte" in done.stdout


@pytest.mark.parametrize(("service", "change"), TAMPERED)
@promise("P3", "P10")
async def test_a_changed_row_is_found(
    whole: Whole, booth: Booth, service: str, change: str
) -> None:
    """Whoever gets at the database and changes one row is found out by a replay."""
    await _something_happens(whole, booth)
    database, server = services.database_name(service), whole.stack.server
    table = change.split()[1]
    key = {"claims": "right_id", "ballots": "tracker", "rights": "right_id"}[table]
    chosen = server.run_sql(f"select max({key}::text) from {table}", database)
    where = f" where {key}::text = '{chosen}'"
    server.run_sql(change.format("+") + where, database)
    try:
        done = await replay(whole, "--service", service)
    finally:
        server.run_sql(change.format("-") + where, database)
    assert done.returncode == 1
    assert f"{service}.{table}" in done.stdout + done.stderr
