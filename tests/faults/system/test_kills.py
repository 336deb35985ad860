"""Each service killed before and after each commit and publish, while a small ballot goes on.

The ballot is a rehearsal of its own: set up, voted in by both channels with repetitions and double
votes, closed and reconciled. Officials repeat what isn't answered under the same key, voters hand
in the same ballot again, and whoever looks after the processes starts the dead one again.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from cli.booth import Booth
from cli.outcomes import Accepted, AlreadyVoted
from shared.testing.promises import promise
from tests.faults.system.dying import POINTS, Deaths, Point
from tests.journeys import databases, voters
from tests.journeys.gathering import Gathering, gather
from tests.journeys.patience import say, until
from tests.journeys.whole import Whole

SEED = 1832
SERVICES = ("elections", "identity", "codes", "votes", "postal", "gateway", "board")
NEVER = {
    ("gateway", "mark"),  # it has no outbox
    ("postal", "half_published"),  # it says one thing at a time
}
ONLINE, POSTED = 4, 3


def _matrix() -> list[tuple[str, Point]]:
    return [pair for pair in itertools.product(SERVICES, POINTS) if pair not in NEVER]


def _sample() -> list[tuple[str, Point]]:
    """One point for each service, by the seed."""
    chance = random.Random(SEED)
    return [
        (service, chance.choice([point for name, point in _matrix() if name == service]))
        for service in SERVICES
    ]


def _cases() -> list[object]:
    sample = _sample()
    rest = [pair for pair in _matrix() if pair not in sample]
    return [*sample, *(pytest.param(*pair, marks=pytest.mark.long) for pair in rest)]


@pytest.mark.parametrize(("service", "point"), _cases())
@promise("P1", "P4", "P15")
async def test_a_service_dies_at_a_point_and_nothing_is_lost_or_doubled(
    whole: Whole, booth: Booth, deaths: Deaths, service: str, point: Point
) -> None:
    """Every receipt stays good, every vote counts once, and every table balances in the end."""
    say(f"seed {SEED}: {service} dies {point}")
    is_rare = point in ("mark", "half_published")
    passes = 0 if is_rare else random.Random(f"{SEED}{service}{point}").randrange(3)
    async with _looked_after(whole, deaths, service) as died:
        deaths.arm(service, point, passes)
        gathering = await gather(whole, booth, f"{service} dies {point}", ONLINE + POSTED + 2)
        receipts = await _ballot(booth, gathering)
        await _require_same_receipts(booth, gathering, receipts)
        await gathering.offices.close_online()
        shown = await gathering.offices.close_post()
        assert died.is_set(), f"{service} never came to {point}"
    assert shown["phase"] in ("reconciled", "tallied")
    await _require_balance(whole, gathering)
    await _require_board(whole, gathering, {outcome.receipt.tracker for _, outcome in receipts})


@asynccontextmanager
async def _looked_after(whole: Whole, deaths: Deaths, service: str) -> AsyncIterator[asyncio.Event]:
    """Starts the service again when it dies; afterwards it is up, and told to live."""
    died = asyncio.Event()

    async def look_after() -> None:
        await until(lambda: not whole.is_running(service), what="the death", seconds=240)
        deaths.disarm(service)
        died.set()
        await asyncio.to_thread(whole.up, service)

    task = asyncio.create_task(look_after())
    try:
        yield died
        await task
    finally:
        deaths.disarm(service)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.to_thread(whole.up, service)


async def _ballot(booth: Booth, gathering: Gathering) -> list[tuple[voters.AtTheBooth, Accepted]]:
    """Some vote online, some by post, one tries both and one tries twice, all side by side."""
    online = asyncio.gather(*(_vote(booth, gathering) for _ in range(ONLINE)))
    posted = asyncio.gather(*(_post(gathering) for _ in range(POSTED)))
    receipts, shown = await asyncio.gather(online, posted)
    assert shown == ["admitted"] * POSTED
    first, _ = receipts[0]
    other = await voters.seal(gathering, first.visit, choice=1)
    assert isinstance(await voters.hand_in(booth, gathering, first, other), AlreadyVoted)
    aside = await voters.scan(gathering, first.elect)
    assert aside == "voted_online"
    return receipts


async def _vote(booth: Booth, gathering: Gathering) -> tuple[voters.AtTheBooth, Accepted]:
    voter = await voters.prepare(booth, gathering, gathering.one())
    outcome = await voters.hand_in(booth, gathering, voter)
    assert isinstance(outcome, Accepted), outcome
    return voter, outcome


async def _post(gathering: Gathering) -> str:
    return await voters.scan(gathering, gathering.one())


async def _require_same_receipts(
    booth: Booth, gathering: Gathering, receipts: list[tuple[voters.AtTheBooth, Accepted]]
) -> None:
    for voter, receipt in receipts:
        assert await voters.hand_in(booth, gathering, voter) == receipt


async def _require_board(whole: Whole, gathering: Gathering, trackers: set[str]) -> None:
    """The public board has the ballots that got receipts, each once, and has ended with them."""
    at = f"http://127.0.0.1:{whole.stack.ports.api('board')}/elections/{gathering.election_id}"
    async with aiohttp.ClientSession() as http:

        async def phase() -> str:
            async with http.get(at) as answer:
                found: str = (await answer.json())["phase"] if answer.status == 200 else ""
                return found

        ended = ("ended", "tallied")
        await until(phase, lambda seen: seen in ended, what="the end of the board", seconds=60)
        async with http.get(f"{at}/ballots") as answer:
            listed = [line["tracker"] for line in (await answer.json())["ballots"]]
    assert len(listed) == ONLINE
    assert set(listed) == trackers


async def _require_balance(whole: Whole, gathering: Gathering) -> None:
    path = f"/elections/{gathering.election_id}"
    packs = await asyncio.to_thread(whole.officers.codes.get, f"{path}/packs/balance")
    states = {name: count for name, count in packs["states"].items() if count}
    assert packs["is_balanced"]
    expected = {"voted_online": ONLINE, "voted_by_post": POSTED, "unused": 2, "spare": 3}
    assert states == expected
    clerk = whole.officers.postal[0]
    envelopes = await asyncio.to_thread(clerk.get, f"{path}/envelopes/balance")
    assert envelopes["is_balanced"]
    assert (envelopes["admitted"], envelopes["set_aside"]) == (POSTED, {"voted_online": 1})
    claims = (
        "select count(*) from claims c join rights r using (right_id)"
        f" where r.election_id = '{gathering.election_id}'"
    )
    assert databases.count(whole, "votes", claims) == ONLINE + POSTED
    summary = await asyncio.to_thread(whole.officers.identity[0].get, f"{path}/summary")
    assert summary["electors"] == ONLINE + POSTED + 2
    assert summary["cases_by_kind"] == {"online_after_online": 1, "post_after_online": 1}
