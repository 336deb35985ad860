"""AES-256-GCM with long initialisation vectors, as Belenios' trustees write to each other.

Promises to open only what was sealed under the same key, and unchanged. Trusts `cryptography`
(OpenSSL) for the cipher: libsodium's takes vectors of 12 bytes only, and Belenios' have 32. Trusts
the caller never to seal twice under one key and initialisation vector.

Source: NIST SP 800-38D; Belenios 3.3 specification, "Encrypting".
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ballots.errors import SealBroken


def seal(key: bytes, vector: bytes, plain: bytes) -> bytes:
    """Return the ciphertext followed by its tag of 16 bytes; key 32, vector 8 to 128 bytes."""
    return AESGCM(key).encrypt(vector, plain, None)


def unseal(key: bytes, vector: bytes, sealed: bytes) -> bytes:
    """Return what was sealed; raises SealBroken if the key is another or anything was changed."""
    try:
        return AESGCM(key).decrypt(vector, sealed, None)
    except InvalidTag:
        raise SealBroken("sealed for another key, or changed since") from None
