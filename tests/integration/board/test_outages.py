"""Kafka or PostgreSQL away: the board shows what it has, and goes on by itself."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import msgspec

from shared.testing.promises import promise
from tests.integration.board.conftest import Hall, eventually


@promise("P15")
async def test_without_kafka_the_board_can_be_read_and_goes_on_later(hall: Hall) -> None:
    """What is on the board stays there to be read; what comes afterwards follows."""
    polls = hall.polls("no-kafka", voters=3)
    await hall.set_up(polls)
    await hall.say(polls.accepted(0))
    await hall.until(polls.election_id, lambda board: board["ballots"] == 1)
    await asyncio.to_thread(hall.stack.kill_kafka)
    try:
        for name in ("", "/archive", "/board", "/checkpoint", "/ballots"):
            assert (await hall.get(f"/elections/{polls.election_id}{name}"))[0] == 200
    finally:
        await asyncio.to_thread(hall.stack.start_kafka)
    await hall.say(polls.accepted(1), polls.accepted(2))
    await hall.until(polls.election_id, lambda board: board["ballots"] == 3)


@promise("P15")
async def test_without_postgresql_files_are_served_and_questions_are_put_off(hall: Hall) -> None:
    """The head and both files are there; what must be looked up is "not now", and comes back."""
    polls = hall.polls("no-postgres", voters=3)
    await hall.set_up(polls)
    await hall.say(polls.accepted(0))
    await hall.until(polls.election_id, lambda board: board["ballots"] == 1)
    at = f"/elections/{polls.election_id}"
    asked = f"{at}/inclusion?tracker={quote(polls.accepted(0).tracker)}"
    await asyncio.to_thread(hall.stack.kill_postgres)
    try:
        for name in ("", "/archive", "/board", "/checkpoint", "/consistency?from=1"):
            assert (await hall.get(at + name))[0] == 200
        status, body, headers = await hall.get(asked)
        assert (status, msgspec.json.decode(body)["code"]) == (503, "unavailable")
        assert "Retry-After" in headers
        await hall.say(polls.accepted(1), polls.accepted(2))
    finally:
        await asyncio.to_thread(hall.stack.start_postgres)
    await hall.until(polls.election_id, lambda board: board["ballots"] == 3)
    await eventually(lambda: hall.get(asked), lambda answer: answer[0] == 200)
