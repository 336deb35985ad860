"""Ballots made by someone who knows the protocol and has a credential."""

import json
from collections.abc import Callable

import msgspec
import pytest
from nacl import bindings as sodium

from ballots import answers, ballot, group, proofs, strict_json
from ballots.answers import Answer, Ciphertext, Context
from ballots.ballot import UnsignedBallot
from ballots.credentials import Credential
from ballots.election import Question
from ballots.errors import (
    BallotError,
    InvalidChoices,
    InvalidPoint,
    InvalidScalar,
    Malformed,
    ProofRefused,
    SignatureRefused,
    TooLarge,
    WrongElection,
    WrongShape,
)
from ballots.proofs import Opening, Proof
from shared.testing.promises import promise

TWO = Question(answers=("A", "B"), min=1, max=1, question="?")
# The point (0, -1), of order two: an even exponent makes it vanish.
MINUS_ONE = (2**255 - 20).to_bytes(32, "little")


@pytest.fixture
def booth(make_booth):
    return make_booth(TWO)


def context_of(booth) -> Context:
    return Context(booth.election.key, f"{booth.election.fingerprint}|{booth.credential.public}")


def signed(booth, sealed: list[Answer], randbytes) -> bytes:
    unsigned = UnsignedBallot(
        booth.election.uuid, booth.election.fingerprint, booth.credential.public, sealed
    )
    return strict_json.encode(ballot.sign(unsigned, booth.credential, randbytes))


def stuffed(booth, plaintexts: list[int], randbytes) -> Answer:
    """An answer with any plaintexts, its proofs made as if the nearest allowed ones were in it."""
    key, prefix = context_of(booth)
    openings = [Opening(group.random_scalar(randbytes), number) for number in plaintexts]
    choices = [answers._encrypt(key, opening) for opening in openings]
    individual = [
        proofs.prove_one_is_zero(
            key,
            f"prove|{prefix}|{choice.alpha},{choice.beta}|",
            [opening._replace(plaintext=0), opening._replace(plaintext=-1)],
            randbytes,
        )
        for opening, choice in zip(openings, choices, strict=True)
    ]
    total = answers._opening_sum(openings)
    sums = answers._encrypt(key, total)
    bound = ",".join(f"{choice.alpha},{choice.beta}" for choice in choices)
    overall = proofs.prove_one_is_zero(
        key,
        f"prove|{prefix}|{bound}|{sums.alpha},{sums.beta}|",
        [total._replace(plaintext=0)],
        randbytes,
    )
    return Answer(choices, individual, overall)


@promise("P1", "P9")
@pytest.mark.parametrize("plaintexts", [[5, -4], [2, -1], [100, 0], [0, 0], [1, 1], [-1, 2]])
def test_more_or_less_than_one_vote_is_refused(booth, plaintexts, randomness: Callable) -> None:
    """Nobody can add a hundred votes, take one away, or vote for two."""
    randbytes = randomness("stuffed")
    with pytest.raises(ProofRefused):
        ballot.verify(
            booth.election, signed(booth, [stuffed(booth, plaintexts, randbytes)], randbytes)
        )


def tainted_answer(booth, randbytes, *, taint_alpha: bool, taint_beta: bool) -> Answer:
    """A right answer whose first ciphertext has a point of order two added.

    Its proofs are ground until every challenge is even: the equations then hold, so that only the
    subgroup check stands in the way.
    """
    key, prefix = context_of(booth)
    openings = [Opening(group.random_scalar(randbytes), number) for number in (1, 0)]
    honest = [answers._encrypt(key, opening) for opening in openings]
    choices = [_tainted(honest[0], taint_alpha, taint_beta), honest[1]]
    individual = [
        _ground(
            key,
            f"prove|{prefix}|{choice.alpha},{choice.beta}|",
            [opening, opening._replace(plaintext=opening.plaintext - 1)],
            randbytes,
        )
        for opening, choice in zip(openings, choices, strict=True)
    ]
    total = answers._opening_sum(openings)
    sums = _tainted(answers._encrypt(key, total), taint_alpha, taint_beta)
    bound = ",".join(f"{choice.alpha},{choice.beta}" for choice in choices)
    overall_prefix = f"prove|{prefix}|{bound}|{sums.alpha},{sums.beta}|"
    overall = _ground(key, overall_prefix, [total._replace(plaintext=0)], randbytes)
    return Answer(choices, individual, overall)


def _tainted(ciphertext: Ciphertext, alpha: bool, beta: bool) -> Ciphertext:
    def add_torsion(text: str) -> str:
        return sodium.crypto_core_ed25519_add(group.decode_point(text), MINUS_ONE)[::-1].hex()

    return Ciphertext(
        add_torsion(ciphertext.alpha) if alpha else ciphertext.alpha,
        add_torsion(ciphertext.beta) if beta else ciphertext.beta,
    )


def _ground(key, prefix: str, openings: list[Opening], randbytes) -> list[Proof]:
    while True:
        made = proofs.prove_one_is_zero(key, prefix, openings, randbytes)
        if all(int(proof.challenge) % 2 == 0 for proof in made):
            return made


@pytest.mark.parametrize(("alpha", "beta"), [(True, False), (False, True), (True, True)])
def test_torsion_is_refused_where_the_proofs_would_hold(
    booth, alpha: bool, beta: bool, randomness: Callable
) -> None:
    """A ciphertext outside the prime-order group could make the result undecryptable."""
    randbytes = randomness("tainted")
    answer = tainted_answer(booth, randbytes, taint_alpha=alpha, taint_beta=beta)
    with pytest.raises(InvalidPoint):
        ballot.verify(booth.election, signed(booth, [answer], randbytes))


def test_the_same_answer_without_torsion_is_accepted(booth, randomness: Callable) -> None:
    """The attack above fails for its points only."""
    randbytes = randomness("tainted")
    answer = tainted_answer(booth, randbytes, taint_alpha=False, taint_beta=False)
    ballot.verify(booth.election, signed(booth, [answer], randbytes))


def test_a_tainted_credential_is_refused_although_it_signs(booth, randomness: Callable) -> None:
    """One code can't have eight credentials: torsion added to a credential is refused."""
    randbytes = randomness("credential")
    tainted = sodium.crypto_core_ed25519_add(group.decode_point(booth.credential.public), MINUS_ONE)
    pair = Credential(booth.credential.private, tainted[::-1].hex())
    challenge = 1
    while challenge % 2:
        raw = ballot.seal(booth.election, pair, [[0, 1]], randbytes)
        challenge = int(json.loads(raw)["signature"]["proof"]["challenge"])
    with pytest.raises(InvalidPoint):
        ballot.verify(booth.election, raw)


@promise("P8")
def test_the_identity_cannot_vote(booth, randomness: Callable) -> None:
    """Everybody could sign as the identity."""
    pair = Credential(0, group.encode_point(group.IDENTITY))
    raw = ballot.seal(booth.election, pair, [[0, 1]], randomness("identity"))
    with pytest.raises(InvalidPoint):
        ballot.verify(booth.election, raw)


def test_false_points_are_refused_at_every_place_of_a_ballot(booth, randomness: Callable) -> None:
    """Small order, non-canonical and off-curve encodings, signed again by the voter."""
    randbytes = randomness("false points")
    sealed = ballot.parse(ballot.seal(booth.election, booth.credential, [[0, 1]], randbytes))
    false = ["0" * 64, "f" * 64, f"{2**255 - 20:064x}", f"{2**255 - 18:064x}", f"{2:064x}"]
    false += [
        f"{1 | 1 << 255:064x}",
        "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
    ]
    answer = sealed.answers[0]
    for text in false:
        for name in ("alpha", "beta"):
            for at in range(2):
                choices = list(answer.choices)
                choices[at] = msgspec.structs.replace(choices[at], **{name: text})
                wrong = msgspec.structs.replace(answer, choices=choices)
                with pytest.raises(InvalidPoint):
                    ballot.verify(booth.election, signed(booth, [wrong], randbytes))


def test_false_scalars_are_refused_at_every_place_of_a_ballot(booth, randomness: Callable) -> None:
    """A scalar plus the group order would give a second ballot with the same meaning."""
    randbytes = randomness("false scalars")
    sealed = ballot.parse(ballot.seal(booth.election, booth.credential, [[0, 1]], randbytes))
    answer = sealed.answers[0]
    for name in ("challenge", "response"):
        text = str(int(getattr(answer.overall_proof[0], name)) + group.ORDER)
        proof = msgspec.structs.replace(answer.overall_proof[0], **{name: text})
        wrong = msgspec.structs.replace(answer, overall_proof=[proof])
        with pytest.raises((InvalidScalar, Malformed)):
            ballot.verify(booth.election, signed(booth, [wrong], randbytes))


def test_a_ballot_of_another_election_is_refused(make_booth, randomness: Callable) -> None:
    """Neither another uuid nor another text of the same election takes a ballot over."""
    one, other = make_booth(TWO), make_booth(TWO, seed="other")
    raw = ballot.seal(one.election, one.credential, [[0, 1]], randomness("wrong"))
    with pytest.raises(WrongElection):
        ballot.verify(other.election, raw)
    respelt = msgspec.structs.replace(one.election, fingerprint=other.election.fingerprint)
    with pytest.raises(WrongElection):
        ballot.verify(respelt, raw)


def test_a_proof_does_not_move_to_another_credential(make_booth, randomness: Callable) -> None:
    """Copying someone's sealed answer under one's own credential is refused: votes stay secret."""
    booth, copier = make_booth(TWO), Credential(99, group.encode_point(group.multiply_base(99)))
    randbytes = randomness("copy")
    victim = ballot.parse(ballot.seal(booth.election, booth.credential, [[0, 1]], randbytes))
    unsigned = UnsignedBallot(
        booth.election.uuid, booth.election.fingerprint, copier.public, victim.answers
    )
    raw = strict_json.encode(ballot.sign(unsigned, copier, randbytes))
    with pytest.raises(ProofRefused):
        ballot.verify(booth.election, raw)


@promise("P8")
def test_somebody_elses_signature_is_refused(booth, randomness: Callable) -> None:
    """Knowing a public credential isn't enough to vote with it."""
    randbytes = randomness("thief")
    thief = Credential(99, booth.credential.public)
    with pytest.raises(SignatureRefused):
        ballot.verify(booth.election, ballot.seal(booth.election, thief, [[0, 1]], randbytes))


def test_wrong_numbers_of_answers_and_proofs_are_refused(make_booth, randomness: Callable) -> None:
    """An answer too many, or a blank proof where no blank vote is allowed."""
    booth = make_booth(TWO)
    randbytes = randomness("shape")
    answer = ballot.parse(
        ballot.seal(booth.election, booth.credential, [[0, 1]], randbytes)
    ).answers[0]
    blank = msgspec.structs.replace(answer, blank_proof=answer.individual_proofs[0])
    empty = msgspec.structs.replace(answer, overall_proof=[])
    for sealed in ([], [answer, answer], [blank], [empty]):
        with pytest.raises(WrongShape):
            ballot.verify(booth.election, signed(booth, sealed, randbytes))


@pytest.mark.parametrize(
    "raw", [b"", b"null", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"a":' * 40_000]
)
def test_rubbish_is_malformed(booth, raw: bytes) -> None:
    """What is no ballot at all is refused without falling over."""
    for read in (ballot.peek, lambda raw: ballot.verify(booth.election, raw)):
        with pytest.raises(Malformed):
            read(raw)


def test_an_oversized_ballot_is_not_even_parsed(booth) -> None:
    """The length is looked at first, so that rubbish costs nothing."""
    with pytest.raises(TooLarge):
        ballot.peek(b" " * (ballot.MAX_BALLOT_BYTES + 1))


def test_a_zero_challenge_or_response_does_not_crash(booth, randomness: Callable) -> None:
    """libsodium refuses a zero exponent; a ballot with one is judged by its proof."""
    randbytes = randomness("zero")
    answer = ballot.parse(
        ballot.seal(booth.election, booth.credential, [[0, 1]], randbytes)
    ).answers[0]
    for challenge, response in (("0", "0"), ("0", "1"), ("1", "0")):
        wrong = msgspec.structs.replace(answer, overall_proof=[Proof(challenge, response)])
        with pytest.raises(ProofRefused):
            ballot.verify(booth.election, signed(booth, [wrong], randbytes))


@pytest.mark.parametrize(
    "choices",
    [
        [],
        [[1, 0], [1, 0]],
        [[1]],
        [[1, 0, 0]],
        [[0, 0]],
        [[1, 1]],
        [[2, -1]],
        [[2, 0]],
    ],
)
def test_what_is_not_allowed_cannot_be_sealed(booth, choices, randomness: Callable) -> None:
    """An honest client tells the voter before anything is sent."""
    with pytest.raises(InvalidChoices):
        ballot.seal(booth.election, booth.credential, choices, randomness("choices"))


def test_a_blank_vote_chooses_nobody(make_booth, randomness: Callable) -> None:
    """Blank and a candidate together can't be sealed, nor nothing at all."""
    booth = make_booth(Question(answers=("A", "B"), blank=True, min=1, max=2, question="?"))
    for choices in ([[1, 1, 0]], [[0, 0, 0]], [[1, 1, 1]]):
        with pytest.raises(InvalidChoices):
            ballot.seal(booth.election, booth.credential, choices, randomness("blank"))


def test_refusals_are_told_apart_by_their_codes() -> None:
    """Each kind of error has a code of its own, for machines."""
    kinds, found = [BallotError], []
    while kinds:
        kind = kinds.pop()
        found.append(kind.code)
        kinds += kind.__subclasses__()
    assert len(found) == len(set(found)) >= 15
