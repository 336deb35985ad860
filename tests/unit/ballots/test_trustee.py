"""Trustees' keys and their proofs."""

import json
from collections.abc import Callable

import pytest
from nacl import bindings as sodium

from ballots import group, trustee, trustees
from ballots.errors import (
    BallotError,
    InvalidPoint,
    InvalidScalar,
    Malformed,
    NotCanonical,
    TrusteesRefused,
)


def test_belenios_keys_verify_and_make_the_election_key(two_answers, mixed_questions) -> None:
    """The archive's key is the product of its trustees' keys, each with its private part."""
    for vector in (two_answers, mixed_questions):
        keys = [trustee.verify_key(raw) for raw in vector.trustee_keys]
        assert trustees.election_key(keys) == vector.election.public_key
        assert trustees.encode(keys) == vector.trustees
        for key, private in zip(keys, vector.private_keys, strict=True):
            assert key.public_key == group.encode_point(group.multiply_base(private))


def test_a_generated_key_verifies(randomness: Callable) -> None:
    """What a trustee makes offline is accepted, and its private file reads back."""
    private, key = trustee.generate(randomness("trustee"))
    assert trustee.verify_key(trustee.encode_key(key)) == key
    assert trustee.parse_private(trustee.encode_private(private) + b"\n") == private


def test_every_changed_digit_of_a_key_is_refused(randomness: Callable) -> None:
    """A key without its proof could be chosen to cancel the others."""
    _, key = trustee.generate(randomness("digits"))
    raw = trustee.encode_key(key)
    for at, byte in enumerate(raw):
        if chr(byte).isdigit():
            changed = raw[:at] + str((byte - 47) % 10).encode() + raw[at + 1 :]
            with pytest.raises(BallotError):
                trustee.verify_key(changed)


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: b" " + raw,
        lambda raw: raw + b"\n\n",
        lambda raw: raw.replace(b":", b": ", 1),
        lambda raw: (
            b'{"public_key":' + json.dumps(json.loads(raw)["public_key"]).encode() + b"," + raw[1:]
        ),
        lambda raw: json.dumps(
            dict(reversed(json.loads(raw).items())), separators=(",", ":")
        ).encode(),
        lambda raw: raw[:-1] + b',"alias":"x"}',
    ],
)
def test_a_key_has_one_spelling(randomness: Callable, change: Callable) -> None:
    """White space, order, repetition and additions are refused."""
    _, key = trustee.generate(randomness("spelling"))
    with pytest.raises((NotCanonical, Malformed)):
        trustee.verify_key(change(trustee.encode_key(key)))


def test_a_key_with_torsion_is_refused_although_its_proof_would_hold(randomness: Callable) -> None:
    """With an even challenge the point of order two vanishes from the proof's equation."""
    minus_one = (2**255 - 20).to_bytes(32, "little")
    private = 12345
    tainted = sodium.crypto_core_ed25519_add(group.multiply_base(private), minus_one)
    text = tainted[::-1].hex()
    randbytes = randomness("torsion")
    challenge = 1
    while challenge % 2:
        nonce = group.random_scalar(randbytes)
        commitment = group.encode_point(group.multiply_base(nonce))
        challenge = group.hash_to_scalar(f"pok|Ed25519|{text}|{commitment}")
    response = (nonce - private * challenge) % group.ORDER
    raw = json.dumps(
        {"pok": {"challenge": str(challenge), "response": str(response)}, "public_key": text},
        separators=(",", ":"),
    ).encode()
    with pytest.raises(InvalidPoint):
        trustee.verify_key(raw)


def test_the_identity_is_no_key(randomness: Callable) -> None:
    """Under it every ballot would be readable."""
    key = trustee.public_part(0, randomness("identity"))
    with pytest.raises(InvalidPoint):
        trustee.verify_key(trustee.encode_key(key))


@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        (b'"0"', NotCanonical),
        (b'"01"', InvalidScalar),
        (b'"' + str(group.ORDER).encode() + b'"', InvalidScalar),
        (b"1", Malformed),
        (b"", Malformed),
        (b'["1"]', Malformed),
    ],
)
def test_a_damaged_private_key_is_refused(raw: bytes, refusal: type[BallotError]) -> None:
    """A trustee learns at once that the file isn't the key."""
    with pytest.raises(refusal):
        trustee.parse_private(raw)


def test_an_election_needs_a_trustee() -> None:
    """No trustee, no key."""
    with pytest.raises(TrusteesRefused):
        trustees.election_key([])
    with pytest.raises(TrusteesRefused):
        trustees.parse(b"[]")
