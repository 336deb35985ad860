"""What the members of a committee of trustees give each other, as files have it.

Promises that each has one spelling, and puts everybody's in order by who signed them, not by how
their files are called. Must never judge a share: `threshold` does, with the seed of who it is for.

Source: Belenios 3.3 specification, "Polynomials", "Vinputs", "Voutputs".
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from ballots import channel, strict_json
from ballots.channel import SignedMessage
from ballots.committee import Certificates
from ballots.errors import SignatureRefused, TrusteesRefused
from ballots.proofs import Proof
from ballots.trustee import MemberKey

MAX_RECORD_BYTES: Final = 500_000


class Polynomial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a member gives out in step 2: sealed for themselves, sealed for each, and signed."""

    polynomial: str
    secrets: list[str]
    coefexps: SignedMessage
    signature: Proof


class MemberInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What of everybody's polynomials concerns one member (Belenios' `vinput`)."""

    polynomial: str
    secrets: list[str]
    coefexps: list[SignedMessage]
    signatures: list[Proof]


class MemberOutput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finished member's public key, and the private one sealed for themselves (`voutput`)."""

    private_key: str
    public_key: MemberKey


_POLYNOMIAL: Final = msgspec.json.Decoder(Polynomial)
_INPUT: Final = msgspec.json.Decoder(MemberInput)
_OUTPUT: Final = msgspec.json.Decoder(MemberOutput)
_Item = TypeVar("_Item", Polynomial, MemberOutput)


def parse_polynomial(raw: bytes) -> Polynomial:
    """Read a file of step 2 (one newline at the end is forgiven) without checking it."""
    line = raw.removesuffix(b"\n")
    return strict_json.decode_canonical(line, _POLYNOMIAL, max_bytes=MAX_RECORD_BYTES)


def parse_input(raw: bytes) -> MemberInput:
    """Read a `vinput` file (one newline at the end is forgiven) without checking it."""
    line = raw.removesuffix(b"\n")
    return strict_json.decode_canonical(line, _INPUT, max_bytes=MAX_RECORD_BYTES)


def parse_output(raw: bytes) -> MemberOutput:
    """Read a file of step 3 (one newline at the end is forgiven) without checking it."""
    line = raw.removesuffix(b"\n")
    return strict_json.decode_canonical(line, _OUTPUT, max_bytes=MAX_RECORD_BYTES)


def polynomials_in_order(
    certificates: Certificates, polynomials: Sequence[Polynomial]
) -> list[Polynomial]:
    """Return everybody's polynomials by the index of who signed them; raises TrusteesRefused."""
    return _by_signer(
        certificates,
        polynomials,
        lambda one: (one.coefexps.message, one.coefexps.signature),
        "polynomial",
    )


def outputs_in_order(
    certificates: Certificates, outputs: Sequence[MemberOutput]
) -> list[MemberOutput]:
    """Return everybody's finished keys by the index of who signed them; raises TrusteesRefused."""
    return _by_signer(
        certificates,
        outputs,
        lambda one: (one.public_key.public_key, one.public_key.signature),
        "finished key",
    )


def _by_signer(
    certificates: Certificates,
    items: Sequence[_Item],
    signed: Callable[[_Item], tuple[str, Proof]],
    what: str,
) -> list[_Item]:
    found: dict[int, _Item] = {}
    for item in items:
        index = _signer(certificates, *signed(item))
        if index is None:
            raise TrusteesRefused(f"a {what} is by nobody of this committee, or was changed")
        if index in found:
            raise TrusteesRefused(f"there are two {what}s of member {index}")
        found[index] = item
    missing = [index for index in range(1, len(certificates.keys) + 1) if index not in found]
    if missing:
        raise TrusteesRefused(f"the {what} of member {missing[0]} is missing")
    return [found[index] for index in sorted(found)]


def _signer(certificates: Certificates, message: str, signature: Proof) -> int | None:
    for index, member in enumerate(certificates.keys, 1):
        try:
            channel.require_signed(member.verification, message, signature)
        except SignatureRefused:
            continue
        return index
    return None
