"""Sealed answers: what an elector's browser sealed to our key, opened and tied to its permit.

Promises that every sealing has one length, so that its size tells nothing, and that answers sealed
for one proof of code or one attempt are of no use for another.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from nacl.bindings import crypto_box_seal_open, crypto_scalarmult_base
from nacl.exceptions import CryptoError

PLAIN_BYTES = 1024
"""Every sealing is padded with spaces to this length."""


class Opened(Struct, frozen=True, forbid_unknown_fields=True):
    """What was sealed: the code permit's nonce, the attempt, and the answers by fact."""

    nonce: str
    attempt_id: str
    answers: Annotated[dict[str, str], Meta(max_length=10)]


@dataclass(frozen=True, slots=True)
class SealingKey:
    """The X25519 key pair that answers are sealed to; its repr shows nothing."""

    private: bytes = field(repr=False)
    public: bytes = field(repr=False)

    @classmethod
    def from_hex(cls, private_hex: str) -> "SealingKey":
        """The pair of a private key of 64 hex digits."""
        private = bytes.fromhex(private_hex)
        return cls(private, crypto_scalarmult_base(private))

    def open(self, sealed: str, nonce: str, attempt_id: str) -> Opened | None:
        """The answers, or None if they are unreadable or were sealed for something else."""
        try:
            plain = crypto_box_seal_open(
                b64decode(sealed, validate=True), self.public, self.private
            )
            opened = msgspec.json.decode(plain, type=Opened) if len(plain) == PLAIN_BYTES else None
        except (CryptoError, Base64Error, msgspec.MsgspecError, ValueError):
            # One answer for every kind of garbage: which kind it was helps only a forger.
            return None
        if opened is None or (opened.nonce, opened.attempt_id) != (nonce, attempt_id):
            return None
        return opened
