"""One story per promise, as a voter, a clerk or an officer meets it."""

from cli.booth import Booth
from cli.outcomes import Accepted, AlreadyVoted
from shared.testing.promises import promise
from tests.journeys import voters
from tests.journeys.gathering import Gathering


@promise("P1", "P4")
async def test_a_vote_is_cast_once_and_its_receipt_comes_again(
    booth: Booth, gathering: Gathering
) -> None:
    """A vote is recorded; the same ballot again gets the same receipt, another ballot is told no.

    Losing the reply costs nothing: nobody has two votes, and nobody loses the receipt.
    """
    voter = await voters.prepare(booth, gathering, gathering.one())
    first = await voters.hand_in(booth, gathering, voter)
    assert isinstance(first, Accepted)
    assert await voters.hand_in(booth, gathering, voter) == first
    other = await voters.seal(gathering, voter.visit, choice=1)
    refused = await voters.hand_in(booth, gathering, voter, other)
    assert isinstance(refused, AlreadyVoted)
