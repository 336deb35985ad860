"""Which acceptances go into an election's sum, and what the sum is with them: pure.

Promises a verdict on each acceptance that follows from it and from its election alone, so that it
is the same in whatever company it is read. Must never look at what a ballot holds, nor check its
proofs: `votes` and everybody who reads the board do. Trusts that whoever holds the key of `votes`
that the election names accepted the ballot.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal

import msgspec

from ballots import ballot, tally
from ballots.election import Election
from ballots.errors import BallotError
from ballots.tally import EncryptedTally
from shared.contracts.votes import BallotAccepted

Aside = Literal["unknown_election", "receipt_refused", "ballot_unusable"]
"""Why an acceptance is in no sum: nobody ever made such an election; `votes` didn't say it under
the election's key, or not of this ballot; it did, and the ballot can't be added."""

Holds = Callable[[str, bytes, str], bool]
"""Whether a key has signed a text: the key, the text, the signature."""

_SUMS: Final = msgspec.json.Decoder(EncryptedTally)


def is_believed(said: BallotAccepted, votes_key: str, holds: Holds) -> bool:
    """Whether `votes` accepted this very ballot in this election."""
    # Another ballot's true receipt would hold, and says nothing about this one.
    receipt = said.receipt
    named = (receipt.election_id, receipt.tracker)
    return (
        named == (said.election_id, said.tracker)
        and ballot.tracker(bytes(said.ballot)) == said.tracker
        and holds(votes_key, receipt.signed_text(), receipt.signature)
    )


def added(about: Election, sums: str | None, ballots: Iterable[bytes]) -> str:
    """The sum with these ballots, as it is kept; raises BallotError if one can't be added."""
    totals = tally.nothing(about) if sums is None else _SUMS.decode(sums)
    return tally.encode(tally.carry_on(about, totals, ballots)).decode()


def unusable(about: Election, ballots: Iterable[bytes]) -> set[bytes]:
    """Those of these ballots that no sum can take in, each looked at alone."""
    return {raw for raw in ballots if not _can_be_added(about, raw)}


def _can_be_added(about: Election, raw: bytes) -> bool:
    try:
        tally.carry_on(about, tally.nothing(about), [raw])
    except BallotError:
        return False
    return True
