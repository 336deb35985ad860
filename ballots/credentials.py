"""Credentials: the key pair that a voting code stands for, and the list of the public ones.

Promises that the same code and election always give the same pair, in a browser too, and that the
public list has one order and no repetition. Must never show a private credential: not in a repr,
not in an exception. Trusts the code's 95 bits: the 1,000 rounds only follow Belenios.

Source: DESIGN section 6; Belenios 3.3 specification, "Credentials", for the public list. (Its own
secret credentials, of 22 Base58 characters, are derived otherwise: PBKDF2 is what WebCrypto has.)
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from ballots import codes, group, merkle, strict_json
from ballots.errors import DuplicateCredential, InclusionRefused, InvalidScalar

PBKDF2_ROUNDS: Final = 1_000
PRIVATE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Credential:
    """A private exponent (secret) and the public credential, 64 hex digits, that it stands for."""

    private: int = field(repr=False)
    public: str


def derive(code: str, election_uuid: str) -> Credential:
    """Return the credential of a voting code in one election; raises a CodeRefused.

    PBKDF2-HMAC-SHA256 over the canonical code with the uuid as salt, 32 bytes read big-endian,
    modulo the group order (which 2^256 exceeds 16 times almost exactly: the bias is below 2^-120).
    """
    derived = hashlib.pbkdf2_hmac(
        "sha256",
        codes.canonical(code).encode(),
        election_uuid.encode(),
        PBKDF2_ROUNDS,
        PRIVATE_BYTES,
    )
    return from_private(int.from_bytes(derived, "big") % group.ORDER)


def from_private(private: int) -> Credential:
    """Return the pair of a private exponent between 1 and the group order; raises InvalidScalar."""
    if not 0 < private < group.ORDER:
        raise InvalidScalar("a private credential must be between 1 and the group order")
    return Credential(private, group.encode_point(group.multiply_base(private)))


def parse_public(text: str) -> group.Point:
    """Read a public credential, never the identity; raises InvalidPoint."""
    return group.parse_point(text)


def sort_public(credentials: Iterable[str]) -> list[str]:
    """Return public credentials by their little-endian bytes; raises DuplicateCredential."""
    ordered = sorted(credentials, key=group.decode_point)
    for earlier, later in pairwise(ordered):
        if earlier == later:
            raise DuplicateCredential("a public credential occurs twice in the list")
    return ordered


def encode_list(ordered: Sequence[str]) -> bytes:
    """Return the archive's compact JSON of a sorted list of public credentials."""
    return strict_json.encode(list(ordered))


def list_fingerprint(ordered: Sequence[str]) -> str:
    """Return Belenios' fingerprint of a sorted list: SHA-256 in unpadded Base64."""
    return strict_json.digest_base64(encode_list(ordered))


def merkle_tree(ordered: Sequence[str]) -> merkle.MerkleTree:
    """Return the RFC 6962 tree over a sorted list; a leaf is the credential's 64 ASCII digits."""
    return merkle.MerkleTree(credential.encode() for credential in ordered)


def merkle_root(ordered: Sequence[str]) -> str:
    """Return the Merkle root of a sorted list, 64 hex digits as messages and people have it."""
    return merkle_tree(ordered).root().hex()


def inclusion_path(ordered: Sequence[str], index: int) -> list[str]:
    """Return the audit path (64 hex digits a step) of one credential; for all, inclusion_paths."""
    return [step.hex() for step in merkle_tree(ordered).inclusion_path(index)]


def inclusion_paths(ordered: Sequence[str]) -> Iterator[list[str]]:
    """Yield the audit path of every credential in order, building the tree once."""
    tree = merkle_tree(ordered)
    for index in range(tree.size):
        yield [step.hex() for step in tree.inclusion_path(index)]


def verify_inclusion(
    root: str, index: int, size: int, credential: str, path: Sequence[str]
) -> None:
    """Check that a public credential is in the list with this root; raises InclusionRefused."""
    try:
        steps = [bytes.fromhex(step) for step in path]
        expected = bytes.fromhex(root)
    except ValueError:
        raise InclusionRefused("roots and paths are hexadecimal") from None
    merkle.verify_inclusion(expected, index, size, credential.encode(), steps)
