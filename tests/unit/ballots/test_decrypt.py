"""From ballots to counts."""

import json
from collections.abc import Callable

import msgspec
import pytest

from ballots import ballot, decrypt, group, trustee
from ballots.answers import Ciphertext
from ballots.election import Question
from ballots.errors import (
    BallotError,
    DuplicateCredential,
    InvalidPoint,
    ProofRefused,
    TallyRefused,
    WrongElection,
    WrongShape,
)
from shared.testing.promises import promise


@promise("P9")
@pytest.mark.parametrize("name", ["two_answers", "mixed_questions"])
def test_the_encrypted_tally_is_belenios_byte_for_byte(request, name: str) -> None:
    """Our sum of the ballots is the archive's."""
    vector = request.getfixturevalue(name)
    totals = decrypt.tally(vector.election, vector.ballots)
    assert decrypt.encode_tally(totals) == vector.encrypted_tally


@pytest.mark.parametrize("name", ["two_answers", "mixed_questions"])
def test_the_trustees_keys_open_the_archives_result(request, name: str, whole_result) -> None:
    """Decrypting with the private keys gives the published counts."""
    vector = request.getfixturevalue(name)
    assert decrypt.encode_result(whole_result(vector)) == vector.result


@pytest.mark.parametrize("name", ["two_answers", "mixed_questions"])
def test_the_archives_partial_decryptions_verify_and_combine(request, name: str) -> None:
    """What belenios-tool's trustees published proves itself to us, each under its own key only."""
    vector = request.getfixturevalue(name)
    totals = decrypt.tally(vector.election, vector.ballots)
    partials = [decrypt.parse_partial(raw) for raw in vector.partial_decryptions]
    keys = [trustee.verify_key(raw).public_key for raw in vector.trustee_keys]
    for key, partial in zip(keys, partials, strict=True):
        decrypt.verify_partial(vector.election, totals, key, partial)
    if len(keys) > 1:
        with pytest.raises(ProofRefused):
            decrypt.verify_partial(vector.election, totals, keys[1], partials[0])
    counts = decrypt.combine(totals, partials, len(vector.ballots))
    assert decrypt.encode_result(counts) == vector.result


def test_every_changed_digit_of_a_partial_decryption_is_refused(mixed_questions) -> None:
    """A trustee can't shift a result without the proof showing it."""
    vector = mixed_questions
    totals = decrypt.tally(vector.election, vector.ballots)
    key = trustee.verify_key(vector.trustee_keys[0]).public_key
    raw = vector.partial_decryptions[0]
    changed = 0
    for at in range(0, len(raw), 37):
        if not chr(raw[at]).isdigit():
            continue
        other = raw[:at] + str((raw[at] - 47) % 10).encode() + raw[at + 1 :]
        with pytest.raises(BallotError):
            decrypt.verify_partial(vector.election, totals, key, decrypt.parse_partial(other))
        changed += 1
    assert changed > 20


def test_a_partial_decryption_of_another_shape_is_refused(two_answers) -> None:
    """Every ciphertext needs its factor and its proof."""
    vector = two_answers
    totals = decrypt.tally(vector.election, vector.ballots)
    key = trustee.verify_key(vector.trustee_keys[0]).public_key
    whole = decrypt.parse_partial(vector.partial_decryptions[0])
    for name in ("decryption_factors", "decryption_proofs"):
        for rows in ([], [getattr(whole, name)[0][:1]], getattr(whole, name) * 2):
            with pytest.raises(WrongShape):
                short = msgspec.structs.replace(whole, **{name: rows})
                decrypt.verify_partial(vector.election, totals, key, short)


@promise("P1")
def test_a_credential_is_counted_once(two_answers) -> None:
    """Belenios would let the last of several ballots count; a second one stops our tally."""
    first = two_answers.ballots[0]
    with pytest.raises(DuplicateCredential):
        decrypt.tally(two_answers.election, [first, two_answers.ballots[1], first])


def test_ballots_of_another_election_are_not_counted(two_answers, mixed_questions) -> None:
    """A ballot belongs to one text of one election."""
    with pytest.raises(WrongElection):
        decrypt.tally(two_answers.election, mixed_questions.ballots)


def test_a_point_outside_the_group_stops_the_tally(two_answers) -> None:
    """Sums would take it in silently: each point is checked again."""
    raw = two_answers.ballots[0]
    whole = json.loads(raw)
    alpha = whole["answers"][0]["choices"][1]["alpha"].encode()
    for false in (b"0" * 64, f"{2:064x}".encode(), f"{2**255 - 20:064x}".encode()):
        with pytest.raises(InvalidPoint):
            decrypt.tally(two_answers.election, [raw.replace(alpha, false)])


def test_an_election_without_ballots_has_zeros(make_booth, randomness: Callable) -> None:
    """Nobody voted: the totals are the identity and the counts zero, without a crash."""
    booth = make_booth(Question(answers=("A", "B"), blank=True, min=1, max=1, question="?"))
    assert decrypt.decrypt(booth.election, [], booth.private_key, randomness("none")) == [[0, 0, 0]]


def test_a_total_above_the_number_of_ballots_is_refused(two_answers) -> None:
    """A count can't be larger than the number of ballots, nor negative."""
    generator = group.encode_point(group.GENERATOR)
    identity = group.encode_point(group.IDENTITY)
    minus = group.encode_point(group.multiply_base(-1))
    for beta in (generator, minus):
        with pytest.raises(TallyRefused):
            decrypt.combine([[Ciphertext(identity, beta)]], [], 0)
    assert decrypt.combine([[Ciphertext(identity, generator)]], [], 1) == [[1]]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 99, 100, 101])
def test_every_count_up_to_the_number_of_ballots_is_found(count: int) -> None:
    """The logarithm works at the edges of its steps."""
    identity = group.encode_point(group.IDENTITY)
    beta = group.encode_point(group.multiply_base(count))
    for ballots in {count, count + 1, 101}:
        assert decrypt.combine([[Ciphertext(identity, beta)]], [], ballots) == [[count]]


def test_the_wrong_private_key_gives_no_result(make_booth, randomness: Callable) -> None:
    """A wrong key is noticed before anything is announced."""
    booth = make_booth(Question(answers=("A", "B"), min=1, max=1, question="?"))
    cast = ballot.seal(booth.election, booth.credential, [[1, 0]], randomness("cast"))
    with pytest.raises(ProofRefused):
        decrypt.decrypt(booth.election, [cast], booth.private_key + 1, randomness("wrong"))
