"""A clerk's request that waits for a decision."""

import asyncio

from services.postal.arrivals import Arrivals


async def test_a_decision_wakes_whoever_waits() -> None:
    """The answer goes out when the decision is committed, without waiting for the time to pass."""
    arrivals, seen = Arrivals(), ["undecided"]

    async def look() -> str:
        return seen[0]

    waiting = asyncio.create_task(arrivals.until(look, lambda s: s == "admitted", 60.0))
    await asyncio.sleep(0)
    arrivals.note()
    await asyncio.sleep(0)
    seen[0] = "admitted"
    arrivals.note()
    assert await waiting == "admitted"


async def test_a_decision_between_looking_and_waiting_is_not_missed() -> None:
    """What is committed while the table is being read still wakes the request."""
    arrivals, calls = Arrivals(), 0

    async def look() -> int:
        nonlocal calls
        calls += 1
        if calls == 1:
            arrivals.note()
        return calls

    async with asyncio.timeout(10.0):
        assert await arrivals.until(look, lambda n: n == 2, 60.0) == 2


async def test_patience_ends() -> None:
    """Without a decision the request is answered as undecided when its time is over."""

    async def look() -> str:
        return "undecided"

    assert await Arrivals().until(look, lambda s: s != "undecided", 0.01) == "undecided"
