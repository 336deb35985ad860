"""AES-256-GCM with initialisation vectors of any length, as Belenios' trustees write to each other.

Promises to open only what was sealed under the same key, and unchanged: the tag is checked before
anything is given back. Must never be used where an attacker can time it on the same machine: its
look-ups depend on secrets (it runs on a trustee's own machine, offline, for a few kilobytes).
Trusts the caller never to seal twice under one key and initialisation vector.

libsodium's AES-GCM takes vectors of 12 bytes only; Belenios' have 32.

Source: FIPS 197; NIST SP 800-38D; Belenios 3.3 specification, "Encrypting".
"""

import hmac
from typing import Final

from ballots.errors import SealBroken

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
_BLOCK: Final = 16
_ROUNDS: Final = 14
_KEY_WORDS: Final = 8


def seal(key: bytes, vector: bytes, plain: bytes) -> bytes:
    """Return the ciphertext followed by its tag of 16 bytes."""
    cipher = _Gcm(key, vector)
    hidden = cipher.masked(plain)
    return hidden + cipher.tag(hidden)


def unseal(key: bytes, vector: bytes, sealed: bytes) -> bytes:
    """Return what was sealed; raises SealBroken if the key is another or anything was changed."""
    hidden, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
    cipher = _Gcm(key, vector)
    if not hmac.compare_digest(cipher.tag(hidden), tag):
        raise SealBroken("sealed for another key, or changed since")
    return cipher.masked(hidden)


class _Gcm:
    """The state that one key and one initialisation vector give."""

    def __init__(self, key: bytes, vector: bytes) -> None:
        self._keys = _round_keys(key)
        self._hash_key = int.from_bytes(_encrypted(self._keys, bytes(_BLOCK)), "big")
        if len(vector) == 12:
            self._first = vector + (1).to_bytes(4, "big")
        else:
            self._first = self._hashed(_padded(vector) + (len(vector) * 8).to_bytes(_BLOCK, "big"))

    def masked(self, content: bytes) -> bytes:
        """Return the content with the key stream added, which also takes it away."""
        count = -(-len(content) // _BLOCK)
        stream = b"".join(_encrypted(self._keys, self._counter(at)) for at in range(1, count + 1))
        return _xor(content, stream[: len(content)])

    def tag(self, hidden: bytes) -> bytes:
        """Return the tag of a ciphertext; there is no other authenticated content."""
        digest = self._hashed(_padded(hidden) + (len(hidden) * 8).to_bytes(_BLOCK, "big"))
        return _xor(digest, _encrypted(self._keys, self._first))

    def _counter(self, at: int) -> bytes:
        number = (int.from_bytes(self._first[12:], "big") + at) % 2**32
        return self._first[:12] + number.to_bytes(4, "big")

    def _hashed(self, blocks: bytes) -> bytes:
        digest = 0
        for at in range(0, len(blocks), _BLOCK):
            block = int.from_bytes(blocks[at : at + _BLOCK], "big")
            digest = _product(digest ^ block, self._hash_key)
        return digest.to_bytes(_BLOCK, "big")


def _product(left: int, right: int) -> int:
    """Multiply in GF(2^128), whose bits GCM counts from the left."""
    result = 0
    for at in range(127, -1, -1):
        if left >> at & 1:
            result ^= right
        right = right >> 1 ^ (0xE1 << 120 if right & 1 else 0)
    return result


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % _BLOCK)


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(left, right, strict=True))


def _doubled(byte: int) -> int:
    return byte << 1 ^ (0x11B if byte & 0x80 else 0)


def _substitutions() -> bytes:
    # FIPS 197, 5.1.1: the inverse in GF(2^8), then an affine map. 3 generates the field's units.
    powers = [1]
    while len(powers) < 255:
        powers.append(powers[-1] ^ _doubled(powers[-1]))
    inverse = {0: 0} | {powers[at]: powers[-at % 255] for at in range(255)}
    table = bytearray()
    for byte in range(256):
        bits = inverse[byte] * 0x101
        turned = bits ^ bits >> 4 ^ bits >> 5 ^ bits >> 6 ^ bits >> 7
        table.append(turned & 0xFF ^ 0x63)
    return bytes(table)


_SUBSTITUTED: Final = _substitutions()
_DOUBLED: Final = bytes(_doubled(byte) for byte in range(256))
# ShiftRows: the byte at each place of a block comes from here.
_SHIFTED: Final = tuple(at * 5 % _BLOCK for at in range(_BLOCK))


def _round_keys(key: bytes) -> list[bytes]:
    if len(key) != KEY_BYTES:
        raise ValueError("the key must have 32 bytes")
    words = [key[at : at + 4] for at in range(0, KEY_BYTES, 4)]
    constant = 1
    while len(words) < 4 * (_ROUNDS + 1):
        word = words[-1]
        if len(words) % _KEY_WORDS == 0:
            word = (word[1:] + word[:1]).translate(_SUBSTITUTED)
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = _DOUBLED[constant]
        elif len(words) % _KEY_WORDS == 4:
            word = word.translate(_SUBSTITUTED)
        words.append(_xor(words[-_KEY_WORDS], word))
    return [b"".join(words[at : at + 4]) for at in range(0, len(words), 4)]


def _encrypted(keys: list[bytes], block: bytes) -> bytes:
    state = _xor(block, keys[0])
    for key in keys[1:-1]:
        state = _xor(_mixed(_moved(state)), key)
    return _xor(_moved(state), keys[-1])


def _moved(state: bytes) -> bytes:
    """SubBytes and ShiftRows."""
    replaced = state.translate(_SUBSTITUTED)
    return bytes(replaced[at] for at in _SHIFTED)


def _mixed(state: bytes) -> bytes:
    """MixColumns: each byte of a column b becomes 2·b0 + 3·b1 + b2 + b3, cyclically."""
    result = bytearray()
    for at in range(0, _BLOCK, 4):
        column = state[at : at + 4]
        everything = column[0] ^ column[1] ^ column[2] ^ column[3]
        result += bytes(
            column[row] ^ everything ^ _DOUBLED[column[row] ^ column[(row + 1) % 4]]
            for row in range(4)
        )
    return bytes(result)
