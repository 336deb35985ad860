"""Voting codes and pack serials, as people type them."""

import secrets
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballots import codes
from ballots.errors import CodeAlphabet, CodeCheck, CodeLength, CodeRefused
from shared.testing.promises import promise

seeds = st.binary(min_size=12, max_size=12)
positions = st.integers(0, codes.CODE_LENGTH - 1)


def code_of(seed: bytes) -> str:
    return codes.generate(lambda length: seed[:length])


def serial_of(seed: bytes) -> str:
    return codes.serial_generate(lambda length: seed[:length])


@given(seeds)
def test_a_code_survives_being_printed_in_groups(seed: bytes) -> None:
    """What is printed on the letter reads back as the very code."""
    code = code_of(seed)
    assert len(code) == codes.CODE_LENGTH
    assert codes.canonical(code) == code
    assert codes.canonical(codes.grouped(code)) == code
    assert [len(group) for group in codes.grouped(code).split("-")] == [4] * 5


@given(seeds, st.randoms())
def test_a_code_is_forgiven_its_spelling(seed: bytes, chance) -> None:
    """Lower case, spaces, dashes, O for 0 and I or L for 1 make no difference."""
    code = code_of(seed)
    spelt = "".join(
        chance.choice(["", " ", "-", "\u2013", "\u00a0"])
        + chance.choice({"0": "0oO", "1": "1iIlL"}.get(letter, letter + letter.lower()))
        for letter in code
    )
    assert codes.canonical(f" {spelt}\n") == code


@given(seeds, positions, st.sampled_from(codes.ALPHABET))
def test_every_single_typing_error_is_detected(seed: bytes, at: int, wrong: str) -> None:
    """One wrong character never turns a code into another code."""
    code = code_of(seed)
    typed = code[:at] + wrong + code[at + 1 :]
    if typed != code:
        with pytest.raises(CodeCheck):
            codes.canonical(typed)


@given(seeds, st.integers(0, codes.CODE_LENGTH - 2))
def test_swapped_neighbours_are_detected_but_for_0_with_z(seed: bytes, at: int) -> None:
    """Two characters typed in the wrong order are noticed, with one known exception."""
    code = code_of(seed)
    left, right = code[at], code[at + 1]
    typed = code[:at] + right + left + code[at + 2 :]
    if left == right or {left, right} == {"0", "Z"}:
        assert codes.canonical(typed) == typed
    else:
        with pytest.raises(CodeCheck):
            codes.canonical(typed)


@given(st.text(max_size=40))
def test_any_text_is_a_code_or_is_refused_with_a_reason(text: str) -> None:
    """Nothing that can be typed makes the reader fall over, or lets a foreign letter through."""
    try:
        assert set(codes.canonical(text)) <= set(codes.ALPHABET)
    except CodeRefused as refusal:
        assert refusal.code.startswith("code-")


@pytest.mark.parametrize(
    ("typed", "refusal"),
    [
        ("", CodeLength),
        ("0" * 19, CodeLength),
        ("0" * 21, CodeLength),
        ("U" + "0" * 19, CodeAlphabet),
        ("\u0661" + "0" * 19, CodeAlphabet),
        ("\uff10" * 20, CodeAlphabet),
        ("\u0131" + "0" * 19, CodeAlphabet),
        ("0" * 19 + "1", CodeCheck),
    ],
)
def test_the_refusal_names_the_fault(typed: str, refusal: type[CodeRefused]) -> None:
    """A voter is told whether the length, a letter or the whole is wrong."""
    with pytest.raises(refusal):
        codes.canonical(typed)


@promise("P8")
def test_a_refusal_never_repeats_what_was_typed() -> None:
    """A code that fails its check can't end up in a log by way of the error message."""
    with pytest.raises(CodeCheck) as caught:
        codes.canonical("ABCDEFGH23456789ABC0")
    assert "ABC" not in str(caught.value)


def test_known_codes_keep_their_check_character() -> None:
    """The check characters of printed letters can't change with a new version."""
    assert codes.check_character("0" * 19) == "0"
    assert codes.check_character("0123456789ABCDEFGHJ") == "S"
    assert codes.check_character("ZZZZZZZZZZZZZZZZZZZ") == "K"


@given(st.binary(min_size=8, max_size=8))
def test_a_serial_survives_scanning(seed: bytes) -> None:
    """A pack serial has 14 characters and reads back, typed in any case."""
    serial = serial_of(seed)
    assert len(serial) == codes.SERIAL_LENGTH
    assert codes.serial_canonical(serial.lower()) == serial


def test_a_serial_above_64_bits_is_refused() -> None:
    """Thirteen characters could hold 65 bits; no serial has the last of them."""
    body = "G" + "0" * 12
    with pytest.raises(CodeAlphabet):
        codes.serial_canonical(body + codes.check_character(body))
    largest = serial_of(b"\xff" * 8)
    assert codes.serial_canonical(largest) == largest
    assert largest.startswith("FZZZZZZZZZZZZ")


def test_codes_use_all_95_bits() -> None:
    """Every character, the first included, takes every value."""
    made = [codes.generate(secrets.token_bytes) for _ in range(2_000)]
    assert len(set(made)) == len(made)
    for at in range(codes.CODE_LENGTH):
        assert len({code[at] for code in made}) == len(codes.ALPHABET)


def test_a_code_in_the_place_of_a_serial_is_refused(randomness: Callable) -> None:
    """A voting code scanned as a serial is refused for its length."""
    with pytest.raises(CodeLength):
        codes.serial_canonical(codes.generate(randomness("code")))
