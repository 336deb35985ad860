"""Merkle trees of RFC 6962, section 2.1: roots, inclusion and consistency proofs.

Promises the RFC's hashes bit for bit, for any number of leaves, with logarithmic proofs; a tree
only grows, and answers for every size it has had. Must never interpret its leaves. Trusts SHA-256.
"""

import hashlib
from collections.abc import Iterable, Sequence

from ballots.errors import InclusionRefused

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry: SHA-256 over 0x00 and the entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node: SHA-256 over 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class MerkleTree:
    """An append-only tree that keeps the hash of every complete subtree (two per leaf)."""

    def __init__(self, entries: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        # Ragged subtrees at the right edge, which nearly every path of the present size shares. No
        # other size's are kept: anybody may ask for a path of any size, and there are millions.
        self._ragged: dict[tuple[int, int], bytes] = {}
        for entry in entries:
            self.append(entry)

    @property
    def size(self) -> int:
        """The number of leaves."""
        return len(self._levels[0])

    def append(self, entry: bytes) -> None:
        """Add one leaf at the end."""
        self.append_leaf_hash(leaf_hash(entry))

    def append_leaf_hash(self, leaf: bytes) -> None:
        """Add one leaf of which only the leaf hash is kept."""
        self._ragged.clear()
        self._levels[0].append(leaf)
        level = 0
        while len(self._levels[level]) % 2 == 0:
            if level + 1 == len(self._levels):
                self._levels.append([])
            self._levels[level + 1].append(node_hash(*self._levels[level][-2:]))
            level += 1

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first `size` leaves (all, unless told)."""
        size = self._known(size)
        return self._subtree(0, size) if size else EMPTY_ROOT

    def inclusion_path(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the audit path of leaf `index` in the tree of `size`, from the leaf up."""
        size = self._known(size)
        if not 0 <= index < size:
            raise InclusionRefused("no such leaf in a tree of that size")
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._subtree(middle, end))
                end = middle
            else:
                path.append(self._subtree(start, middle))
                start = middle
        path.reverse()
        return path

    def consistency_path(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Return the proof that the tree of `old_size` is a prefix of the tree of `size`."""
        size = self._known(size)
        if not 0 < old_size <= size:
            raise InclusionRefused("no such earlier size")
        path: list[bytes] = []
        start, end, is_old_root = 0, size, True
        while old_size < end:
            middle = start + _split(end - start)
            if old_size <= middle:
                path.append(self._subtree(middle, end))
                end = middle
            else:
                path.append(self._subtree(start, middle))
                start, is_old_root = middle, False
        if not is_old_root:
            path.append(self._subtree(start, end))
        path.reverse()
        return path

    def _known(self, size: int | None) -> int:
        if size is None:
            return self.size
        if not 0 <= size <= self.size:
            raise InclusionRefused("the tree never had that size")
        return size

    def _subtree(self, start: int, end: int) -> bytes:
        width = end - start
        if width & (width - 1) == 0:
            level = width.bit_length() - 1
            return self._levels[level][start >> level]
        known = self._ragged.get((start, end))
        if known is None:
            middle = start + _split(width)
            known = node_hash(self._subtree(start, middle), self._subtree(middle, end))
            if end == self.size:
                self._ragged[start, end] = known
        return known


def verify_inclusion(
    root: bytes, index: int, size: int, entry: bytes, path: Sequence[bytes]
) -> None:
    """Check that the entry is leaf `index` of the tree; raises InclusionRefused.

    Follows RFC 9162, section 2.1.3.2.
    """
    if not 0 <= index < size:
        raise InclusionRefused("no such leaf in a tree of that size")
    node, last, value = index, size - 1, leaf_hash(entry)
    for sibling in path:
        if last == 0:
            raise InclusionRefused("the path is too long")
        if node & 1 or node == last:
            value = node_hash(sibling, value)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        node, last = node >> 1, last >> 1
    if last != 0 or value != root:
        raise InclusionRefused("the path doesn't lead to the root")


def verify_consistency(
    old_root: bytes, old_size: int, root: bytes, size: int, path: Sequence[bytes]
) -> None:
    """Check that the old tree is a prefix of the new; raises InclusionRefused.

    Follows RFC 9162, section 2.1.4.2.
    """
    if not 0 < old_size <= size:
        raise InclusionRefused("no such earlier size")
    if old_size == size:
        if path or old_root != root:
            raise InclusionRefused("two trees of one size differ")
        return
    steps = list(path) if old_size & (old_size - 1) else [old_root, *path]
    if not steps:
        raise InclusionRefused("the path is too short")
    node, last = old_size - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_value = value = steps[0]
    for sibling in steps[1:]:
        if last == 0:
            raise InclusionRefused("the path is too long")
        if node & 1 or node == last:
            old_value, value = node_hash(sibling, old_value), node_hash(sibling, value)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            value = node_hash(value, sibling)
        node, last = node >> 1, last >> 1
    if last != 0 or old_value != old_root or value != root:
        raise InclusionRefused("the path doesn't join the two roots")


def _split(width: int) -> int:
    # The largest power of two below the width.
    return 1 << ((width - 1).bit_length() - 1)
