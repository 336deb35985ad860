"""Two processes of the board at once: neither takes back what the other has noted."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from services.board.store.sequencing import Store
from shared.consumer_types import Record
from shared.contracts.message import encode
from shared.testing.board import Polls
from shared.testing.promises import promise
from tests.integration.board.conftest import Hall, eventually


def record_of(polls: Polls) -> Record[Any]:
    """Any record that names the election."""
    message = polls.counted()
    where = ("castonce.elections.v1", 0, 0, 0, "ab" * 16)
    return Record(*where, "elections", message, encode(message))


@promise("P1", "P13")
@pytest.mark.parametrize("is_known", [False, True])
async def test_two_processes_that_note_facts_of_one_election_wait_for_each_other(
    hall: Hall, is_known: bool
) -> None:
    """A rebalance may give topics of one election to two processes: a ballot that one has counted
    isn't uncounted by the other, which read before it and writes behind it."""
    polls, store = hall.polls(f"two-{is_known}"), Store()
    async with hall.database() as one, hall.database() as other, hall.database() as watcher:
        if is_known:
            await one.execute("insert into elections (election_id) values ($1)", polls.election_id)
        try:
            first, second = one.transaction(), other.transaction()
            await first.start()
            work = await store.load(one, [record_of(polls)])
            sheet = msgspec.structs.replace(work.sheet(polls.election_id), ballots=7)
            work.change(sheet)
            await store.save(one, work)
            await second.start()
            loading = asyncio.create_task(store.load(other, [record_of(polls)]))
            await eventually(lambda: is_waiting(watcher, other, loading), bool)
            await first.commit()
            assert (await loading).sheet(polls.election_id).ballots == 7
            await second.rollback()
        finally:
            await watcher.execute("delete from elections where election_id = $1", polls.election_id)


async def is_waiting(watcher: Any, other: Any, loading: asyncio.Task[Any]) -> bool:
    """Whether the other process waits for a lock, or has read without waiting."""
    asked = "select wait_event_type = 'Lock' from pg_stat_activity where pid = $1"
    return loading.done() or bool(await watcher.fetchval(asked, other.get_server_pid()))
