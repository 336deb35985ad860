"""Kafka or PostgreSQL away: the gateway refuses politely, loses nothing, and recovers by itself."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import msgspec

from shared.testing.promises import promise

RECOVERY_SECONDS = 40.0


def _body(permit: Any) -> bytes:
    ballot = b'{"n":"' + secrets.token_hex(16).encode() + b'"}'
    return b'{"permit":' + msgspec.json.encode(permit) + b',"ballot":' + ballot + b"}"


async def _until_status(voter, path: str, body: Any, wanted: set[int]) -> Any:
    """Hand in until the status is a wanted one; every other answer must be a polite one."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        answer = await voter.post(path, body)
        if answer.status in wanted:
            return answer
        assert answer.status in (202, 503), answer.body
        assert time.monotonic() < deadline, answer.body


@promise("P4", "P15")
async def test_a_broker_that_dies_costs_no_ballot(
    office, voter, open_election, gateway_stack
) -> None:
    """Handed over: "not known yet"; else "try again"; after the restart: the receipt."""
    path = f"/api/elections/{open_election}/ballots"
    bodies = [_body(office.permit(open_election)) for _ in range(20)]
    await asyncio.to_thread(gateway_stack.kill_kafka)
    first = await asyncio.gather(*(voter.post(path, body) for body in bodies))
    assert {answer.status for answer in first} <= {202, 503}
    shut = await _until_status(voter, path, _body(office.permit(open_election)), {503})
    assert int(shut.headers["Retry-After"]) >= 1
    assert shut.body["code"] == "unavailable"
    visit = {"credential": "ab" * 32}
    begun = await voter.post(f"/api/elections/{open_election}/sessions", visit)
    assert begun.status == 503
    assert "Retry-After" in begun.headers
    await asyncio.to_thread(gateway_stack.start_kafka)
    last = await asyncio.gather(*(_until_status(voter, path, body, {201}) for body in bodies))
    receipts = {answer.body["receipt"]["tracker"] for answer in last}
    assert len(receipts) == 20
    again = await _until_status(voter, f"/api/elections/{open_election}/sessions", visit, {201})
    assert again.body["session_id"]


@promise("P15")
async def test_without_a_database_visits_wait_and_ballots_go_on(
    office, voter, open_election, gateway_stack
) -> None:
    """Ballots don't need the gateway's database; visits are asked to come back, and then can."""
    visit, path = {"credential": "ab" * 32}, f"/api/elections/{open_election}/sessions"
    await asyncio.to_thread(gateway_stack.kill_postgres)
    try:
        begun = await voter.post(path, visit)
        assert (begun.status, begun.body["code"]) == (503, "unavailable")
        assert "Retry-After" in begun.headers
        ballots = f"/api/elections/{open_election}/ballots"
        assert (await voter.post(ballots, _body(office.permit(open_election)))).status == 201
    finally:
        await asyncio.to_thread(gateway_stack.start_postgres)
    assert (await _until_status(voter, path, visit, {201})).status == 201
