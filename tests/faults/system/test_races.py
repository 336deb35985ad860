"""A ballot against an envelope of the same right, and two ballots against each other, at once."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from cli.booth import Booth
from cli.outcomes import Accepted, Outcome, PostReceived
from shared.contracts.topics import RIGHTS
from shared.testing.promises import promise
from tests.journeys import databases, records, voters
from tests.journeys.gathering import Gathering, gather
from tests.journeys.patience import say
from tests.journeys.voters import AtTheBooth
from tests.journeys.whole import Whole

SAMPLE, FULL = 60, 1_000
SEED = 1872
AT_ONCE = 12
HEAD_START_SECONDS = 0.03
"""At most; an envelope takes longer to the log, so it gets twice as much."""


@dataclass(frozen=True)
class Race:
    """What both were told."""

    voter: AtTheBooth
    online: Outcome
    envelope: str

    @property
    def ballot_won(self) -> bool:
        """Whether the ballot claimed the right, as both were told."""
        assert (type(self.online), self.envelope) in (
            (Accepted, "voted_online"),
            (PostReceived, "admitted"),
        ), (self.online, self.envelope)
        return isinstance(self.online, Accepted)


@pytest.mark.parametrize("races", [SAMPLE, pytest.param(FULL, marks=pytest.mark.long)])
@pytest.mark.timeout(900)
@promise("P1", "P2", "P5", "P6")
async def test_a_ballot_races_an_envelope_and_exactly_one_claims(
    whole: Whole, booth: Booth, races: int
) -> None:
    """Whichever comes first in the log counts, the other is told so, and nobody is told both.

    The winner is what the log says came first, whatever any clock says. All cases are opened.
    """
    say(f"seed {SEED}")
    gathering = await gather(whole, booth, f"{races} races", races, seed=SEED)
    chance = random.Random(SEED)
    run = [await _one_heat(booth, gathering, chance) for _ in range(races // AT_ONCE)]
    run.append(await _one_heat(booth, gathering, chance, races % AT_ONCE))
    raced = [race for heat in run for race in heat]
    say(f"{sum(race.ballot_won for race in raced)} ballots and the other envelopes won")
    assert {race.voter.elect.right_id: race.ballot_won for race in raced} == await _first_in_log(
        whole, gathering
    )
    _require_one_claim_each(whole, gathering, raced)


async def _one_heat(
    booth: Booth, gathering: Gathering, chance: random.Random, count: int = AT_ONCE
) -> list[Race]:
    at_booth = await voters.prepare_all(booth, gathering, gathering.take(count))
    return list(
        await asyncio.gather(
            *(
                _race(booth, gathering, voter, chance.uniform(-2, 1) * HEAD_START_SECONDS)
                for voter in at_booth
            )
        )
    )


async def _race(
    booth: Booth, gathering: Gathering, voter: AtTheBooth, head_start_seconds: float
) -> Race:
    """Both at once; a positive head start is the ballot's, a negative one the envelope's."""

    async def hand_in() -> Outcome:
        await asyncio.sleep(max(0.0, -head_start_seconds))  # the race itself, no wait for anything
        return await voters.hand_in(booth, gathering, voter)

    async def scan() -> str:
        await asyncio.sleep(max(0.0, head_start_seconds))
        return await voters.scan(gathering, voter.elect)

    online, envelope = await asyncio.gather(hand_in(), scan())
    return Race(voter, online, envelope)


async def _first_in_log(whole: Whole, gathering: Gathering) -> dict[str, bool]:
    """By right: whether its ballot stands before its envelope in the log."""
    won: dict[str, bool] = {}
    ours = {elect.right_id for elect in gathering.electors}
    for record in await records.read_all(whole.stack.kafka_address, [RIGHTS]):
        right_id = (record.key or b"").decode()
        if right_id in ours and record.type_name in ("BallotSubmitted", "EnvelopeReceived"):
            won.setdefault(right_id, record.type_name == "BallotSubmitted")
    return won


def _require_one_claim_each(whole: Whole, gathering: Gathering, raced: Sequence[Race]) -> None:
    claims = (
        "select count(*) from claims c join rights r using (right_id)"
        f" where r.election_id = '{gathering.election_id}'"
    )
    assert databases.count(whole, "votes", claims) == len(raced)
    online = sum(race.ballot_won for race in raced)
    assert databases.count(whole, "votes", f"{claims} and channel = 'online'") == online
    ballots = f"select count(*) from ballots where election_id = '{gathering.election_id}'"
    assert databases.count(whole, "votes", ballots) == online


@promise("P1", "P2")
async def test_two_ballots_of_one_right_race_and_one_counts(whole: Whole, booth: Booth) -> None:
    """Two devices with one code cast different ballots at once: one counts, both know which."""
    gathering = await gather(whole, booth, "Two ballots at once", 12, seed=SEED)
    at_booth = await voters.prepare_all(booth, gathering, gathering.take(12))
    for voter in at_booth:
        other = await voters.seal(gathering, voter.visit, choice=1)
        outcomes = await asyncio.gather(
            voters.hand_in(booth, gathering, voter), voters.hand_in(booth, gathering, voter, other)
        )
        accepted = [one for one in outcomes if isinstance(one, Accepted)]
        assert len(accepted) == 1
        again = [
            await voters.hand_in(booth, gathering, voter, ballot)
            for ballot in (voter.ballot, other)
        ]
        assert again == outcomes
