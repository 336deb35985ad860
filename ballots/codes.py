"""Voting codes and pack serials: what people type, with a check character.

Promises that every single mistyped character is detected, and every swap of neighbours but 0 with
Z; and that lower case, spaces, hyphens, O for 0 and I or L for 1 are forgiven. Must never put a
code into an exception. Trusts nothing; the caller brings the randomness.

A code is 19 random characters of Crockford's base 32 (95 bits) and a check character; a serial is
64 random bits in 13 characters and a check character. The check is Luhn's, modulo 32.
"""

from typing import Final

from ballots.errors import CodeAlphabet, CodeCheck, CodeLength
from ballots.group import RandomBytes

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH: Final = 20
SERIAL_LENGTH: Final = 14
_GROUP_LENGTH: Final = 4
_SERIAL_BITS: Final = 64
_VALUE: Final = {character: value for value, character in enumerate(ALPHABET)}
# What keyboards and phones put where the letter has a hyphen or nothing.
_SEPARATORS: Final = " \t\r\n\u00a0\u2007\u2009\u202f-\u2010\u2011\u2012\u2013\u2014\u2212"
# ASCII only: str.upper() would turn letters of other scripts into ones of ours.
_FORGIVEN: Final = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzOIL",
    "ABCDEFGH1JK1MN0PQRSTUVWXYZ011",
    _SEPARATORS,
)


def generate(randbytes: RandomBytes) -> str:
    """Return a fresh voting code: 20 canonical characters, 95 bits of them random."""
    return _with_check(_characters(int.from_bytes(randbytes(12), "big") >> 1, CODE_LENGTH - 1))


def canonical(text: str) -> str:
    """Return the 20 canonical characters of a typed code; raises a CodeRefused."""
    return _canonical(text, CODE_LENGTH)


def grouped(code: str) -> str:
    """Return a code as it is printed: five groups of four, with hyphens."""
    code = canonical(code)
    return "-".join(code[at : at + _GROUP_LENGTH] for at in range(0, CODE_LENGTH, _GROUP_LENGTH))


def serial_generate(randbytes: RandomBytes) -> str:
    """Return a fresh pack serial: 14 canonical characters, 64 bits of them random."""
    return _with_check(_characters(int.from_bytes(randbytes(8), "big"), SERIAL_LENGTH - 1))


def serial_canonical(text: str) -> str:
    """Return the 14 canonical characters of a typed or scanned serial; raises a CodeRefused."""
    serial = _canonical(text, SERIAL_LENGTH)
    # 13 characters hold 65 bits: the first can't be above F.
    if _VALUE[serial[0]] >> (_SERIAL_BITS - 5 * (SERIAL_LENGTH - 2)):
        raise CodeAlphabet("a serial can't begin with that character")
    return serial


def check_character(body: str) -> str:
    """Return the Luhn check character (modulo 32) of canonical characters."""
    total = 0
    for position, character in enumerate(reversed(body)):
        value = _VALUE[character]
        total += _doubled(value) if position % 2 == 0 else value
    return ALPHABET[-total % 32]


def _doubled(value: int) -> int:
    # The two base-32 digits of twice the value, added: a permutation, so no error is lost in it.
    return 2 * value if value < 16 else 2 * value - 31


def _canonical(text: str, length: int) -> str:
    typed = text.translate(_FORGIVEN)
    if len(typed) != length:
        raise CodeLength(f"{length} characters are needed, {len(typed)} were given")
    if not all(character in _VALUE for character in typed):
        raise CodeAlphabet("one of the characters never occurs in a code")
    if check_character(typed[:-1]) != typed[-1]:
        raise CodeCheck("one of the characters is mistyped")
    return typed


def _characters(number: int, length: int) -> str:
    return "".join(ALPHABET[(number >> (5 * place)) & 31] for place in reversed(range(length)))


def _with_check(body: str) -> str:
    return body + check_character(body)
