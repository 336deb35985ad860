"""The voter's proof that the code is in hand."""

from collections.abc import Callable

import msgspec
import pytest

from ballots import group, proof_of_code
from ballots.errors import BallotError, InvalidBinding, InvalidPoint, ProofRefused
from ballots.proof_of_code import CodeProof

UUID, SESSION, NONCE = "78jtVeEwZkgRBC", "session-1", "ab" * 32


@pytest.fixture
def offered(two_answers, randomness: Callable):
    pair = two_answers.credentials[0]
    return pair, proof_of_code.prove(pair, UUID, SESSION, NONCE, randomness("offered"))


def test_a_proof_holds_where_it_was_made(offered) -> None:
    """The right credential, election, session and nonce are accepted."""
    pair, proof = offered
    proof_of_code.verify(pair.public, UUID, SESSION, NONCE, proof)


@pytest.mark.parametrize(
    "bound",
    [
        ("uEujY6RbKbBqMn", SESSION, NONCE),
        (UUID, "session-2", NONCE),
        (UUID, SESSION, "ac" * 32),
        (UUID, NONCE, SESSION),
    ],
)
def test_a_proof_is_worth_nothing_elsewhere(offered, bound: tuple[str, str, str]) -> None:
    """A proof that was overheard can't be used in another election, session or attempt."""
    pair, proof = offered
    with pytest.raises(ProofRefused):
        proof_of_code.verify(pair.public, *bound, proof)


def test_a_proof_is_no_proof_of_another_credential(offered, two_answers) -> None:
    """Knowing one code proves nothing about another's."""
    _, proof = offered
    with pytest.raises(ProofRefused):
        proof_of_code.verify(two_answers.credentials[1].public, UUID, SESSION, NONCE, proof)


def test_every_changed_digit_is_refused(offered) -> None:
    """Challenge and response are both needed, digit by digit."""
    pair, proof = offered
    for name in ("challenge", "response"):
        text = getattr(proof, name)
        for at, digit in enumerate(text):
            other = text[:at] + str((int(digit) + 1) % 10) + text[at + 1 :]
            with pytest.raises(BallotError):
                changed = msgspec.structs.replace(proof, **{name: other})
                proof_of_code.verify(pair.public, UUID, SESSION, NONCE, changed)


@pytest.mark.parametrize("bad", ["", "a|b", "a b", "ä", "x" * 129, "a\n"])
def test_ambiguous_bindings_are_refused(offered, bad: str) -> None:
    """No value may hold the bar that separates what is hashed."""
    pair, proof = offered
    for bound in ((bad, SESSION, NONCE), (UUID, bad, NONCE), (UUID, SESSION, bad)):
        with pytest.raises(InvalidBinding):
            proof_of_code.verify(pair.public, *bound, proof)


def test_the_identity_proves_nothing() -> None:
    """Everybody could make that proof: its challenge is the hash of g^response."""
    identity = group.encode_point(group.IDENTITY)
    prefix = f"castonce-code|{UUID}|{SESSION}|{NONCE}|{identity}|"
    challenge = group.hash_to_scalar(prefix + group.encode_point(group.multiply_base(5)))
    with pytest.raises(InvalidPoint):
        proof_of_code.verify(
            identity, UUID, SESSION, NONCE, CodeProof(group.encode_scalar(challenge), "5")
        )


def test_two_proofs_never_share_their_randomness(two_answers, randomness: Callable) -> None:
    """Two proofs with one commitment would reveal the private credential."""
    pair, randbytes = two_answers.credentials[0], randomness("twice")
    first = proof_of_code.prove(pair, UUID, SESSION, NONCE, randbytes)
    second = proof_of_code.prove(pair, UUID, SESSION, NONCE, randbytes)
    assert first != second
