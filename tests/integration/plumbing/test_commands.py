"""What an HTTP call causes, once per idempotency key."""

import asyncio
from typing import Any

import asyncpg
import pytest

from shared import commands
from shared.commands import KeyReused, run_once
from shared.consumer_types import Emission, Sql
from shared.errors import Conflict, NotNow
from shared.postgres import pool as pools
from shared.testing.plumbing import Bench, Channel, eventually, running


class Writes:
    """An action that writes a note, and counts how often it ran."""

    def __init__(self, text: str = "note") -> None:
        self.runs = 0
        self.text = text

    async def __call__(self, sql: Sql) -> tuple[int, Any]:
        self.runs += 1
        await sql.execute("insert into notes values ('t', 0, 0, $1, $2)", self.text, self.runs)
        return 201, {"text": self.text, "run": self.runs}


async def test_the_same_key_gets_the_same_response(bench: Bench) -> None:
    """The second call changes nothing and is told what the first one was told."""
    action = Writes()
    first = await run_once(bench.pool, "k", b"request", action)
    second = await run_once(bench.pool, "k", b"request", action)
    assert first == second == (201, {"text": "note", "run": 1})
    assert await bench.texts() == ["note"]


async def test_calls_at_the_same_time_are_one(bench: Bench) -> None:
    """Twenty clients with one key at once: one action, twenty equal responses."""
    action = Writes()
    calls = [run_once(bench.pool, "k", b"request", action) for _ in range(20)]
    assert await asyncio.gather(*calls) == [(201, {"text": "note", "run": 1})] * 20
    assert action.runs == 1


async def test_a_key_of_another_request_is_refused(bench: Bench) -> None:
    """A key that was used for something else can't be used again, nor tell what that was."""
    await run_once(bench.pool, "k", b"request", Writes())
    with pytest.raises(KeyReused):
        await run_once(bench.pool, "k", b"another", Writes("other"))
    assert await bench.texts() == ["note"]


async def test_an_action_that_refuses_leaves_nothing_and_frees_its_key(bench: Bench) -> None:
    """A refusal is not remembered: when the state of things has changed the same call may pass."""

    async def refuse(sql: Sql) -> tuple[int, Any]:
        await Writes()(sql)
        raise Conflict("not now")

    with pytest.raises(Conflict):
        await run_once(bench.pool, "k", b"request", refuse)
    assert await bench.texts() == []
    assert await run_once(bench.pool, "k", b"request", Writes()) == (
        201,
        {"text": "note", "run": 1},
    )


async def test_what_it_says_leaves_through_the_outbox(bench: Bench) -> None:
    """Messages of a command are committed with it and published at once."""
    told: Channel = await bench.channel()
    outbox = bench.outbox()

    async def action(sql: Sql) -> tuple[int, Any]:
        await outbox.add(sql, [Emission(told.message("said"), "e", "key")])
        return 202, None

    async with running(outbox.run()):
        answer = await run_once(bench.pool, "k", b"request", action, outbox=outbox)
        await eventually(bench.everything_is_published)
    assert answer == (202, None)
    assert [record.message.text for record in await bench.read(told)] == ["said"]


@pytest.mark.parametrize("had_persisted", [False, True])
async def test_a_commit_with_an_unknown_outcome_is_looked_up_by_its_key(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, had_persisted: bool
) -> None:
    """The connection breaks at the commit, which had persisted or not: one note either way.

    Fails without the second attempt under the same key.
    """
    action, breaks = Writes(), iter([True])
    real = pools.transaction

    class Breaking:
        def __init__(self, pool: Any) -> None:
            self._real = real(pool)

        async def __aenter__(self) -> Any:
            self._sql = await self._real.__aenter__()
            return self._sql

        async def __aexit__(self, *error: Any) -> Any:
            if next(breaks, False):
                if had_persisted:
                    await self._real.__aexit__(*error)
                else:
                    self._sql.terminate()
                raise asyncpg.ConnectionDoesNotExistError("cut at the commit")
            return await self._real.__aexit__(*error)

    monkeypatch.setattr(commands, "transaction", Breaking)
    status, response = await run_once(bench.pool, "k", b"request", action)
    assert (status, response["run"]) == (201, 1 if had_persisted else 2)
    assert await bench.texts() == ["note"]


async def test_without_a_database_it_is_refused_politely(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever calls while the database is away is told to call again with the same key."""

    def away(_: Any) -> Any:
        raise ConnectionRefusedError

    monkeypatch.setattr(commands, "transaction", away)
    with pytest.raises(NotNow, match="same key"):
        await run_once(bench.pool, "k", b"request", Writes())
