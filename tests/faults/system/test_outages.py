"""Kafka or PostgreSQL killed while people vote, and started again."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import msgspec
import pytest

from cli.booth import Booth
from cli.outcomes import Accepted, PostReceived
from shared.testing.promises import promise
from tests.journeys import databases, voters
from tests.journeys.gathering import Gathering, gather
from tests.journeys.patience import until
from tests.journeys.voters import AtTheBooth
from tests.journeys.whole import Whole

VOTERS, ENVELOPES = 10, 4
POLITE = {200, 201, 202, 503}


@dataclass(frozen=True)
class Part:
    """Kafka or PostgreSQL."""

    name: str
    kill: Callable[[Whole], None]
    start: Callable[[Whole], None]


KAFKA = Part("kafka", lambda w: w.stack.kill_kafka(), lambda w: w.stack.start_kafka())
POSTGRES = Part("postgres", lambda w: w.stack.kill_postgres(), lambda w: w.stack.start_postgres())


@pytest.mark.parametrize("part", [KAFKA, POSTGRES], ids=lambda part: part.name)
@promise("P15", "P4", "P1")
async def test_a_part_dies_while_people_vote_and_everybody_is_served_in_the_end(
    whole: Whole, booth: Booth, part: Part
) -> None:
    """Half have voted, half are on their way: nobody hears an untruth, and all votes count once.

    While the part is away the gateway says "not known yet" or "try again", never "not cast", and
    nothing is started again by hand but the part itself.
    """
    gathering = await gather(whole, booth, f"{part.name} dies", VOTERS + ENVELOPES)
    at_booth = await voters.prepare_all(booth, gathering, gathering.take(VOTERS))
    before = [await voters.hand_in(booth, gathering, voter) for voter in at_booth[:3]]
    assert all(isinstance(outcome, Accepted) for outcome in before)
    await asyncio.to_thread(part.kill, whole)
    said = await asyncio.gather(*(_one_request(whole, gathering, v) for v in at_booth))
    assert set(said) <= POLITE, said
    if part is KAFKA:
        assert set(said[3:]) <= {202, 503}, said
    waiting = [
        asyncio.create_task(voters.hand_in(booth, gathering, voter)) for voter in at_booth[3:]
    ]
    scans = [asyncio.create_task(_scan(gathering)) for _ in range(ENVELOPES)]
    await until(lambda: _nobody_is_ready(whole), what="the services' saying that it is away")
    await asyncio.to_thread(part.start, whole)
    assert all(isinstance(outcome, Accepted) for outcome in await asyncio.gather(*waiting))
    assert await asyncio.gather(*scans) == ["admitted"] * ENVELOPES
    for name in whole.names:
        await asyncio.to_thread(whole.await_ready, name)
    assert [await voters.hand_in(booth, gathering, voter) for voter in at_booth[:3]] == before
    _require_counts(whole, gathering)


async def _one_request(whole: Whole, gathering: Gathering, voter: AtTheBooth) -> int:
    """The status of one attempt to hand a ballot in."""
    body = (
        b'{"permit":' + msgspec.json.encode(voter.visit.permit) + b',"ballot":' + voter.ballot
    ) + b"}"
    url = f"{whole.gateway}/api/elections/{gathering.election_id}/ballots"
    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as said:
        return said.status


async def _scan(gathering: Gathering) -> str:
    return await voters.scan(gathering, gathering.one())


def _nobody_is_ready(whole: Whole) -> bool:
    return all(whole.reasons(name) for name in ("votes", "codes", "identity"))


def _require_counts(whole: Whole, gathering: Gathering) -> None:
    claims = (
        "select count(*) from claims c join rights r using (right_id)"
        f" where r.election_id = '{gathering.election_id}' and channel = '{{}}'"
    )
    assert databases.count(whole, "votes", claims.format("online")) == VOTERS
    assert databases.count(whole, "votes", claims.format("post")) == ENVELOPES


@promise("P15")
async def test_a_killed_arbiter_decides_what_waited_for_it(whole: Whole, booth: Booth) -> None:
    """Votes is killed; ballots and envelopes wait in the log, and are decided when it is back."""
    gathering = await gather(whole, booth, "votes dies", 4)
    first, second = await voters.prepare_all(booth, gathering, gathering.take(2))
    whole.stack.kill_service("votes")
    waiting = asyncio.create_task(voters.hand_in(booth, gathering, first))
    scanned = asyncio.create_task(voters.scan(gathering, second.elect))
    await asyncio.to_thread(whole.up, "votes")
    assert isinstance(await waiting, Accepted)
    assert await scanned == "admitted"
    assert isinstance(await voters.hand_in(booth, gathering, second), PostReceived)
