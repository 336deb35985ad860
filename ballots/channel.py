"""How members of a committee of trustees sign for, and write secretly to, one another.

Promises that a message that was received is what its sender signed, for this recipient. Must never
let a seed or a decrypted message into an exception. Trusts the certificates for whose keys are
whose: checking them is the business of `committee`.

Everything that a trustee needs follows from one seed of 22 characters (about 129 bits).

Source: Belenios 3.3 specification, "Public key infrastructure", "Channels".
"""

import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

import msgspec

from ballots import aes_gcm, group, proofs, strict_json
from ballots.errors import Malformed, ProofRefused, SealBroken, SignatureRefused
from ballots.group import Point, RandomBytes
from ballots.proofs import PointText, Proof

SEED_LENGTH: Final = 22
MAX_MESSAGE_BYTES: Final = 100_000
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class SignedMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text and the proof that the owner of a signing key approved it."""

    message: str
    signature: Proof


class Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message that only the owner of an encryption key can read."""

    algorithm: Literal["AES-GCM"]
    alpha: PointText
    beta: PointText
    data: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{2})*\Z")]


class _Addressed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    recipient: PointText
    message: str


@dataclass(frozen=True, slots=True)
class Keys:
    """A trustee's keys for signing and for reading (secret), and the public halves."""

    signing: int = field(repr=False)
    reading: int = field(repr=False)
    verification: str
    encryption: str


_SIGNED: Final = msgspec.json.Decoder(SignedMessage)
_SEALED: Final = msgspec.json.Decoder(Sealed)
_ADDRESSED: Final = msgspec.json.Decoder(_Addressed)


def new_seed(randbytes: RandomBytes) -> str:
    """Return a fresh seed (secret): 22 Base58 characters."""
    characters = ""
    while len(characters) < SEED_LENGTH:
        # Six bits at a time, those above 57 thrown away, so that all characters are equally likely.
        values = (byte & 63 for byte in randbytes(SEED_LENGTH))
        characters += "".join(_BASE58[value] for value in values if value < len(_BASE58))
    return characters[:SEED_LENGTH]


def parse_seed(raw: bytes) -> str:
    """Read a seed's file, which belenios-tool ends with a newline; raises Malformed."""
    text = raw.decode("ascii", "replace").removesuffix("\n")
    if len(text) != SEED_LENGTH or any(character not in _BASE58 for character in text):
        raise Malformed("a committee member's key file has 22 letters and digits")
    return text


def keys_of(seed: str) -> Keys:
    """Return the keys that a seed stands for."""
    signing, reading = (group.hash_to_scalar(f"{use}|{seed}") for use in ("sk", "dk"))
    publics = [group.encode_point(group.multiply_base(private)) for private in (signing, reading)]
    return Keys(signing, reading, *publics)


def sign(keys: Keys, message: str, randbytes: RandomBytes) -> Proof:
    """Return a signature of a text."""
    return proofs.prove_knowledge(keys.signing, _prefix(message), randbytes)


def require_signed(verification: str, message: str, signature: Proof) -> None:
    """Check a signature; raises SignatureRefused, or InvalidPoint for a key outside the group."""
    try:
        proofs.verify_knowledge(group.parse_point(verification), _prefix(message), signature)
    except ProofRefused:
        raise SignatureRefused("a trustee's signature doesn't hold") from None


def send(keys: Keys, recipient: str, message: str, randbytes: RandomBytes) -> str:
    """Return a message as the text of a `Sealed` that only the recipient can read."""
    addressed = strict_json.encode(_Addressed(recipient, message)).decode()
    signed = SignedMessage(addressed, sign(keys, addressed, randbytes))
    sealed = _seal(group.parse_point(recipient), strict_json.encode(signed), randbytes)
    return strict_json.encode(sealed).decode()


def receive(keys: Keys, sender: str, sealed: str) -> str:
    """Return a message to these keys; raises SealBroken, SignatureRefused or Malformed."""
    signed = strict_json.decode_canonical(
        _unseal(keys, sealed), _SIGNED, max_bytes=MAX_MESSAGE_BYTES
    )
    require_signed(sender, signed.message, signed.signature)
    addressed = strict_json.decode_canonical(
        signed.message.encode(), _ADDRESSED, max_bytes=MAX_MESSAGE_BYTES
    )
    if addressed.recipient != keys.encryption:
        raise SealBroken("a message was written to another trustee")
    return addressed.message


def _seal(recipient: Point, plain: bytes, randbytes: RandomBytes) -> Sealed:
    blinding, secret = group.random_scalar(randbytes), group.random_scalar(randbytes)
    shared = group.multiply_base(secret)
    alpha = group.encode_point(group.multiply_base(blinding))
    beta = group.encode_point(group.add(group.multiply(recipient, blinding), shared))
    data = aes_gcm.seal(_key(shared), _vector(alpha), plain)
    return Sealed("AES-GCM", alpha, beta, data.hex())


def _unseal(keys: Keys, text: str) -> bytes:
    sealed = strict_json.decode_canonical(text.encode(), _SEALED, max_bytes=MAX_MESSAGE_BYTES)
    mask = group.multiply(group.parse_point(sealed.alpha), keys.reading)
    shared = group.subtract(group.parse_point(sealed.beta), mask)
    return aes_gcm.unseal(_key(shared), _vector(sealed.alpha), bytes.fromhex(sealed.data))


def _key(shared: Point) -> bytes:
    return hashlib.sha256(f"key|{group.encode_point(shared)}".encode()).digest()


def _vector(alpha: str) -> bytes:
    return hashlib.sha256(f"iv|{alpha}".encode()).digest()


def _prefix(message: str) -> str:
    return f"sigmsg|{message}|"
