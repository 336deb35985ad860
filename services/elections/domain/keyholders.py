"""Who can open the tally: whose partial decryption a text is, and what enough of them open.

Promises that a partial decryption is taken only if every one of its proofs holds under its owner's
key. Must never see a private key. Trusts `ballots` for what a proof shows.
"""

from contextlib import suppress
from functools import lru_cache
from typing import Final

from ballots import decrypt, election, tally, trustees
from ballots.errors import BallotError, ProofRefused
from ballots.trustees import Trustees

read: Final = lru_cache(maxsize=64)(lambda raw: trustees.parse(raw.encode()))
"""The trustees of an election's record, checked once; raises the BallotError that fits."""


def missing(holders: Trustees, owners: tuple[int, ...]) -> list[int]:
    """The owners whose partial decryption isn't there."""
    return [owner for owner in range(1, len(holders.owners) + 1) if owner not in owners]


def owner_of(
    holders: Trustees, election_raw: str, encrypted_tally: str, partial: str, owner: int | None
) -> int:
    """The number of the trustee under whose key all proofs hold; raises the BallotError that fits.

    A partial decryption doesn't name its owner: without `owner` every key is tried, and a wrong one
    fails at the first proof.
    """
    about = election.parse(election_raw.encode())
    totals = tally.parse(about, encrypted_tally.encode())
    offered = decrypt.parse_partial(partial.encode())
    tried = range(1, len(holders.owners) + 1) if owner is None else [owner]
    for number in tried:
        with suppress(ProofRefused):
            decrypt.verify_partial(about, totals, holders.public_key(number), offered)
            return number
    raise ProofRefused("its proofs don't hold under this trustee's key, or under any")


def result(
    holders: Trustees,
    election_raw: str,
    encrypted_tally: str,
    partials: dict[int, str],
    ballots: int,
) -> str:
    """The result record that these partial decryptions open; raises TallyRefused and so on."""
    about = election.parse(election_raw.encode())
    totals = tally.parse(about, encrypted_tally.encode())
    read_partials = {
        owner: decrypt.parse_partial(text.encode()) for owner, text in partials.items()
    }
    return decrypt.encode_result(decrypt.combine(holders, totals, read_partials, ballots)).decode()


def opens(raw: str, owners: tuple[int, ...]) -> bool:
    """Whether these owners' partial decryptions open a tally under this record."""
    try:
        holders: Trustees = read(raw)
    except BallotError:
        return False  # an election that no trustee of ours can hold has no result
    return holders.are_enough(owners)
