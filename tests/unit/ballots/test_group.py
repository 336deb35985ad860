"""The group: arithmetic at its edges, and everything that pretends to be one of its elements."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings as sodium

from ballots import group
from ballots.errors import InvalidPoint, InvalidScalar
from ballots.group import IDENTITY, ORDER

FIELD = 2**255 - 19
# A generator of the eight points of small order (its y as RFC 7748's discussion lists it).
ORDER_EIGHT = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")

scalars = st.integers(0, ORDER - 1)


def small_order_points() -> list[bytes]:
    points = [ORDER_EIGHT]
    while len(points) < 8:
        points.append(sodium.crypto_core_ed25519_add(points[-1], ORDER_EIGHT))
    return points


def hex_of(point: bytes) -> str:
    return point[::-1].hex()


def false_points() -> dict[str, str]:
    """Spellings that no parser may take for an element of the prime-order group."""
    honest = group.multiply_base(42)
    y = int.from_bytes(honest, "little") & (2**255 - 1)
    cases = {f"small order {n}": hex_of(p) for n, p in enumerate(small_order_points(), 1) if n < 8}
    cases |= {
        f"torsion {n} added": hex_of(sodium.crypto_core_ed25519_add(honest, p))
        for n, p in enumerate(small_order_points(), 1)
        if n < 8
    }
    cases |= {
        f"y = p + {n}, sign {sign}": f"{(FIELD + n) | (sign << 255):064x}"
        for n in range(19)
        for sign in (0, 1)
    }
    cases |= {
        "identity with sign bit": f"{1 | 1 << 255:064x}",
        "off the curve": f"{2:064x}",
        "zero": "0" * 64,
        "all bits": "f" * 64,
        "other byte order": honest.hex(),
        "y + p": f"{y + FIELD:064x}"[-64:],
    }
    return cases


def misspelt_points() -> dict[str, str]:
    """Other ways of writing a right point."""
    right = group.encode_point(group.multiply_base(42))
    return {
        "empty": "",
        "upper case": right.upper(),
        "63 digits": right[1:],
        "65 digits": "0" + right,
        "newline": right + "\n",
        "prefix": "0x" + right[2:],
        "space": " " + right[1:],
        "other digits": "\u0661" + right[1:],
    }


FALSE_POINTS = false_points()
MISSPELT_POINTS = misspelt_points()
FALSE_SCALARS = {
    "order": str(ORDER),
    "order + 1": str(ORDER + 1),
    "2^256": str(2**256),
    "bit 255": str(2**255),
    "leading zero": "01",
    "two zeros": "00",
    "empty": "",
    "minus": "-1",
    "plus": "+1",
    "minus zero": "-0",
    "newline": "1\n",
    "underscore": "1_0",
    "space": " 1",
    "hexadecimal": "0x1",
    "exponent": "1e3",
    "other digits": "\u0661",
    "very long": "1" * 5000,
}


@pytest.mark.parametrize("name", FALSE_POINTS)
def test_what_is_not_in_the_group_is_refused_by_every_reader(name: str) -> None:
    """Small order, torsion, non-canonical and off-curve points never become a Point."""
    text = FALSE_POINTS[name]
    with pytest.raises(InvalidPoint):
        group.parse_point(text)
    with pytest.raises(InvalidPoint):
        group.parse_point_or_identity(text)


@pytest.mark.parametrize("name", FALSE_POINTS)
@pytest.mark.parametrize("scalar", [0, 1, 8, ORDER, ORDER - 1])
def test_multiplication_checks_the_point_whatever_the_scalar(name: str, scalar: int) -> None:
    """A zero scalar is no way around the check."""
    with pytest.raises(InvalidPoint):
        group.multiply(group.decode_point(FALSE_POINTS[name]), scalar)


@pytest.mark.parametrize("name", MISSPELT_POINTS)
def test_a_misspelt_point_is_refused(name: str) -> None:
    """A point has one spelling only."""
    with pytest.raises(InvalidPoint):
        group.decode_point(MISSPELT_POINTS[name])


@pytest.mark.parametrize("name", FALSE_SCALARS)
def test_a_misspelt_or_large_scalar_is_refused(name: str) -> None:
    """A scalar has one spelling only and is below the group order."""
    with pytest.raises(InvalidScalar):
        group.parse_scalar(FALSE_SCALARS[name])


def test_the_identity_is_read_only_where_it_is_allowed() -> None:
    """A ciphertext may hold the identity, a key may not."""
    text = group.encode_point(IDENTITY)
    assert text == "0" * 63 + "1"
    assert group.parse_point_or_identity(text) == IDENTITY
    with pytest.raises(InvalidPoint):
        group.parse_point(text)


@given(scalars)
@settings(max_examples=30)
def test_zero_and_identity_never_raise(scalar: int) -> None:
    """libsodium refuses them; the group has them."""
    point = group.multiply_base(scalar)
    assert group.multiply(point, 0) == IDENTITY
    assert group.multiply(IDENTITY, scalar) == IDENTITY
    assert group.multiply_base(0) == group.multiply_base(ORDER) == IDENTITY
    assert group.add(point, IDENTITY) == point
    assert group.subtract(point, point) == IDENTITY


@given(scalars, scalars)
@settings(max_examples=30)
def test_exponents_behave_as_numbers(left: int, right: int) -> None:
    """g^a g^b = g^(a+b), (g^a)^b = g^(ab), and the readers give back what was written."""
    point = group.multiply_base(left)
    assert group.add(point, group.multiply_base(right)) == group.multiply_base(left + right)
    assert group.multiply(point, right) == group.multiply_base(left * right)
    assert group.parse_point_or_identity(group.encode_point(point)) == point
    assert group.parse_scalar(group.encode_scalar(left)) == left


def test_shifting_down_subtracts_generators() -> None:
    """β/g^M is in the group exactly if β is."""
    point = group.multiply_base(9)
    assert group.shift_down(point, 0) == point
    assert group.shift_down(point, 9) == IDENTITY
    assert group.shift_down(point, 4) == group.multiply_base(5)
    with pytest.raises(InvalidPoint):
        group.shift_down(group.decode_point(f"{2:064x}"), 1)


def test_sums_of_nothing_and_of_one() -> None:
    """The empty sum is the identity."""
    assert group.total([]) == IDENTITY
    assert group.total([group.GENERATOR]) == group.GENERATOR
    assert group.total([group.GENERATOR] * 3) == group.multiply_base(3)
