"""Messages among the members of a committee of trustees."""

import json
from collections.abc import Callable

import pytest

from ballots import channel, group
from ballots.errors import (
    BallotError,
    InvalidPoint,
    Malformed,
    NotCanonical,
    SealBroken,
    SignatureRefused,
)


def test_a_message_arrives_at_its_recipient_only(randomness: Callable) -> None:
    """The recipient reads it; others can't, and nobody takes it for another sender's."""
    randbytes = randomness("message")
    ann, bob, eve = (channel.keys_of(channel.new_seed(randbytes)) for _ in range(3))
    sent = channel.send(ann, bob.encryption, "Grüße", randbytes)
    assert channel.receive(bob, ann.verification, sent) == "Grüße"
    with pytest.raises(SealBroken):
        channel.receive(eve, ann.verification, sent)
    with pytest.raises(SignatureRefused):
        channel.receive(bob, eve.verification, sent)


def test_a_message_can_not_be_sealed_anew_for_somebody_else(randomness: Callable) -> None:
    """Who read a message can't pass it on as if it had been written to another."""
    randbytes = randomness("forwarded")
    ann, bob, eve = (channel.keys_of(channel.new_seed(randbytes)) for _ in range(3))
    sent = channel.send(ann, bob.encryption, "for Bob", randbytes)
    inner = channel._unseal(bob, sent)
    forwarded = channel._seal(group.parse_point(eve.encryption), inner, randbytes)
    text = channel.strict_json.encode(forwarded).decode()
    with pytest.raises(SealBroken):
        channel.receive(eve, ann.verification, text)


def test_every_changed_digit_of_a_message_is_refused(randomness: Callable) -> None:
    """Points, algorithm, content and tag."""
    randbytes = randomness("digits")
    keys = channel.keys_of(channel.new_seed(randbytes))
    sent = channel.send(keys, keys.encryption, "me", randbytes)
    for at in range(0, len(sent), 7):
        if sent[at].isdigit():
            changed = sent[:at] + str((int(sent[at]) + 1) % 10) + sent[at + 1 :]
            with pytest.raises(BallotError):
                channel.receive(keys, keys.verification, changed)


def test_a_message_of_another_algorithm_is_refused(randomness: Callable) -> None:
    """Earlier versions of Belenios used another cipher, without this name."""
    randbytes = randomness("algorithm")
    keys = channel.keys_of(channel.new_seed(randbytes))
    sent = json.loads(channel.send(keys, keys.encryption, "me", randbytes))
    del sent["algorithm"]
    with pytest.raises(Malformed):
        channel.receive(keys, keys.verification, json.dumps(sent, separators=(",", ":")))


def test_a_key_outside_the_group_signs_nothing(randomness: Callable) -> None:
    """Under the identity everybody's signature would hold."""
    proof = channel.sign(channel.Keys(0, 0, "", ""), "text", randomness("identity"))
    with pytest.raises(InvalidPoint):
        channel.require_signed(group.encode_point(group.IDENTITY), "text", proof)


def test_a_seed_reads_back_from_its_file(randomness: Callable) -> None:
    """22 characters, with belenios-tool's newline or without; nothing else."""
    seed = channel.new_seed(randomness("seed"))
    assert channel.parse_seed(seed.encode()) == channel.parse_seed(f"{seed}\n".encode()) == seed
    for raw in (seed[:-1], seed + "a", "0" + seed[1:], seed + "\n\n", "", "é" + seed[1:]):
        with pytest.raises(Malformed):
            channel.parse_seed(raw.encode())


def test_keys_show_nothing_secret(randomness: Callable) -> None:
    """What is printed of them by accident is public."""
    keys = channel.keys_of(channel.new_seed(randomness("repr")))
    assert str(keys.signing) not in repr(keys)
    assert str(keys.reading) not in repr(keys)


def test_a_message_has_one_spelling(randomness: Callable) -> None:
    """White space makes it another text, which is refused."""
    randbytes = randomness("spelling")
    keys = channel.keys_of(channel.new_seed(randbytes))
    sent = channel.send(keys, keys.encryption, "me", randbytes)
    with pytest.raises(NotCanonical):
        channel.receive(keys, keys.verification, sent.replace(":", ": ", 1))
