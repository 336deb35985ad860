"""The process of votes killed again and again while ballots and envelopes come in."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest

from deploy.local.processes import children_of, start_ticks
from deploy.local.stack import Stack
from services.votes.verifiers import Verifiers
from shared.contracts.message import encode
from shared.contracts.topics import BALLOTS, DECISIONS
from shared.contracts.votes import BallotAccepted, EnvelopeAdmitted, RightUsedOnline
from shared.replay import Order
from shared.testing.promises import promise
from tests.integration.votes.conftest import Court, court_in
from tests.integration.votes.test_law import ballot

ELECTORS = 36
DEATHS = 4
LIMIT_SECONDS = 60


@pytest.fixture
async def court(stack: Stack) -> AsyncIterator[Court]:
    """A law, and a database for the process; the process is gone at the end."""
    database = await asyncio.to_thread(stack.add_database, "votes", "deaths")
    try:
        async with court_in(stack, database) as made:
            yield made
    finally:
        await asyncio.to_thread(stack.stop_service, "votes")
        await asyncio.to_thread(stack.drop_database, database)


async def start(court: Court) -> None:
    """Start the process on the court's database."""
    extra = {"CASTONCE_DATABASE_NAME": court.database, "CASTONCE_INSTANCE": "votes-court"}
    await asyncio.to_thread(court.stack.start_service, "votes", extra, 60, False)


async def gone(pids: list[int]) -> None:
    """Return when none of these processes lives."""
    async with asyncio.timeout(LIMIT_SECONDS):
        while any(start_ticks(pid) for pid in pids):  # noqa: ASYNC110  (they can't call us)
            await asyncio.sleep(0.05)


@promise("P1", "P2", "P4", "P10", "P15")
async def test_nothing_is_lost_or_doubled_when_votes_is_killed(court: Court) -> None:
    """After four kills in the flow every ballot has one receipt, every right one decision, the
    tables are what a replay gives, and no verifying process has outlived its parent."""
    law = court.law
    since = {topic.name: await court.ends(topic) for topic in (DECISIONS, BALLOTS)}
    await court.write([law.defined(at) for at in range(6)] + [law.listed(at) for at in range(6)])
    for number in range(ELECTORS):
        await court.write([law.registered(number), law.granted(number)])
    await court.write([law.opened(at) for at in range(6)])
    share = ELECTORS // DEATHS
    for death in range(DEATHS):
        await start(court)
        pid = await started(court)
        for number in range(death * share, (death + 1) * share):
            voted = ballot(court, number) if number % 3 else law.envelope(number)
            await court.write([voted, voted])
        await court.some_progress()
        children = [child.pid for child in children_of(pid)]
        await asyncio.to_thread(court.stack.kill_service, "votes")
        await gone(children)
    await start(court)
    await court.caught_up()
    outcomes = await court.said(BALLOTS, since[BALLOTS.name])
    receipts: dict[str, set[bytes]] = defaultdict(set)
    for message in outcomes:
        assert isinstance(message, BallotAccepted)
        receipts[message.tracker].add(encode(message))
    assert len(receipts) == ELECTORS * 2 // 3
    assert all(len(different) == 1 for different in receipts.values())
    decisions = await court.said(DECISIONS, since[DECISIONS.name])
    used = {m.right_id for m in decisions if isinstance(m, RightUsedOnline | EnvelopeAdmitted)}
    assert used == {law.right_id(number) for number in range(ELECTORS)}
    verifiers = Verifiers(1)
    try:
        assert await court.replayed(verifiers, Order(seed=4, most=11)) == await court.digests()
    finally:
        await verifiers.stop()


async def started(court: Court) -> int:
    """The process's id, once it applies records."""
    running = court.stack.service_pid_file("votes").running()
    assert running is not None
    await court.some_progress()
    return running.pid
