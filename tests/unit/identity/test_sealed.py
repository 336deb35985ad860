"""Sealed answers: one length, one use."""

from base64 import b64encode

import msgspec
import pytest
from nacl.public import PrivateKey, PublicKey, SealedBox

from services.identity.domain.sealed import PLAIN_BYTES, SealingKey

PRIVATE = bytes(range(32))
KEY = SealingKey.from_hex(PRIVATE.hex())
NONCE, ATTEMPT = "a" * 64, "attempt-1"


def seal(plain: bytes, key: PublicKey | None = None) -> str:
    """Base64 of a sealing of these bytes."""
    box = SealedBox(key or PrivateKey(PRIVATE).public_key)
    return b64encode(box.encrypt(plain)).decode()


def inside(**changed: object) -> bytes:
    """What a browser seals, padded."""
    said = {"nonce": NONCE, "attempt_id": ATTEMPT, "answers": {"surname": "Fox"}} | changed
    return msgspec.json.encode(said).ljust(PLAIN_BYTES)


def test_what_was_sealed_for_this_attempt_opens() -> None:
    """The answers come out as they were typed."""
    opened = KEY.open(seal(inside()), NONCE, ATTEMPT)
    assert opened is not None
    assert opened.answers == {"surname": "Fox"}


@pytest.mark.parametrize(
    "plain",
    [
        inside(nonce="b" * 64),
        inside(attempt_id="attempt-2"),
        inside(extra=1),
        inside(answers=["Fox"]),
        inside(answers={str(n): "x" for n in range(11)}),
        inside()[:-1],
        inside() + b" ",
        b" " * PLAIN_BYTES,
        b"\xff" * PLAIN_BYTES,
        (b"[" * 1000).ljust(PLAIN_BYTES),
        inside().replace(b" ", b"x"),
    ],
)
def test_anything_else_inside_is_unreadable(plain: bytes) -> None:
    """Another nonce, attempt, length or structure is refused, always the same way."""
    assert KEY.open(seal(plain), NONCE, ATTEMPT) is None


@pytest.mark.parametrize("sealed", ["", "A" * 1432, "!" * 1432, "A", "é" * 1432])
def test_no_text_crashes_the_opening(sealed: str) -> None:
    """Garbage instead of a sealing is unreadable and nothing worse."""
    assert KEY.open(sealed, NONCE, ATTEMPT) is None


def test_a_sealing_to_another_key_is_unreadable() -> None:
    """Only our key opens."""
    assert KEY.open(seal(inside(), PrivateKey.generate().public_key), NONCE, ATTEMPT) is None


def test_the_key_shows_in_no_repr() -> None:
    """A printed key object tells nothing."""
    assert PRIVATE.hex()[:16] not in repr(KEY)
    assert "\\x01\\x02" not in repr(KEY)
