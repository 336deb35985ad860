"""The `trustees` record of an election: who holds the key, and the election's key that follows.

Promises that a record that parses is spelt in the one canonical way and names trustees who proved
that they know their own key, nobody twice. Must never see a private key. Trusts `trustee`.

Source: Belenios 3.3 specification, "Trustees".
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from ballots import group, strict_json, trustee
from ballots.errors import Malformed
from ballots.trustee import TrusteeKey

MAX_TRUSTEES_BYTES: Final = 200_000

_DECODER: Final = msgspec.json.Decoder(list[tuple[Literal["Single"], TrusteeKey]])


class Trustees(NamedTuple):
    """A verified record: its bytes, its trustees in order, and the election's key (64 hex)."""

    raw: bytes
    owners: tuple[TrusteeKey, ...]
    election_key: str


def parse(raw: bytes) -> Trustees:
    """Read and verify a `trustees` record; raises the BallotError that fits."""
    record = strict_json.decode_canonical(raw, _DECODER, max_bytes=MAX_TRUSTEES_BYTES)
    owners = [trustee.verify_key(strict_json.encode(key)) for _, key in record]
    if len({key.public_key for key in owners}) != len(owners):
        raise Malformed("a trustee's key occurs twice")
    return Trustees(raw, tuple(owners), election_key(owners))


def encode(keys: Sequence[TrusteeKey]) -> bytes:
    """Return the record for trustees who must all decrypt, in this order."""
    return strict_json.encode([("Single", key) for key in keys])


def election_key(keys: Sequence[TrusteeKey]) -> str:
    """Return the election's public key: the product of the trustees' (all must decrypt)."""
    if not keys:
        raise Malformed("an election needs a trustee")
    return group.encode_point(group.total([group.parse_point(key.public_key) for key in keys]))
