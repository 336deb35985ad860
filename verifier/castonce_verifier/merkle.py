"""The root of a Merkle tree.

Promises the RFC's hash for any number of leaves, none included. Trusts SHA-256.

Source: RFC 6962, section 2.1.
"""

from collections.abc import Iterable
from hashlib import sha256


def root(leaves: Iterable[bytes]) -> bytes:
    """Return the hash that stands for exactly these leaves in this order."""
    # Complete subtrees from the left, ever smaller: how many leaves, and their hash.
    subtrees: list[tuple[int, bytes]] = []
    for leaf in leaves:
        size, value = 1, sha256(b"\0" + leaf).digest()
        while subtrees and subtrees[-1][0] == size:
            value = _node(subtrees.pop()[1], value)
            size *= 2
        subtrees.append((size, value))
    if not subtrees:
        return sha256(b"").digest()
    _, value = subtrees.pop()
    while subtrees:
        value = _node(subtrees.pop()[1], value)
    return value


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()
