"""Ed25519 signatures between services, and the files that keys live in.

Promises that a signature has one accepted spelling and that bad input is only ever `False`. Must
never print a key, or use a secret that others than its owner can read. Trusts libsodium.

    signer = Signer(settings.secret("signing.key"))
    permit = signer.sign(permit_text(...))             # 128 hex digits, for JSON
    header = signer.sign_raw(signed_text(...))         # 64 bytes, for a record's header
    verify(read_public(settings.trust_dir, "codes"), text, permit)
"""

import os
import re
from pathlib import Path

from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import CryptoError

from shared.errors import KeyFileError

SIGNATURE_BYTES = 64
_HEX_32 = re.compile(r"[0-9a-f]{64}")
_OTHERS = 0o077
_MAX_SECRET_BYTES = 4096


class Signer:
    """A private signing key; it never leaves this object, and its repr shows the public half."""

    __slots__ = ("_secret", "public_hex")

    def __init__(self, seed_hex: str) -> None:
        """Raises KeyFileError unless the seed is 64 lower-case hex digits."""
        if not _HEX_32.fullmatch(seed_hex):
            raise KeyFileError("A signing key is 64 lower-case hex digits.")
        public, self._secret = crypto_sign_seed_keypair(bytes.fromhex(seed_hex))
        self.public_hex = public.hex()

    def sign(self, text: bytes) -> str:
        """The signature as 128 lower-case hex digits."""
        return self.sign_raw(text).hex()

    def sign_raw(self, text: bytes) -> bytes:
        """The signature as 64 bytes."""
        return crypto_sign(text, self._secret)[:SIGNATURE_BYTES]

    def __repr__(self) -> str:
        return f"Signer({self.public_hex})"


def verify(public_hex: str, text: bytes, signature: str | bytes | None) -> bool:
    """Whether the signature (128 lower-case hex digits, or 64 bytes) is the key's over the text."""
    try:
        raw = bytes.fromhex(signature) if isinstance(signature, str) else signature
        public = bytes.fromhex(public_hex)
    except ValueError:
        return False
    if raw is None or len(raw) != SIGNATURE_BYTES or len(public) != 32:
        return False
    if isinstance(signature, str) and raw.hex() != signature:
        return False
    try:
        crypto_sign_open(raw + text, public)
    except CryptoError:
        return False
    return True


def read_secret(path: Path) -> str:
    """The one line of a secret file, without its line end.

    Raises KeyFileError when it is missing, empty, longer than a line, or readable by others.
    """
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            text = stream.read(_MAX_SECRET_BYTES + 1).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path} can't be read ({type(error).__name__}).") from None
    if mode & _OTHERS:
        raise KeyFileError(f"{path} can be read by others than its owner: chmod 600 it.")
    line = text.removesuffix("\n").removesuffix("\r")
    if not line or len(text) > _MAX_SECRET_BYTES or any(end in line for end in "\r\n"):
        raise KeyFileError(f"{path} must hold one line.")
    return line


def read_public(trust_dir: Path, name: str) -> str:
    """The public key in `<name>.pub`: 64 hex digits; raises KeyFileError if it isn't one."""
    path = trust_dir / f"{name}.pub"
    try:
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path} can't be read ({type(error).__name__}).") from None
    if not _HEX_32.fullmatch(text):
        raise KeyFileError(f"{path} must hold a public key of 64 lower-case hex digits.")
    return text
