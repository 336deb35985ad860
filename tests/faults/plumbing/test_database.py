"""PostgreSQL goes away, hangs, or leaves a commit's outcome open: nothing is applied twice."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from deploy.local.stack import Stack
from shared.kafka import applying
from shared.postgres import pool as pools
from shared.testing.plumbing import Bench, Seen, eventually, note_and_tell
from shared.testing.promises import promise


@pytest.fixture(autouse=True)
async def server_is_up_again(stack: Stack) -> AsyncIterator[None]:
    """Whatever a test did to the server, the next one finds it serving."""
    yield
    await asyncio.to_thread(stack.start_postgres)


@promise("P15")
async def test_a_killed_server_loses_and_doubles_nothing(bench: Bench, stack: Stack) -> None:
    """A stream waits for the server, says so, and goes on by itself; what it says arrives too."""
    inbox, told = await bench.channel(), await bench.channel()
    seen, outbox = Seen(), bench.outbox()
    stream = bench.stream([inbox], handler=note_and_tell(told), outbox=outbox, after_commit=seen)
    async with bench.running(stream, outbox):
        await bench.say(inbox, *(f"before-{n}" for n in range(50)))
        await seen.count(50)
        await asyncio.to_thread(stack.kill_postgres)
        await bench.say(inbox, *(f"after-{n}" for n in range(50)))
        await eventually(lambda: "postgres" in (stream.status() or ""))
        await asyncio.to_thread(stack.start_postgres)
        await seen.count(100)
        await eventually(bench.everything_is_published)
        await eventually(lambda: stream.status() is None)
    assert await bench.texts() == [f"{when}-{n}" for when in ("before", "after") for n in range(50)]
    assert len({record.event_id for record in await bench.read(told)}) == 100


class _Breaking:
    """A transaction whose connection breaks at the commit, which had persisted or not."""

    def __init__(self, failures: list[bool], pool: Any) -> None:
        self._failures = failures
        self._real = pools.transaction(pool)

    async def __aenter__(self) -> Any:
        self._sql = await self._real.__aenter__()
        return self._sql

    async def __aexit__(self, *error: Any) -> Any:
        if error[0] is None and self._failures:
            if self._failures.pop():
                await self._real.__aexit__(*error)
            else:
                self._sql.terminate()
            raise asyncpg.ConnectionDoesNotExistError("cut at the commit")
        return await self._real.__aexit__(*error)


@promise("P1")
@pytest.mark.parametrize("had_persisted", [False, True])
async def test_a_commit_with_an_unknown_outcome_is_looked_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, had_persisted: bool
) -> None:
    """The offsets in the database tell whether the fetch was applied; it is applied once.

    Fails without re-reading the stored offsets, and without them the compare-and-set: the fetch
    would be applied twice, or its messages never said.
    """
    inbox, told = await bench.channel(), await bench.channel()
    outbox, failures = bench.outbox(), [had_persisted]
    monkeypatch.setattr(applying, "transaction", lambda pool, _: _Breaking(failures, pool))
    await bench.say(inbox, "one", "two")
    stream = bench.stream([inbox], handler=note_and_tell(told), outbox=outbox)

    async def are_there() -> bool:
        return await bench.texts() == ["one", "two"] and await bench.everything_is_published()

    async with bench.running(stream, outbox):
        await eventually(lambda: not failures)
        await eventually(are_there)
        await bench.say(inbox, "three")
        await eventually(lambda: _count_is(bench, 3))
        await eventually(bench.everything_is_published)
    assert await bench.texts() == ["one", "two", "three"]
    assert [r.message.text for r in await bench.read(told)] == ["one", "two", "three"]


async def _count_is(bench: Bench, wanted: int) -> bool:
    return len(await bench.texts()) == wanted


@promise("P15")
async def test_a_transaction_that_hangs_is_cut(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that lasts too long has its connection terminated, and the pool goes on.

    Fails without the outer limit: asyncpg's own timeout is per statement.
    """
    monkeypatch.setattr(pools, "TRANSACTION_SECONDS", 0.3)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as caught:
        async with pools.transaction(bench.pool) as sql:
            for _ in range(100):
                await sql.execute("select pg_sleep(0.1)")
    assert pools.is_transient(caught.value)
    assert await bench.pool.fetchval("select 1") == 1


@promise("P15")
async def test_a_lock_that_another_one_holds_is_waited_for_in_vain_only_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch that can't get its rows is tried again, and is applied once they are free."""
    inbox, seen = await bench.channel(), Seen()
    await bench.say(inbox, "one")
    async with bench.running(bench.stream([inbox], after_commit=seen)):
        await seen.count(1)
    monkeypatch.setattr(pools, "TRANSACTION_SECONDS", 0.5)
    stream = bench.stream([inbox], after_commit=seen)
    async with bench.pool.acquire() as other:
        holding = other.transaction()
        await holding.start()
        await other.execute("select * from consumer_offsets for update")
        await bench.say(inbox, "two")
        async with bench.running(stream):
            await eventually(lambda: "postgres" in (stream.status() or ""))
            await holding.rollback()
            await seen.count(2)
    assert await bench.texts() == ["one", "two"]


@promise("P15")
@pytest.mark.parametrize("error", [asyncpg.InternalClientError, ConnectionResetError])
async def test_a_broken_connection_is_not_handed_out_again(
    bench: Bench, error: type[Exception]
) -> None:
    """A server that died in the middle of a statement leaves a connection that answers no more.

    Fails when it goes back to the pool as if it were sound: everybody would get it, for ever.
    """
    broken = 0
    with pytest.raises(error):
        async with pools.connection(bench.pool) as sql:
            broken = await sql.fetchval("select pg_backend_pid()")
            raise error("cannot switch to another state")
    for _ in range(bench.pool.get_max_size() + 1):
        async with pools.connection(bench.pool) as sql:
            assert await sql.fetchval("select pg_backend_pid()") != broken
