"""A whole ballot in which the network delivers every message one to three times."""

import asyncio
import random
from collections import Counter

import pytest

from cli.rehearsal import run
from shared.contracts.topics import (
    BALLOTS,
    CODES_REQUESTS,
    DECISIONS,
    ELECTIONS,
    IDENTITY_REQUESTS,
    PACKS,
    REPLIES,
    RIGHTS,
)
from shared.testing.promises import promise
from tests.journeys import records
from tests.journeys.patience import say
from tests.journeys.whole import Whole

SEED = 1911
SAMPLE, FULL = 80, 500
REPEATED = (
    RIGHTS,
    DECISIONS,
    BALLOTS,
    PACKS,
    ELECTIONS,
    CODES_REQUESTS,
    IDENTITY_REQUESTS,
    REPLIES,
)


class Repeater:
    """Says every record that appears up to two more times, byte for byte the same."""

    def __init__(self, whole: Whole, seed: int) -> None:
        self._address = whole.stack.kafka_address
        self._chance = random.Random(seed)
        self._originals: set[bytes] = set()
        self.said: Counter[str] = Counter()

    async def run(self) -> None:
        """Repeat for ever."""
        async with records.writer(self._address) as out:
            async for seen in records.follow(self._address, REPEATED):
                whole_record = b"%s/%d " % (seen.topic.encode(), seen.partition) + seen.everything()
                if whole_record in self._originals:
                    continue
                self._originals.add(whole_record)
                for _ in range(self._chance.randrange(3)):
                    await out.send(
                        seen.topic,
                        seen.value,
                        seen.key,
                        seen.partition,
                        headers=list(seen.headers),
                    )
                    self.said[seen.topic] += 1


@pytest.mark.parametrize("electors", [SAMPLE, pytest.param(FULL, marks=pytest.mark.long)])
@promise("P1", "P11", "P13")
async def test_messages_that_come_up_to_three_times_change_nothing(
    whole: Whole, electors: int
) -> None:
    """Every story of a rehearsal ends as it must, and every figure agrees, as without repetition.

    Votes, double votes in both orders, replacements, withdrawals, lockouts, voids, late ballots.
    """
    say(f"seed {SEED}")
    repeater = Repeater(whole, SEED)
    task = asyncio.create_task(repeater.run())
    wanted = run.Wanted(electors=electors, seed=SEED, online_share=0.6, at_once=8)
    try:
        outcome = await asyncio.to_thread(run.rehearse, whole.stack, wanted, lambda *_: None)
    finally:
        task.cancel()
        await asyncio.wait([task])
    say(f"said again: {dict(repeater.said)}")
    assert all(repeater.said[topic.name] for topic in REPEATED)
    assert list(outcome.surprises) == []
    assert [line for line in outcome.lines if not line.agrees] == []
