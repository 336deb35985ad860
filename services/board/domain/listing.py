"""The authority's credential list as its parts come in: a tree over them, and none is kept.

Promises that the root is that of `ballots.credentials` over the whole list, and that a part is
taken only after the one before it, in the list's own order. Must never judge whose list it is.
"""

from collections.abc import Sequence
from itertools import pairwise

from msgspec import Struct

from ballots.merkle import leaf_hash
from services.board.domain import frontier


class Listing(Struct, frozen=True, kw_only=True):
    """How much of a list has been read, and the edge of the tree over it."""

    parts: int = 0
    parts_there: int = 0
    size: int = 0
    last: str = ""
    peaks: bytes = b""

    @property
    def is_complete(self) -> bool:
        """Whether every part is there."""
        return 0 < self.parts == self.parts_there

    @property
    def root(self) -> str:
        """The Merkle root over what is there, 64 hex digits."""
        return frontier.root(self.peaks).hex()


def is_repeated(listing: Listing, part: int) -> bool:
    """Whether this part was taken before; the first one counts."""
    return part < listing.parts_there


def fault(listing: Listing, part: int, parts: int, credentials: Sequence[str]) -> str | None:
    """Why this can't be the next part, or None."""
    if part != listing.parts_there or (listing.parts and parts != listing.parts) or part >= parts:
        return "part_out_of_order"
    ordered = [*([listing.last] if listing.last else ()), *credentials]
    keys = [_place(credential) for credential in ordered]
    if any(earlier >= later for earlier, later in pairwise(keys)):
        return "list_not_sorted"
    return None


def with_part(listing: Listing, parts: int, credentials: Sequence[str]) -> Listing:
    """The list with its next part."""
    leaves = [leaf_hash(credential.encode()) for credential in credentials]
    return Listing(
        parts=parts,
        parts_there=listing.parts_there + 1,
        size=listing.size + len(credentials),
        last=credentials[-1],
        peaks=frontier.grown(listing.peaks, listing.size, leaves),
    )


def _place(credential: str) -> bytes:
    # Belenios sorts by the little-endian bytes; the text is big-endian.
    return bytes.fromhex(credential)[::-1]
