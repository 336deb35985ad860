"""Ed25519 signatures of services, of the board and of witnesses.

Promises that `require_signed` returns only if exactly these bytes were signed by exactly this key.
Trusts libsodium's verification, which refuses keys of small order and responses above the order.

Source: RFC 8032, section 5.1.7.
"""

import re
from typing import Final

from nacl import bindings
from nacl.exceptions import BadSignatureError

from castonce_verifier.faults import Fault

SIGNATURE_BYTES: Final = 64
KEY_BYTES: Final = 32
_HEX: Final = re.compile(r"[0-9a-f]*")


def read_key(value: object) -> bytes:
    """Return a public key from 64 hex digits."""
    return _read_hex(value, KEY_BYTES, "a public key")


def read_signature(value: object) -> bytes:
    """Return a signature from 128 hex digits."""
    return _read_hex(value, SIGNATURE_BYTES, "a signature")


def require_signed(public: bytes, content: bytes, signature: bytes, whose: str) -> None:
    """The holder of this key signed this content; raises a `Fault` otherwise."""
    try:
        bindings.crypto_sign_open(signature + content, public)
    except BadSignatureError as error:
        raise Fault(f"has a signature that isn't by {whose} over this") from error


def _read_hex(value: object, size: int, what: str) -> bytes:
    if not isinstance(value, str) or len(value) != 2 * size or not _HEX.fullmatch(value):
        raise Fault(f"lacks {what} of {2 * size} lower-case hex digits")
    return bytes.fromhex(value)
