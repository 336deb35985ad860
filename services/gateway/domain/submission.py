"""A ballot as it arrives over HTTP: strict and cheap.

Promises that the ballot's bytes go on exactly as they came, that the tracker is their hash, and
that no key occurs twice where another reader could see another permit. Must never look into the
ballot: its proofs, and whether it is canonical, are for `votes` to judge.
"""

from binascii import b2a_base64
from hashlib import sha256

import msgspec
from msgspec import Raw, Struct

from shared.contracts.nesting import is_nested_too_deeply
from shared.contracts.permits import Permit

MAX_BODY_BYTES = 260_000
"""The largest ballot (256,000 bytes) and its permit."""


class BallotOffered(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of POST .../ballots."""

    permit: Permit
    ballot: Raw


_DECODER = msgspec.json.Decoder(BallotOffered)
_ENCODE = msgspec.json.Encoder().encode


def read_canonical(raw: bytes) -> BallotOffered | None:
    """The offered ballot if the body is spelt canonically, None if it must be read strictly.

    Raises msgspec.DecodeError, UnicodeDecodeError or RecursionError for what is no such body. A
    ballot that `votes` couldn't read for its nesting is the strict reader's too: it says so.
    """
    if is_nested_too_deeply(raw):
        return None
    offered = _DECODER.decode(raw)
    return offered if _ENCODE(offered) == raw else None


def tracker_of(ballot: Raw) -> str:
    """SHA-256 of the ballot's bytes in Base64 without padding."""
    return b2a_base64(sha256(ballot).digest(), newline=False)[:43].decode()
