"""Three steps by which each member of a committee of trustees makes their part of its key.

Promises that a member who finishes holds the private half of the key that the public record will
name, whatever the others sent: a share that doesn't fit its sender's commitments is refused with
the sender's number. Must never run on a server: seeds and private keys belong on trustees' own
machines. Trusts members to compare the certificates' fingerprint with one another.

1. Each member makes a seed (secret) and a certificate. 2. Each, given all certificates, makes a
polynomial: its values, sealed for the others, and signed commitments. 3. Each, given everybody's,
adds up the values for them. What steps 2 and 3 give out is for everybody to see.

Source: Belenios 3.3 specification, "Pedersen protocol", "Polynomials", "Vinputs", "Voutputs".
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from ballots import channel, committee, group, strict_json, trustee
from ballots.channel import Keys, SignedMessage
from ballots.committee import Certificates, CertifiedKeys, Commitments, Context, Parameters
from ballots.election import GROUP
from ballots.errors import ProofRefused, TrusteesRefused
from ballots.group import Point, RandomBytes
from ballots.proofs import ScalarText
from ballots.threshold_records import MemberInput, MemberOutput, Polynomial
from ballots.trustee import MemberKey

MAX_SECRET_BYTES: Final = 20_000


class _Coefficients(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    polynomial: list[ScalarText]


class _Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    secret: ScalarText


class _PrivateKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    decryption_key: ScalarText


_COEFFICIENTS: Final = msgspec.json.Decoder(_Coefficients)
_SHARE: Final = msgspec.json.Decoder(_Share)
_PRIVATE: Final = msgspec.json.Decoder(_PrivateKey)


def make_certificate(
    seed: str, index: int, threshold: int, size: int, randbytes: RandomBytes
) -> SignedMessage:
    """Step 1: return a member's certificate; raises TrusteesRefused for impossible numbers."""
    committee.require_threshold(threshold, size)
    if not 1 <= index <= size:
        raise TrusteesRefused(f"there is no member {index} of {size}")
    keys = channel.keys_of(seed)
    context = Context(GROUP, size, threshold, index)
    certified = CertifiedKeys(context, keys.verification, keys.encryption)
    message = strict_json.encode(certified).decode()
    return SignedMessage(message, channel.sign(keys, message, randbytes))


def make_polynomial(seed: str, certificates: Certificates, randbytes: RandomBytes) -> Polynomial:
    """Step 2: return a member's polynomial for all to see, its secrets sealed."""
    keys = channel.keys_of(seed)
    member_index(keys, certificates)
    coefficients = [group.random_scalar(randbytes) for _ in range(certificates.threshold)]
    own = _Coefficients([group.encode_scalar(coefficient) for coefficient in coefficients])
    commitments = [group.encode_point(group.multiply_base(number)) for number in coefficients]
    message = strict_json.encode(Commitments(commitments)).decode()
    return Polynomial(
        channel.send(keys, keys.encryption, strict_json.encode(own).decode(), randbytes),
        [
            channel.send(keys, member.encryption, _share_text(coefficients, index), randbytes)
            for index, member in enumerate(certificates.keys, 1)
        ],
        SignedMessage(message, channel.sign(keys, message, randbytes)),
        channel.sign(keys, committee.approval(certificates, commitments), randbytes),
    )


def input_of(index: int, polynomials: Sequence[Polynomial]) -> MemberInput:
    """Return what of all members' polynomials, given in order, is for the member of an index."""
    if not 1 <= index <= len(polynomials) or any(
        len(one.secrets) != len(polynomials) for one in polynomials
    ):
        raise TrusteesRefused("every member must have a share by every member")
    return MemberInput(
        polynomials[index - 1].polynomial,
        [one.secrets[index - 1] for one in polynomials],
        [one.coefexps for one in polynomials],
        [one.signature for one in polynomials],
    )


def finish(
    seed: str, certificates: Certificates, given: MemberInput, randbytes: RandomBytes
) -> MemberOutput:
    """Step 3: return a member's key after checking everybody's share against their commitments."""
    keys = channel.keys_of(seed)
    index = member_index(keys, certificates)
    everyone = committee.verify_commitments(certificates, given.coefexps, given.signatures)
    _require_own(keys, given.polynomial, everyone[index - 1])
    if len(given.secrets) != len(everyone):
        raise TrusteesRefused("every member must have a share by every member")
    shares = [
        _received_share(keys, sender, index, sealed, commitments)
        for sender, sealed, commitments in zip(
            certificates.keys, given.secrets, everyone, strict=True
        )
    ]
    private = sum(shares) % group.ORDER
    public = trustee.public_part(private, randbytes)
    signature = channel.sign(keys, public.public_key, randbytes)
    content = strict_json.encode(_PrivateKey(group.encode_scalar(private))).decode()
    return MemberOutput(
        channel.send(keys, keys.encryption, content, randbytes),
        MemberKey(public.pok, public.public_key, signature),
    )


def parameters(
    certificates: Certificates,
    polynomials: Sequence[Polynomial],
    outputs: Sequence[MemberOutput],
) -> Parameters:
    """Return the committee's public record, checked as everybody will check it."""
    made = Parameters(
        certificates.threshold,
        list(certificates.records),
        [one.coefexps for one in polynomials],
        [one.signature for one in polynomials],
        [one.public_key for one in outputs],
    )
    committee.verify(made)
    return made


def private_key(seed: str, sealed: bytes) -> int:
    """Return the private key (secret) that a member sealed for themselves in step 3."""
    keys = channel.keys_of(seed)
    received = sealed.decode("utf-8", "replace").removesuffix("\n")
    text = channel.receive(keys, keys.verification, received)
    content = strict_json.decode_canonical(text.encode(), _PRIVATE, max_bytes=MAX_SECRET_BYTES)
    return group.parse_scalar(content.decryption_key)


def member_index(keys: Keys, certificates: Certificates) -> int:
    """Return a member's index from 1; raises TrusteesRefused if the keys are in no certificate."""
    for index, member in enumerate(certificates.keys, 1):
        if (member.verification, member.encryption) == (keys.verification, keys.encryption):
            return index
    raise TrusteesRefused("none of the certificates is of this key")


def _share_text(coefficients: Sequence[int], index: int) -> str:
    value = sum(number * pow(index, degree) for degree, number in enumerate(coefficients))
    return strict_json.encode(_Share(group.encode_scalar(value))).decode()


def _require_own(keys: Keys, sealed: str, commitments: Sequence[Point]) -> None:
    # Nobody must be able to put another polynomial in this member's place: not even its maker.
    text = channel.receive(keys, keys.verification, sealed)
    own = strict_json.decode_canonical(text.encode(), _COEFFICIENTS, max_bytes=MAX_SECRET_BYTES)
    numbers = [group.parse_scalar(number) for number in own.polynomial]
    if [group.multiply_base(number) for number in numbers] != list(commitments):
        raise ProofRefused("the commitments under this key aren't to its own polynomial")


def _received_share(
    keys: Keys, sender: CertifiedKeys, index: int, sealed: str, commitments: Sequence[Point]
) -> int:
    text = channel.receive(keys, sender.verification, sealed)
    share = strict_json.decode_canonical(text.encode(), _SHARE, max_bytes=MAX_SECRET_BYTES)
    number = group.parse_scalar(share.secret)
    if group.multiply_base(number) != committee.value_at(index, commitments):
        raise ProofRefused(
            f"the share by member {sender.context.index} doesn't fit what they committed to"
        )
    return number
