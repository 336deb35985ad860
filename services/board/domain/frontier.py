"""The edge of an RFC 6962 tree: what has to be kept of its leaves to go on and to know the root.

Promises the roots of `ballots.merkle` for every size, from one hash per complete subtree: at most
22 for four million leaves, so that a row of a database holds them. Trusts SHA-256.
"""

from collections.abc import Iterable

from ballots.merkle import EMPTY_ROOT, node_hash

HASH_BYTES = 32


def grown(peaks: bytes, size: int, leaves: Iterable[bytes]) -> bytes:
    """The edge after these leaf hashes were added to a tree of `size` leaves."""
    stack = [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)]
    for leaf in leaves:
        node, complete = leaf, size
        while complete & 1:
            node, complete = node_hash(stack.pop(), node), complete >> 1
        stack.append(node)
        size += 1
    return b"".join(stack)


def root(peaks: bytes) -> bytes:
    """The root of the tree with this edge."""
    if not peaks:
        return EMPTY_ROOT
    stack = [peaks[at : at + HASH_BYTES] for at in range(0, len(peaks), HASH_BYTES)]
    node = stack.pop()
    while stack:
        node = node_hash(stack.pop(), node)
    return node
