"""The edge of a tree, and a list of credentials of which only the edge is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballots import credentials
from ballots.merkle import MerkleTree, leaf_hash
from services.board.domain import frontier, listing
from services.board.domain.listing import Listing
from shared.testing.law import Law

LAW = Law("listing", packs=11)


@given(first=st.integers(0, 70), second=st.integers(0, 70))
def test_the_edge_has_the_root_of_the_whole_tree(first: int, second: int) -> None:
    """However a tree grew to its size, the few hashes that are kept give RFC 6962's root."""
    leaves = [leaf_hash(b"%d" % number) for number in range(first + second)]
    tree = MerkleTree()
    for leaf in leaves:
        tree.append_leaf_hash(leaf)
    peaks = frontier.grown(frontier.grown(b"", 0, leaves[:first]), first, leaves[first:])
    assert frontier.root(peaks) == tree.root()
    assert len(peaks) == 32 * (first + second).bit_count()


@pytest.mark.parametrize("size", [1, 3, 11, 20])
def test_a_list_in_parts_has_the_root_that_the_officer_saw(size: int) -> None:
    """The root over the parts is the root over the list, however many parts it came in."""
    parts = [LAW.credentials[at : at + size] for at in range(0, 11, size)]
    read = Listing()
    for number, part in enumerate(parts):
        assert not read.is_complete
        assert listing.fault(read, number, len(parts), part) is None
        read = listing.with_part(read, len(parts), part)
    assert read.is_complete
    assert (read.root, read.size) == (credentials.merkle_root(LAW.credentials), 11)


def test_a_part_comes_only_after_the_one_before_it() -> None:
    """A hole, another number of parts, and a part behind the last are refused; the first counts."""
    first = listing.with_part(Listing(), 2, LAW.credentials[:5])
    rest = LAW.credentials[5:]
    assert listing.is_repeated(first, 0)
    assert not listing.is_repeated(first, 1)
    assert listing.fault(Listing(), 1, 2, rest) == "part_out_of_order"
    assert listing.fault(first, 1, 3, rest) == "part_out_of_order"
    assert listing.fault(listing.with_part(first, 2, rest), 2, 2, rest) == "part_out_of_order"


def test_a_list_has_one_order() -> None:
    """Order tells nothing about electors, since there is one only; nobody is listed twice."""
    first = listing.with_part(Listing(), 2, LAW.credentials[:5])
    assert listing.fault(first, 1, 2, LAW.credentials[4:]) == "list_not_sorted"
    assert listing.fault(first, 1, 2, LAW.credentials[:0:-1]) == "list_not_sorted"
    assert listing.fault(Listing(), 0, 1, LAW.credentials[:1] * 2) == "list_not_sorted"
