"""A committee of trustees of whom some are enough: its certificates, commitments and keys.

Promises that a committee that verifies has the keys that its members' commitments give, that every
member signed for everybody's certificates, and that every member knows their own key. Must never
need a private key. Trusts nobody: a member who computed theirs from the others' is refused.

The committee's private key is the value at 0 of a polynomial of degree threshold - 1 that nobody
knows, the sum of one by each member; the member of index i holds its value at i.

Source: Belenios 3.3 specification, "Certificates", "Polynomials", "Threshold parameters".
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from ballots import channel, group, strict_json, trustee
from ballots.channel import SignedMessage
from ballots.election import GROUP
from ballots.errors import ProofRefused, TrusteesRefused
from ballots.group import Point
from ballots.proofs import PointText, Proof
from ballots.trustee import MemberKey

# More would only make checking slow: it takes members × threshold multiplications.
MAX_MEMBERS: Final = 50
MAX_RECORD_BYTES: Final = 200_000


class Context(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which committee a certificate is for, and which of its members (from 1) it is of."""

    group: str
    size: int
    threshold: int
    index: int


class CertifiedKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a certificate says: where its owner's signatures and secret messages belong."""

    context: Context
    verification: PointText
    encryption: PointText


class Commitments(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """g to the power of each coefficient of a member's polynomial, the constant one first."""

    coefexps: list[PointText]


class _Approved(msgspec.Struct, frozen=True):
    certs: Sequence[SignedMessage]
    coefexps: Sequence[str]


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The public record of a committee; members in the order of their indices."""

    threshold: int
    certs: list[SignedMessage]
    coefexps: list[SignedMessage]
    signatures: list[Proof]
    verification_keys: list[MemberKey]


class Certificates(NamedTuple):
    """Verified certificates of a whole committee, in order."""

    records: tuple[SignedMessage, ...]
    keys: tuple[CertifiedKeys, ...]

    @property
    def threshold(self) -> int:
        """How many members are enough."""
        return self.keys[0].context.threshold

    @property
    def fingerprint(self) -> str:
        """SHA-256 in unpadded Base64 that all members should find the same."""
        return strict_json.digest_base64(strict_json.encode(self.records))


_CERTIFICATE: Final = msgspec.json.Decoder(SignedMessage)
_CERTIFIED: Final = msgspec.json.Decoder(CertifiedKeys)
_COMMITMENTS: Final = msgspec.json.Decoder(Commitments)
_PARAMETERS: Final = msgspec.json.Decoder(Parameters)


def parse(raw: bytes) -> Parameters:
    """Read a committee's record (one newline at the end is forgiven) without checking it."""
    line = raw.removesuffix(b"\n")
    return strict_json.decode_canonical(line, _PARAMETERS, max_bytes=MAX_RECORD_BYTES)


def parse_certificate(raw: bytes) -> SignedMessage:
    """Read a certificate's file (one newline at the end is forgiven) without checking it."""
    line = raw.removesuffix(b"\n")
    return strict_json.decode_canonical(line, _CERTIFICATE, max_bytes=MAX_RECORD_BYTES)


def certified(certificate: SignedMessage) -> CertifiedKeys:
    """Return what a certificate says after checking its signature and its keys."""
    keys = strict_json.decode_canonical(
        certificate.message.encode(), _CERTIFIED, max_bytes=MAX_RECORD_BYTES
    )
    channel.require_signed(keys.verification, certificate.message, certificate.signature)
    group.parse_point(keys.encryption)
    return keys


def require_threshold(threshold: int, size: int) -> None:
    """Refuse a committee of which so many can't be needed, or in which each has the whole key."""
    if not 1 <= threshold <= size <= MAX_MEMBERS:
        raise TrusteesRefused(f"{threshold} of {size} trustees can't be needed")
    if threshold == 1 < size:
        # Their polynomials are constants, so that all have one and the same key.
        raise TrusteesRefused("if one of several is enough, each of them holds the whole key")


def verify_certificates(records: Sequence[SignedMessage]) -> Certificates:
    """Check a committee's certificates, given in order; raises TrusteesRefused with the reason."""
    if not 1 <= len(records) <= MAX_MEMBERS:
        raise TrusteesRefused(f"a committee has 1 to {MAX_MEMBERS} members")
    keys = [certified(record) for record in records]
    threshold = keys[0].context.threshold
    require_threshold(threshold, len(keys))
    for index, member in enumerate(keys, 1):
        if member.context != Context(GROUP, len(keys), threshold, index):
            raise TrusteesRefused(f"certificate {index} is not of member {index} of this committee")
    if len({key for member in keys for key in (member.verification, member.encryption)}) != (
        2 * len(keys)
    ):
        raise TrusteesRefused("a key occurs twice in the certificates")
    return Certificates(tuple(records), tuple(keys))


def verify_commitments(
    certificates: Certificates, records: Sequence[SignedMessage], signatures: Sequence[Proof]
) -> list[list[Point]]:
    """Return every member's commitments, signed by them together with all the certificates."""
    if not len(records) == len(signatures) == len(certificates.keys):
        raise TrusteesRefused("every member must have committed to a polynomial once")
    everyone = []
    for member, record, signature in zip(certificates.keys, records, signatures, strict=True):
        channel.require_signed(member.verification, record.message, record.signature)
        texts = strict_json.decode_canonical(
            record.message.encode(), _COMMITMENTS, max_bytes=MAX_RECORD_BYTES
        ).coefexps
        if len(texts) != certificates.threshold:
            raise TrusteesRefused("a member committed to a polynomial of another degree")
        channel.require_signed(member.verification, approval(certificates, texts), signature)
        everyone.append([group.parse_point_or_identity(text) for text in texts])
    return everyone


def approval(certificates: Certificates, commitments: Sequence[str]) -> str:
    """Return the text by which a member signs for all certificates and their own commitments."""
    return f"certs_sig|{strict_json.encode(_Approved(certificates.records, commitments)).decode()}"


def value_at(index: int, commitments: Sequence[Point]) -> Point:
    """Return g to the value at an index of the polynomial that was committed to."""
    return group.total(
        [
            group.multiply(commitment, pow(index, degree, group.ORDER))
            for degree, commitment in enumerate(commitments)
        ]
    )


def sum_of(everyone: Sequence[Sequence[Point]]) -> list[Point]:
    """Return the commitments to the sum of all members' polynomials."""
    return [group.total(list(column)) for column in zip(*everyone, strict=True)]


def verify_member_key(
    certificates: Certificates, index: int, together: Sequence[Point], key: MemberKey
) -> None:
    """Check a member's key against everybody's commitments, its proof and its signature."""
    trustee.require_known(key)
    if group.encode_point(value_at(index, together)) != key.public_key:
        raise ProofRefused(f"the key of member {index} isn't the one that the commitments give")
    signer = certificates.keys[index - 1].verification
    channel.require_signed(signer, key.public_key, key.signature)


def verify(parameters: Parameters) -> Point:
    """Check a committee's whole record and return its public key; raises the BallotError."""
    certificates = verify_certificates(parameters.certs)
    if parameters.threshold != certificates.threshold:
        raise TrusteesRefused("the threshold isn't the one that the members signed for")
    everyone = verify_commitments(certificates, parameters.coefexps, parameters.signatures)
    if len(parameters.verification_keys) != len(everyone):
        raise TrusteesRefused("every member must have one key")
    together = sum_of(everyone)
    for index, key in enumerate(parameters.verification_keys, 1):
        verify_member_key(certificates, index, together, key)
    return together[0]
