"""Whether the codes that `castonce demo` shows can still be voted with.

Promises that asking spends nothing: the right answers cost no try, and no ballot is made. What the
gateway doesn't tell is shown as not known. Must never be used with a real elector's code.
"""

import asyncio
from collections.abc import Mapping, Sequence

from cli.booth import Booth, Visit, derive
from cli.outcomes import (
    AlreadyVoted,
    BoothError,
    CodeReady,
    Locked,
    Outcome,
    PostReceived,
    Replaced,
    Withdrawn,
)

UNKNOWN = "may have been used: the gateway doesn't say"
_WORDS: Mapping[type, str] = {
    CodeReady: "not used yet",
    AlreadyVoted: "USED: has voted online",
    PostReceived: "USED UP: has voted by post",
    Replaced: "replaced by another pack",
    Withdrawn: "withdrawn",
    Locked: "locked after wrong answers",
}

Pack = tuple[str, Mapping[str, str]]
"""A code, and its elector's right answers by fact."""


async def standings(address: str, election_id: str, packs: Sequence[Pack]) -> list[str]:
    """In words for each pack, in their order, whether it can still be voted with."""
    async with Booth(address) as booth:
        try:
            page = await booth.election(election_id)
            asked = [_standing(booth, election_id, page["answers_key"], pack) for pack in packs]
            return list(await asyncio.gather(*asked))
        except BoothError:
            return [UNKNOWN] * len(packs)


async def _standing(booth: Booth, election_id: str, answers_key: str, pack: Pack) -> str:
    try:
        outcome = await _outcome(booth, election_id, answers_key, pack)
    except BoothError:
        return UNKNOWN
    return _WORDS.get(type(outcome), UNKNOWN)


async def _outcome(
    booth: Booth, election_id: str, answers_key: str, pack: Pack
) -> CodeReady | Outcome:
    """Where the visit ends that stops before the ballot."""
    code, answers = pack
    visit = await booth.enter(election_id, derive(code, election_id))
    if not isinstance(visit, Visit):
        return visit
    proved = await booth.prove(visit)
    if not isinstance(proved, CodeReady):
        return proved
    answered = await booth.answer(visit, answers, answers_key)
    return await booth.state(visit) if isinstance(answered, CodeReady) else answered
