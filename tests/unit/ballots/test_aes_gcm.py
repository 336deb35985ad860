"""AES-256-GCM, against the examples published with it."""

from collections.abc import Callable

import pytest
from nacl import bindings as sodium

from ballots import aes_gcm
from ballots.errors import SealBroken

KEY = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
PLAIN = bytes.fromhex(
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525"
    "b16aedf5aa0de657ba637b391aafd255"
)

# McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test cases 13, 14 and 15.
PUBLISHED = {
    "nothing": (bytes(32), bytes(12), b"", "530f8afbc74536b9a963b4f1c4cb738b"),
    "one block": (
        bytes(32),
        bytes(12),
        bytes(16),
        "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
    ),
    "four blocks": (
        KEY,
        bytes.fromhex("cafebabefacedbaddecaf888"),
        PLAIN,
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
        "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad"
        "b094dac5d93471bdec1a502270e3cc6c",
    ),
}


@pytest.mark.parametrize("example", PUBLISHED.values(), ids=PUBLISHED.keys())
def test_the_published_examples_come_out(example: tuple[bytes, bytes, bytes, str]) -> None:
    """The cipher is the one that belenios-tool and everybody else means by its name."""
    key, vector, plain, expected = example
    assert aes_gcm.seal(key, vector, plain).hex() == expected


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 255, 1000])
def test_it_agrees_with_libsodium(randomness: Callable, length: int) -> None:
    """For vectors of twelve bytes a second implementation gives the same bytes."""
    randbytes = randomness(f"aes {length}")
    key, vector, plain = randbytes(32), randbytes(12), randbytes(length)
    expected = sodium.crypto_aead_aes256gcm_encrypt(plain, b"", vector, key)
    assert aes_gcm.seal(key, vector, plain) == expected


@pytest.mark.parametrize("length", [8, 16, 31, 32])
def test_vectors_of_other_lengths_open_again(randomness: Callable, length: int) -> None:
    """Belenios' vectors have 32 bytes; each length is a cipher of its own."""
    randbytes = randomness(f"vector {length}")
    key, vector, plain = randbytes(32), randbytes(length), randbytes(100)
    sealed = aes_gcm.seal(key, vector, plain)
    assert aes_gcm.unseal(key, vector, sealed) == plain
    with pytest.raises(SealBroken):
        aes_gcm.unseal(key, vector + b"\0", sealed)


def test_every_changed_byte_is_noticed(randomness: Callable) -> None:
    """Nothing is given back unless bytes, tag and key are those of the sealing."""
    randbytes = randomness("changed")
    key, vector, plain = randbytes(32), randbytes(32), randbytes(40)
    sealed = aes_gcm.seal(key, vector, plain)
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(SealBroken):
            aes_gcm.unseal(key, vector, changed)
    for short in (b"", sealed[:10], sealed[:-1]):
        with pytest.raises(SealBroken):
            aes_gcm.unseal(key, vector, short)
    with pytest.raises(SealBroken):
        aes_gcm.unseal(randbytes(32), vector, sealed)
