"""Trustees' keys: made offline, published with a proof that their maker knows the private part.

Promises that a published key that verifies belongs to someone (so that no key can be chosen to
cancel another's). Must never see a private key on a server: `generate` is for the trustee's own
machine. Trusts the caller to keep what it returns.

Source: Belenios 3.3 specification, "Verification keys".
"""

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from ballots import group, proofs, strict_json
from ballots.errors import InvalidPoint, NotCanonical, ProofRefused
from ballots.group import RandomBytes
from ballots.proofs import PointText, Proof

MAX_KEY_BYTES: Final = 2_000


class TrusteeKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key, 64 hex digits, after the proof that its private key is known."""

    pok: Proof
    public_key: PointText
    name: str | UnsetType = UNSET


class MemberKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A committee member's public key, which its owner signed as well."""

    pok: Proof
    public_key: PointText
    signature: Proof
    name: str | UnsetType = UNSET


_DECODER: Final = msgspec.json.Decoder(TrusteeKey)


def generate(randbytes: RandomBytes) -> tuple[int, TrusteeKey]:
    """Return a fresh private key (secret) and its public key with proof."""
    private = group.random_scalar(randbytes)
    return private, public_part(private, randbytes)


def public_part(private: int, randbytes: RandomBytes) -> TrusteeKey:
    """Return the public key, with a fresh proof, of a private key."""
    public = group.encode_point(group.multiply_base(private))
    pok = proofs.prove_knowledge(private, _prefix(public), randbytes)
    return TrusteeKey(pok, public)


def verify_key(raw: bytes) -> TrusteeKey:
    """Read a public key file and check its proof; raises the BallotError that fits.

    One newline at the end is forgiven: belenios-tool writes it into the file, not into archives.
    """
    line = raw.removesuffix(b"\n")
    key = strict_json.decode_canonical(line, _DECODER, max_bytes=MAX_KEY_BYTES)
    require_known(key)
    return key


def require_known(key: TrusteeKey | MemberKey) -> None:
    """Check that whoever published a key knows its private part; raises ProofRefused/InvalidPoint.

    A key computed from others', so as to cancel them, fails here: its maker can't prove it.
    """
    point = group.decode_point(key.public_key)
    if point == group.IDENTITY:
        raise InvalidPoint("the identity is no trustee's key")
    try:
        proofs.verify_knowledge(point, _prefix(key.public_key), key.pok)
    except ProofRefused:
        raise ProofRefused(
            "the proof that a trustee knows their private key doesn't hold: the key may be damaged,"
            " or computed from other trustees' keys"
        ) from None


def encode_key(key: TrusteeKey) -> bytes:
    """Return the canonical JSON of a public key."""
    return strict_json.encode(key)


def encode_private(private: int) -> bytes:
    """Return a private key as its file has it: a decimal number in a JSON string."""
    return strict_json.encode(group.encode_scalar(private))


def parse_private(raw: bytes) -> int:
    """Read a private key file; raises Malformed, InvalidScalar or NotCanonical."""
    text = strict_json.decode(raw.removesuffix(b"\n"), str, max_bytes=MAX_KEY_BYTES)
    private = group.parse_scalar(text)
    if private == 0:
        raise NotCanonical("zero is no private key")
    return private


def _prefix(public: str) -> str:
    return f"pok|Ed25519|{public}|"
