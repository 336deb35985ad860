"""Two processes of the board at once: neither takes back what the other has noted."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.board.lease import BoardTaken, Lease
from services.board.public import Notary, PublicBoards
from services.board.publishing import Publishing
from services.board.store.sequencing import Store
from shared.consumer_types import Record
from shared.contracts.message import encode
from shared.postgres.pool import connect
from shared.testing.board import Polls
from shared.testing.promises import promise
from tests.integration.board.conftest import Hall, eventually
from tests.integration.board.test_faults import settings_of


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


@promise("P3", "P15")
async def test_one_process_at_a_time_has_the_right_to_write(hall: Hall) -> None:
    """A second one, wherever it runs, is told that it is taken; once the first has gone it gets it,
    and a right whose connection broke is asked for anew."""
    settings = settings_of(hall, "castonce_board")
    own = Lease(settings)
    with pytest.raises(BoardTaken):
        await own.hold()
    await hall.stop()
    try:
        held: Any = await own.hold()
        assert await own.hold() is held
        with pytest.raises(BoardTaken):
            await Lease(settings).hold()
        held.terminate()
        assert await eventually(lambda: again(own), lambda found: found not in (None, held))
    finally:
        await own.close()
    await hall.start()


async def again(lease: Lease) -> Any:
    """The right, or None while the server hasn't noticed yet that its holder is gone."""
    with contextlib.suppress(BoardTaken):
        return await lease.hold()
    return None


@promise("P3", "P15")
async def test_a_second_process_with_a_folder_of_its_own_writes_nothing(
    hall: Hall, tmp_path: Path
) -> None:
    """The running one's bytes stay its own to forget: the other neither writes nor announces."""
    await hall.start()
    settings = settings_of(hall, "castonce_board")
    pool = await connect(settings, size=2)
    try:
        boards = PublicBoards(Notary(settings.board_name, "17" * 32))
        outbox: Any = None
        second = Publishing(pool, Lease(settings), boards, outbox, tmp_path)
        with pytest.raises(BoardTaken):
            await second.publish()
        assert not await asyncio.to_thread(os.listdir, tmp_path)
    finally:
        await pool.close()


@promise("P15")
async def test_a_board_whose_connection_is_cut_gets_its_right_again(hall: Hall) -> None:
    """The database restarted, or an operator cut everything: ballots come on as before."""
    polls = hall.polls("cut", voters=3)
    await hall.set_up(polls)
    pool = await connect(settings_of(hall, "castonce_board"), size=1)
    try:
        cut = await pool.fetch(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where application_name like 'board-0%' and usename = 'board_app'"
        )
    finally:
        await pool.close()
    assert len(cut) >= 2
    await hall.say(polls.changed(), *polls.all_accepted())
    await hall.until(polls.election_id, lambda board: board.get("ballots") == 3)
