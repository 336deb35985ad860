"""Merkle trees against the RFC's own definition, written out naively."""

import hashlib
from itertools import pairwise

import pytest

from ballots import merkle
from ballots.errors import InclusionRefused
from ballots.merkle import MerkleTree

SIZES = [*range(1, 34), 63, 64, 65, 100]


def entries(count: int) -> list[bytes]:
    return [bytes([at % 256, at // 256]) for at in range(count)]


def naive_root(leaves: list[bytes]) -> bytes:
    # RFC 6962, section 2.1, word for word.
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(
        b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])
    ).digest()


def test_roots_are_those_of_the_rfc() -> None:
    """For every size, grown leaf by leaf, the root is RFC 6962's."""
    tree = MerkleTree()
    assert tree.root() == merkle.EMPTY_ROOT == naive_root([])
    for count, entry in enumerate(entries(100), 1):
        tree.append(entry)
        assert tree.root() == naive_root(entries(count))


def test_a_published_root_is_matched() -> None:
    """The certificate-transparency test tree of eight entries has its well-known root."""
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
    leaves.append("606162636465666768696a6b6c6d6e6f")
    tree = MerkleTree(map(bytes.fromhex, leaves))
    assert tree.root().hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proved_and_nothing_else(size: int) -> None:
    """A path proves its own entry at its own index, and no other."""
    tree = MerkleTree(entries(size))
    root = tree.root()
    for index, entry in enumerate(entries(size)):
        path = tree.inclusion_path(index)
        merkle.verify_inclusion(root, index, size, entry, path)
        for forgery in forged_inclusions(root, index, size, entry, path):
            with pytest.raises(InclusionRefused):
                merkle.verify_inclusion(*forgery)


def forged_inclusions(root: bytes, index: int, size: int, entry: bytes, path: list[bytes]):
    yield root, index, size, entry + b"x", path
    yield root, (index + 1) % size if size > 1 else 1, size, entry, path
    yield root, index, size, entry, [*path, bytes(32)]
    yield root, -1, size, entry, path
    yield root, size, size, entry, path
    yield bytes(32), index, size, entry, path
    if path:
        yield root, index, size, entry, path[:-1]
        yield root, index, size, entry, [*path[:-1], bytes(32)]


def test_an_inner_node_is_no_leaf() -> None:
    """The prefixes keep an attacker from passing a node off as an entry."""
    tree = MerkleTree(entries(4))
    left = tree.root(2)
    node = b"".join(merkle.leaf_hash(entry) for entry in entries(2))
    with pytest.raises(InclusionRefused):
        merkle.verify_inclusion(tree.root(), 0, 2, node, tree.inclusion_path(0)[1:])
    assert merkle.leaf_hash(node) != left


@pytest.mark.parametrize("size", SIZES)
def test_every_earlier_size_is_a_prefix(size: int) -> None:
    """A consistency proof joins each earlier root with the later one, and no false root."""
    tree = MerkleTree(entries(size))
    for old in range(1, size + 1):
        path = tree.consistency_path(old, size)
        merkle.verify_consistency(tree.root(old), old, tree.root(size), size, path)
        for forgery in forged_consistency(tree, old, size, path):
            with pytest.raises(InclusionRefused):
                merkle.verify_consistency(*forgery)


def forged_consistency(tree: MerkleTree, old: int, size: int, path: list[bytes]):
    yield bytes(32), old, tree.root(size), size, path
    yield tree.root(old), old, bytes(32), size, path
    yield tree.root(old), old, tree.root(size), size, [*path, bytes(32)]
    yield tree.root(old), 0, tree.root(size), size, path
    if path:
        yield tree.root(old), old, tree.root(size), size, path[:-1]
        yield tree.root(old), old, tree.root(size), size, [bytes(32), *path[1:]]


def test_a_grown_tree_still_answers_for_its_past() -> None:
    """Paths for an earlier size don't change when the tree grows."""
    tree = MerkleTree(entries(21))
    before = [tree.inclusion_path(at, 21) for at in range(21)]
    for entry in entries(64)[21:]:
        tree.append(entry)
    assert [tree.inclusion_path(at, 21) for at in range(21)] == before


def test_sizes_that_never_were_are_refused() -> None:
    """A tree proves nothing about leaves that it doesn't have."""
    tree = MerkleTree(entries(3))
    for ask in (
        lambda: tree.root(4),
        lambda: tree.root(-1),
        lambda: tree.inclusion_path(3),
        lambda: tree.inclusion_path(-1),
        lambda: tree.consistency_path(0),
        lambda: tree.consistency_path(4, 3),
    ):
        with pytest.raises(InclusionRefused):
            ask()


def test_a_large_tree_has_short_paths() -> None:
    """A path in a tree of 10,000 leaves has 14 steps at most."""
    tree = MerkleTree(entries(10_000))
    root = tree.root()
    picked = [0, 1, 4095, 4096, 8191, 8192, 9_998, 9_999]
    assert all(earlier < later for earlier, later in pairwise(picked))
    for index in picked:
        path = tree.inclusion_path(index)
        assert len(path) <= 14
        merkle.verify_inclusion(root, index, 10_000, entries(10_000)[index], path)


def test_asking_for_paths_of_every_size_keeps_nothing() -> None:
    """Whoever asks for all sizes there were gets right answers, and costs no memory for ever."""
    tree = MerkleTree(entries(300))
    for size in range(1, 301):
        root = tree.root(size)
        path = tree.inclusion_path(size // 2, size)
        merkle.verify_inclusion(root, size // 2, size, entries(300)[size // 2], path)
        merkle.verify_consistency(root, size, tree.root(), 300, tree.consistency_path(size))
        tree.consistency_path((size + 1) // 2, size)
    assert len(tree._ragged) <= (300).bit_length()
