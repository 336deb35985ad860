"""The group Ed25519 as the specification writes it: points, exponents, and the four operations.

Promises that no value leaves `read_point` or `read_point_or_identity` that isn't an element of the
prime-order subgroup in its only spelling, and none leaves `read_scalar` that isn't below the
group's order in its only spelling. What `read_unchecked` returns may be anything of 32 bytes, until
`power` takes it: a base that isn't such an element is refused there.
Written multiplicatively, as in the specification. A point is 32 bytes, little-endian (libsodium's
form); in messages it is the same number big-endian in 64 hex digits.

Source: specification, "Basic types" and "Ed25519".
"""

import re
from collections.abc import Iterable
from functools import cache, partial
from hashlib import sha256
from typing import Final, NewType

from nacl import bindings
from nacl.exceptions import RuntimeError as SodiumError

from castonce_verifier.faults import Fault, Unreadable, require

Point = NewType("Point", bytes)

ORDER: Final = 2**252 + 27742317777372353535851937790883648493
IDENTITY: Final = Point(bytes([1]) + bytes(31))

# (0, -1).
_OF_ORDER_TWO: Final = Point((2**255 - 20).to_bytes(32, "little"))
_POINT: Final = re.compile(r"[0-9a-f]{64}")
_SCALAR: Final = re.compile(r"0|[1-9][0-9]{0,76}")


def require_library() -> None:
    """Raise `Unreadable` if libsodium takes an element plus a point of order two for an element.

    All releases before 2026 do (CVE-2025-69277), and a system's may be used instead of PyNaCl's.
    """
    mixed = times(generator_power(1), _OF_ORDER_TWO)
    for check in (_require_element, partial(power, exponent=1)):
        try:
            check(mixed)
        except Fault:
            continue
        raise Unreadable(
            "the libsodium of this Python takes points outside the group for elements of it, so"
            " that nothing would be shown: install PyNaCl 1.6.2 or newer"
        )


def read_point(text: object) -> Point:
    """Return the group element that 64 hex digits stand for; it may not be the identity."""
    point = read_point_or_identity(text)
    require(point != IDENTITY, "has the identity where a key must stand")
    return point


def read_point_or_identity(text: object) -> Point:
    """Return the group element that 64 hex digits stand for.

    Refuses other spellings (y >= 2^255-19, upper case), points off the curve, of small order, and
    those with a part of small order.
    """
    point = read_unchecked(text)
    _require_element(point)
    return point


def read_unchecked(text: object) -> Point:
    """Return what 64 hex digits stand for; whoever calls this gives it to `power` as a base.

    libsodium checks each base that it multiplies: checking it before would be done twice, and costs
    half as much as the multiplication.
    """
    if not isinstance(text, str) or not _POINT.fullmatch(text):
        raise Fault("has a point that isn't 64 lower-case hex digits")
    return Point(bytes.fromhex(text)[::-1])


def write_point(point: Point) -> str:
    """Return a point as messages and hashes have it."""
    return point[::-1].hex()


def read_scalar(text: object) -> int:
    """Return the exponent that a decimal string stands for: below the order, no leading zeros."""
    if not isinstance(text, str) or not _SCALAR.fullmatch(text):
        raise Fault("has an exponent that isn't a plain decimal number in a string")
    number = int(text)
    require(number < ORDER, "has an exponent that isn't below the group's order")
    return number


def times(left: Point, right: Point) -> Point:
    """Return the product of two elements."""
    return Point(bindings.crypto_core_ed25519_add(left, right))


def over(left: Point, right: Point) -> Point:
    """Return the quotient of two elements."""
    return Point(bindings.crypto_core_ed25519_sub(left, right))


def product(points: Iterable[Point]) -> Point:
    """Return the product of any number of elements; of none, the identity."""
    every = iter(points)
    result = next(every, IDENTITY)
    for point in every:
        result = times(result, point)
    return result


def power(base: Point, exponent: int) -> Point:
    """Return base^exponent; raises a `Fault` if the base isn't an element of the group."""
    # libsodium fails where the result is the identity: only in these two cases, the order is prime.
    if base == IDENTITY or exponent % ORDER == 0:
        _require_element(base)
        return IDENTITY
    try:
        return Point(bindings.crypto_scalarmult_ed25519_noclamp(_encoded(exponent), base))
    except SodiumError as error:
        raise Fault(_outside(base)) from error


def generator_power(exponent: int) -> Point:
    """Return g^exponent."""
    if exponent % ORDER == 0:
        return IDENTITY
    return Point(bindings.crypto_scalarmult_ed25519_base_noclamp(_encoded(exponent)))


@cache
def small_power(number: int) -> Point:
    """Return g^number, remembered: for counts of candidates, which come again in every ballot."""
    return generator_power(number)


def hash_to_scalar(text: str) -> int:
    """Return SHA-256 of the text, read big-endian, modulo the order."""
    return int.from_bytes(sha256(text.encode()).digest(), "big") % ORDER


def _require_element(point: Point) -> None:
    # libsodium counts the identity among the points of small order.
    is_element = point == IDENTITY or bindings.crypto_core_ed25519_is_valid_point(point)
    require(is_element, _outside(point))


def _outside(point: Point) -> str:
    return f"has a point outside the group: {write_point(point)}"


def _encoded(exponent: int) -> bytes:
    return (exponent % ORDER).to_bytes(32, "little")
