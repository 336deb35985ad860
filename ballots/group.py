"""The group Ed25519 in Belenios' notation, computed by libsodium.

Promises that a `Point` is always the canonical encoding of an element of the prime-order group,
and that multiplication by zero and by the identity give the identity instead of an exception.
Must never let a point that was only decoded (`Unchecked`) reach a sum whose result is trusted.
Trusts libsodium's `crypto_scalarmult_ed25519_noclamp` to refuse points that are non-canonical, of
small order or outside the prime-order group; a test attacks it through every parser.

Source: Belenios 3.3 specification, "Basic types" and "Groups / Ed25519".
"""

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NewType

from nacl import bindings as sodium

from ballots.errors import InvalidPoint, InvalidScalar

# Calling PyNaCl's private cffi library directly was measured: 156 µs instead of 159 µs for a
# multiplication, 2 % of a ballot. Not worth leaving the public, argument-checking bindings for.

RandomBytes = Callable[[int], bytes]
Unchecked = NewType("Unchecked", bytes)
Point = NewType("Point", Unchecked)

ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_PRIME: Final = 2**255 - 19
_HEIGHT_MASK: Final = 2**255 - 1
IDENTITY: Final = Point(Unchecked(bytes([1]) + bytes(31)))

# \Z and [0-9] on purpose: `$` lets a trailing newline pass and `\d` lets other scripts' digits.
POINT_PATTERN: Final = r"^[0-9a-f]{64}\Z"
SCALAR_PATTERN: Final = r"^(0|[1-9][0-9]{0,75})\Z"
_POINT = re.compile(POINT_PATTERN)
_SCALAR = re.compile(SCALAR_PATTERN)


def parse_scalar(text: str) -> int:
    """Read a scalar below the group order; raises InvalidScalar for any other spelling."""
    if _SCALAR.match(text) is None:
        raise InvalidScalar("a scalar must be a decimal number without leading zeros")
    scalar = int(text)
    if scalar >= ORDER:
        raise InvalidScalar("a scalar must be below the group order")
    return scalar


def encode_scalar(scalar: int) -> str:
    """Write a scalar, reduced modulo the group order, as Belenios' decimal string."""
    return str(scalar % ORDER)


def decode_point(text: str) -> Unchecked:
    """Read 64 hex digits as libsodium's little-endian bytes, without looking at the curve."""
    if _POINT.match(text) is None:
        raise InvalidPoint("a point must be 64 lower-case hexadecimal digits")
    return Unchecked(bytes.fromhex(text)[::-1])


def parse_point(text: str) -> Point:
    """Read an element of the prime-order group other than the identity; raises InvalidPoint."""
    return require_point(decode_point(text))


def parse_point_or_identity(text: str) -> Point:
    """Read any element of the prime-order group, the identity included; raises InvalidPoint."""
    point = decode_point(text)
    return IDENTITY if point == IDENTITY else require_point(point)


def require_point(point: Unchecked) -> Point:
    """Return the point if it is canonical, of prime order and not the identity."""
    if not sodium.crypto_core_ed25519_is_valid_point(point):
        raise InvalidPoint("not a canonical element of the prime-order group")
    return Point(point)


def encode_point(point: Unchecked) -> str:
    """Write a point as 64 lower-case hex digits: the compressed encoding byte-reversed."""
    return point[::-1].hex()


def multiply(point: Unchecked, scalar: int) -> Point:
    """Return scalar·point, having checked the point; raises InvalidPoint if it isn't in the group.

    The check costs nothing extra: libsodium makes it inside the multiplication. It is made apart
    only where libsodium would refuse for another reason (scalar 0, identity).
    """
    if point == IDENTITY:
        return IDENTITY
    scalar %= ORDER
    if scalar == 0:
        require_point(point)
        return IDENTITY
    try:
        product = sodium.crypto_scalarmult_ed25519_noclamp(scalar.to_bytes(32, "little"), point)
    except RuntimeError as refusal:
        raise InvalidPoint("not a canonical element of the prime-order group") from refusal
    return Point(Unchecked(product))


def multiply_base(scalar: int) -> Point:
    """Return scalar·g; zero gives the identity."""
    scalar %= ORDER
    if scalar == 0:
        return IDENTITY
    product = sodium.crypto_scalarmult_ed25519_base_noclamp(scalar.to_bytes(32, "little"))
    return Point(Unchecked(product))


@lru_cache(maxsize=1024)
def small_multiple(count: int) -> Point:
    """Return count·g from a cache; for the few small numbers that bounds of questions are."""
    return multiply_base(count)


def add(left: Point, right: Point) -> Point:
    """Return left + right; both must already be checked, since libsodium wouldn't."""
    return Point(Unchecked(sodium.crypto_core_ed25519_add(left, right)))


def add_unchecked(left: Unchecked, right: Unchecked) -> Unchecked:
    """Return left + right if both are canonical points of the curve; raises InvalidPoint.

    Whether the sum lies in the prime-order group remains to be checked, by `require_point`.
    """
    for point in (left, right):
        height = int.from_bytes(point, "little") & _HEIGHT_MASK
        if height >= _PRIME or (height == 1 and point != IDENTITY):
            raise InvalidPoint("not the canonical encoding of a point")
    try:
        return Unchecked(sodium.crypto_core_ed25519_add(left, right))
    except RuntimeError as refusal:
        raise InvalidPoint("not a point of the curve") from refusal


def subtract(left: Point, right: Point) -> Point:
    """Return left - right; both must already be checked, since libsodium wouldn't."""
    return Point(Unchecked(sodium.crypto_core_ed25519_sub(left, right)))


def shift_down(point: Unchecked, count: int) -> Unchecked:
    """Return point - count·g, which lies in the group exactly if the (unchecked) point does."""
    if count == 0:
        return point
    try:
        return Unchecked(sodium.crypto_core_ed25519_sub(point, small_multiple(count)))
    except RuntimeError as refusal:
        raise InvalidPoint("not a point of the curve") from refusal


def total(points: list[Point]) -> Point:
    """Return the sum of checked points; the identity for none."""
    if not points:
        return IDENTITY
    result = points[0]
    for point in points[1:]:
        result = add(result, point)
    return result


def hash_to_scalar(text: str) -> int:
    """Return SHA-256 of the text, read big-endian, modulo the group order."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big") % ORDER


def random_scalar(randbytes: RandomBytes) -> int:
    """Return a uniform scalar from 64 random bytes (so that the reduction has no bias)."""
    return int.from_bytes(randbytes(64), "little") % ORDER


GENERATOR: Final = multiply_base(1)
