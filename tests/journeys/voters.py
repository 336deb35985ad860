"""What a voter does in the booth, step by step, as a test wants to break it.

Promises real codes, proofs, answers and ballots: nothing is stubbed.
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cli.booth import Booth, Visit, derive, seal_ballot
from cli.outcomes import Accepted, CodeReady, Outcome, WrongAnswers
from tests.journeys.gathering import Elect, Gathering
from tests.journeys.patience import until


@dataclass
class AtTheBooth:
    """A voter who holds both permits and a sealed ballot, and hasn't handed it in."""

    elect: Elect
    visit: Visit
    ballot: bytes = field(repr=False)


async def enter(booth: Booth, gathering: Gathering, code: str) -> Visit:
    """A visit with this code, nothing proved yet."""
    credential = await asyncio.to_thread(derive, code, gathering.election_id)
    visit = await booth.enter(gathering.election_id, credential)
    assert isinstance(visit, Visit), visit
    return visit


async def identify(
    booth: Booth, gathering: Gathering, elect: Elect, code: str | None = None
) -> Visit:
    """A visit with both permits: the code proved, the questions answered rightly."""
    visit = await enter(booth, gathering, code or elect.code)
    proved = await booth.prove(visit)
    assert isinstance(proved, CodeReady), proved
    answered = await answer(booth, gathering, visit, elect)
    assert isinstance(answered, CodeReady), answered
    return visit


async def answer(
    booth: Booth, gathering: Gathering, visit: Visit, elect: Elect
) -> CodeReady | Outcome:
    """The right answers of an elector."""
    return await booth.answer(visit, elect.elector.answers(), gathering.page["answers_key"])


async def answer_wrongly(
    booth: Booth, gathering: Gathering, visit: Visit, elect: Elect
) -> CodeReady | Outcome:
    """Answers of somebody who knows the elector a little."""
    return await booth.answer(visit, elect.elector.wrong_answers(), gathering.page["answers_key"])


async def lock_out(booth: Booth, gathering: Gathering, elect: Elect) -> Outcome | CodeReady:
    """Five wrong answers by somebody who has the code; what was said to the last."""
    visit = await enter(booth, gathering, elect.code)
    assert isinstance(await booth.prove(visit), CodeReady)
    for remaining in (4, 3, 2, 1):
        said = await answer_wrongly(booth, gathering, visit, elect)
        assert said == WrongAnswers(remaining), said
    return await answer_wrongly(booth, gathering, visit, elect)


async def seal(gathering: Gathering, visit: Visit, choice: int = 0) -> bytes:
    """A sealed ballot for a candidate."""
    return await asyncio.to_thread(seal_ballot, gathering.page, visit.credential, [[choice]])


async def prepare(booth: Booth, gathering: Gathering, elect: Elect, choice: int = 0) -> AtTheBooth:
    """Everything but handing the ballot in."""
    visit = await identify(booth, gathering, elect)
    return AtTheBooth(elect, visit, await seal(gathering, visit, choice))


async def prepare_all(
    booth: Booth, gathering: Gathering, electors: Sequence[Elect]
) -> list[AtTheBooth]:
    """All of them, side by side."""
    return list(await asyncio.gather(*(prepare(booth, gathering, one) for one in electors)))


async def hand_in(
    booth: Booth, gathering: Gathering, voter: AtTheBooth, ballot: bytes | None = None
) -> Outcome:
    """Hand the sealed ballot in, the same again until its outcome is known."""
    assert voter.visit.permit is not None
    return await booth.cast(
        gathering.election_id,
        voter.visit.permit,
        ballot or voter.ballot,
        gathering.page["keys"]["votes"],
    )


async def vote(booth: Booth, gathering: Gathering, elect: Elect, choice: int = 0) -> AtTheBooth:
    """A whole vote online, which is accepted."""
    voter = await prepare(booth, gathering, elect, choice)
    outcome = await hand_in(booth, gathering, voter)
    assert isinstance(outcome, Accepted), outcome
    return voter


async def scan(gathering: Gathering, elect: Elect) -> str:
    """Scan the envelope, the same scan again until its decision is known; what the clerk sees."""
    chosen = scan_id()
    return await until(
        lambda: gathering.offices.scan(elect.serial, chosen),
        lambda shown: shown != "undecided",
        what="a decision on the envelope",
    )


def scan_id() -> str:
    """A scan id as a scanner makes it."""
    return secrets.token_hex(12)
