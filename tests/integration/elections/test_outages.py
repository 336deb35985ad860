"""Kafka or PostgreSQL away: officers are asked to wait, and what was ordered happens."""

from __future__ import annotations

import asyncio
import secrets

from ballots import trustee, trustees
from shared.testing.promises import promise
from tests.integration.elections.polling import Polling

DEFINITION = {
    "title": "Election of the leader",
    "organisation": "Example Society",
    "questions": [{"question": "Who?", "answers": ["Ann", "Bob"], "min": 1, "max": 1}],
    "channels": ["online", "post"],
    "opens_at_ms": 1_000,
    "online_closes_at_ms": 4_000_000_000_000,
    "post_closes_at_ms": 4_000_000_000_000,
    "security_questions": [{"fact": "postcode", "text": "Your postcode?"}],
    "helpline": "020 7946 0000",
    "trustees": trustees.encode([trustee.public_part(12345, secrets.token_bytes)]).decode(),
    "credential_authority_key": "ab" * 32,
}


@promise("P15")
async def test_without_kafka_a_step_is_ordered_and_happens_later(officer, elections_stack) -> None:
    """The officer hears "ordered" (202), and the election appears when Kafka is back: once."""
    key = "key-" + secrets.token_hex(8)
    await asyncio.to_thread(elections_stack.kill_kafka)
    try:
        status, made = await officer.post("/elections", {"definition": DEFINITION}, key)
        assert status == 202
    finally:
        await asyncio.to_thread(elections_stack.start_kafka)
    await _until_there(officer, made["election_id"])
    again = await officer.post("/elections", {"definition": DEFINITION}, key)
    assert again == (201, made)
    await officer.until(made["election_id"], lambda found: len(found["barriers"]) == 6)


async def _until_there(officer, election_id: str) -> None:
    async with asyncio.timeout(60):
        while (await officer.call("GET", f"/elections/{election_id}"))[0] != 200:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@promise("P15")
async def test_without_postgresql_officers_are_asked_to_repeat_and_nothing_is_done_twice(
    officer, elections_stack
) -> None:
    """Reading and ordering are refused politely; the same request later is done once."""
    key = "key-" + secrets.token_hex(8)
    await asyncio.to_thread(elections_stack.kill_postgres)
    try:
        assert (await officer.call("GET", "/elections"))[0] == 503
        status, problem = await officer.post("/elections", {"definition": DEFINITION}, key)
        assert (status, problem["code"]) == (503, "unavailable")
    finally:
        await asyncio.to_thread(elections_stack.start_postgres)
    made = await _made(officer, key)
    await officer.until(made["election_id"], lambda found: len(found["barriers"]) == 6)


async def _made(officer, key: str) -> dict[str, str]:
    async with asyncio.timeout(60):
        while True:
            status, made = await officer.post("/elections", {"definition": DEFINITION}, key)
            if status == 201:
                return made
            assert status in (202, 503)


@promise("P9", "P13")
async def test_killed_at_every_step_of_the_end_it_says_each_thing_once(
    officer, elections_stack, neighbours
) -> None:
    """Killed while ballots come in, when the board has ended and between two trustees: the sum is
    whole, and tally and result are published once."""
    polling = await Polling.opened(elections_stack, officer, neighbours)

    async def kill() -> None:
        await asyncio.to_thread(elections_stack.kill_service, "elections")
        await asyncio.to_thread(elections_stack.start_service, "elections")
        await _until_there(officer, polling.election_id)

    await polling.vote([[1, 0], [0, 1, 0]])
    await kill()
    await polling.vote([[0, 1], [1, 0, 0]])
    await polling.close()
    await polling.end_board()
    await kill()
    await polling.until("tallied")
    assert (await polling.decrypt(1))[0] == 200
    await kill()
    assert (await polling.decrypt(2))[0] == 200
    found = await polling.until("decrypted")
    assert found["end"]["result"] == {"result": [[1, 1], [1, 1, 0]]}
    kinds = [one["type"] for one in await polling.said()]
    assert [kinds.count(kind) for kind in ("TallyPublished", "ResultPublished")] == [1, 1]
