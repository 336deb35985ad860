"""The group itself: what is no element of it gets into no power, and edges of exponents hold."""

import pytest
from castonce_verifier import group
from castonce_verifier.faults import Fault, Unreadable
from castonce_verifier.group import IDENTITY, ORDER, Point

from ballots import group as other_group
from tests.verifier.forge import Record, pack, verify
from tests.verifier.mutations import small_order_points, with_torsion

ELEMENT = group.generator_power(7)
OUTSIDE = [*small_order_points(), with_torsion(group.write_point(ELEMENT)), "2".zfill(64)]
# The last ones have 256 bits, of which libsodium passes over the first.
EXPONENTS = (0, 1, 2, 8, ORDER - 1, ORDER, ORDER + 1, 2 * ORDER, 9 * ORDER, 9 * ORDER + 1)


@pytest.mark.parametrize("text", OUTSIDE)
def test_no_power_is_taken_of_what_is_no_element(text: str) -> None:
    """Not even the one that is the identity for every element: libsodium never sees that."""
    for exponent in EXPONENTS:
        with pytest.raises(Fault, match=f"a point outside the group: {text}"):
            group.power(group.read_unchecked(text), exponent)
    with pytest.raises(Fault, match="a point outside the group"):
        group.read_point_or_identity(text)


@pytest.mark.parametrize("exponent", EXPONENTS)
def test_powers_are_those_of_the_other_implementation(exponent: int) -> None:
    """The identity where the exponent is a multiple of the order, and nowhere else."""
    expected = other_group.multiply(other_group.GENERATOR, exponent % ORDER)
    assert group.generator_power(exponent) == expected
    assert group.small_power(exponent) == expected
    assert group.power(Point(other_group.GENERATOR), exponent) == expected
    assert (group.generator_power(exponent) == IDENTITY) == (exponent % ORDER == 0)
    assert group.power(IDENTITY, exponent) == IDENTITY


def test_products_and_quotients_are_those_of_exponents() -> None:
    """Of no element at all, the product is the identity."""
    assert group.product([]) == IDENTITY
    assert group.product([ELEMENT]) == ELEMENT
    assert group.product([ELEMENT] * 3) == group.generator_power(21)
    assert group.over(ELEMENT, group.generator_power(5)) == group.generator_power(2)
    assert group.over(ELEMENT, ELEMENT) == IDENTITY


@pytest.mark.parametrize(
    ("name", "answer"),
    [("crypto_core_ed25519_is_valid_point", True), ("crypto_scalarmult_ed25519_noclamp", ELEMENT)],
)
def test_an_old_libsodium_judges_nothing(
    monkeypatch: pytest.MonkeyPatch, small: list[Record], name: str, answer: object
) -> None:
    """It takes an element plus a point of order two for an element, where read or multiplied."""
    group.require_library()
    asked: list[Point] = []

    def believing(*arguments: Point) -> object:
        asked.append(arguments[-1])
        return answer

    monkeypatch.setattr(group.bindings, name, believing)
    with pytest.raises(Unreadable, match="outside the group for elements"):
        verify(pack(small))
    generator = group.write_point(group.generator_power(1))
    assert asked == [group.read_unchecked(with_torsion(generator))]


def test_scalars_end_below_the_order() -> None:
    """The largest is read, the next isn't, nor are 78 digits of anything."""
    assert group.read_scalar(str(ORDER - 1)) == ORDER - 1
    assert group.read_scalar("0") == 0
    for text in (str(ORDER), "1" + "0" * 76, "1" * 78, "00", "", "-0", "1\n", "1_0"):
        with pytest.raises(Fault):
            group.read_scalar(text)


def test_points_are_read_in_one_spelling() -> None:
    """64 digits, no more."""
    text = group.write_point(ELEMENT)
    assert group.read_point(text) == group.read_unchecked(text) == ELEMENT
    for other in (text.upper(), text + "0", text[1:], text + "\n", None, 7):
        with pytest.raises(Fault, match="64 lower-case hex digits"):
            group.read_unchecked(other)
    with pytest.raises(Fault, match="identity"):
        group.read_point(group.write_point(IDENTITY))
