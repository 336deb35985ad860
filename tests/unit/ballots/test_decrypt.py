"""From ballots to counts."""

from collections.abc import Callable

import msgspec
import pytest

from ballots import ballot, decrypt, group, tally, trustee, trustees
from ballots.answers import Ciphertext
from ballots.decrypt import PartialDecryption
from ballots.election import Question
from ballots.errors import (
    BallotError,
    InvalidPoint,
    InvalidScalar,
    Malformed,
    NotCanonical,
    ProofRefused,
    TallyRefused,
    WrongShape,
)
from ballots.proofs import Proof
from ballots.trustees import Trustees


@pytest.mark.parametrize("name", ["two_answers", "mixed_questions"])
def test_the_trustees_keys_open_the_archives_result(request, name: str, whole_result) -> None:
    """Decrypting with the private keys gives the published counts."""
    vector = request.getfixturevalue(name)
    assert decrypt.encode_result(whole_result(vector)) == vector.result


@pytest.mark.parametrize("name", ["two_answers", "mixed_questions", "committee"])
def test_the_archives_partial_decryptions_verify_and_combine(request, name: str) -> None:
    """What belenios-tool's trustees published proves itself to us, each under its own key only."""
    vector = request.getfixturevalue(name)
    totals = tally.parse(vector.election, vector.encrypted_tally)
    crew = trustees.parse(vector.trustees)
    published = zip(vector.owners, vector.partial_decryptions, strict=True)
    partials = {owner: decrypt.parse_partial(raw) for owner, raw in published}
    for owner, partial in partials.items():
        decrypt.verify_partial(vector.election, totals, crew.public_key(owner), partial)
        for other in set(range(1, len(crew.owners) + 1)) - {owner}:
            with pytest.raises(ProofRefused):
                decrypt.verify_partial(vector.election, totals, crew.public_key(other), partial)
    counts = decrypt.combine(crew, totals, partials, vector.weight)
    assert decrypt.encode_result(counts) == vector.result
    assert decrypt.parse_result(vector.election, vector.result) == counts


def test_every_changed_digit_of_a_partial_decryption_is_refused(mixed_questions) -> None:
    """A trustee can't shift a result without the proof showing it."""
    vector = mixed_questions
    totals = tally.of_ballots(vector.election, vector.ballots)
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


P = 2**255 - 19


@pytest.mark.parametrize("number", [1, P - 1, 0, P + 1, 2, 2**256 - 1])
def test_a_factor_outside_the_group_is_refused(mixed_questions, number: int) -> None:
    """Identity, small order, not canonical, not on the curve: nothing of it reaches a result."""
    totals, key, whole = _published(mixed_questions)
    false = _with_factor(whole, f"{number:064x}")
    with pytest.raises(ProofRefused if number == 1 else InvalidPoint):
        decrypt.verify_partial(mixed_questions.election, totals, key, false)


def test_a_factor_with_torsion_is_refused_although_its_proof_would_hold(
    make_booth: Callable, randomness: Callable
) -> None:
    """A point of order two added to it vanishes from the equation of an even challenge."""
    booth = make_booth(Question(answers=("A",), min=0, max=1, question="?"))
    cast = ballot.seal(booth.election, booth.credential, [[1]], randomness("torsion"))
    totals = tally.of_ballots(booth.election, [cast])
    order_two = group.Unchecked((P - 1).to_bytes(32, "little"))
    for attempt in range(64):
        made = decrypt.partial_decryption(
            booth.election, totals, booth.private_key, randomness(f"torsion {attempt}")
        )
        if int(made.decryption_proofs[0][0].challenge) % 2 == 0:
            break
    factor = group.decode_point(made.decryption_factors[0][0])
    tainted = _with_factor(made, group.add_unchecked(factor, order_two)[::-1].hex())
    key = booth.election.public_key
    decrypt.verify_partial(booth.election, totals, key, made)
    with pytest.raises(InvalidPoint):
        decrypt.verify_partial(booth.election, totals, key, tainted)


def test_scalars_out_of_range_prove_nothing(mixed_questions) -> None:
    """A response increased by the group order satisfies the same equation; it is refused."""
    totals, key, whole = _published(mixed_questions)
    first = whole.decryption_proofs[0][0]
    for name in ("challenge", "response"):
        larger = str(int(getattr(first, name)) + group.ORDER)
        proof = msgspec.structs.replace(first, **{name: larger})
        rows = [[proof, *whole.decryption_proofs[0][1:]], *whole.decryption_proofs[1:]]
        false = msgspec.structs.replace(whole, decryption_proofs=rows)
        with pytest.raises(InvalidScalar):
            decrypt.verify_partial(mixed_questions.election, totals, key, false)


def test_a_partial_decryption_of_another_election_is_refused(
    make_booth: Callable, randomness: Callable
) -> None:
    """The same trustee's factor for one ciphertext proves nothing under another fingerprint."""
    booth = make_booth(Question(answers=("A",), min=0, max=1, question="?"))
    totals = tally.nothing(booth.election)
    made = decrypt.partial_decryption(
        booth.election, totals, booth.private_key, randomness("other")
    )
    other = msgspec.structs.replace(booth.election, fingerprint="another")
    with pytest.raises(ProofRefused):
        decrypt.verify_partial(other, totals, booth.election.public_key, made)


def test_a_partial_decryption_of_another_shape_is_refused(two_answers) -> None:
    """Every ciphertext needs its factor and its proof."""
    vector = two_answers
    totals = tally.of_ballots(vector.election, vector.ballots)
    key = trustee.verify_key(vector.trustee_keys[0]).public_key
    whole = decrypt.parse_partial(vector.partial_decryptions[0])
    for name in ("decryption_factors", "decryption_proofs"):
        for rows in ([], [getattr(whole, name)[0][:1]], getattr(whole, name) * 2):
            with pytest.raises(WrongShape):
                short = msgspec.structs.replace(whole, **{name: rows})
                decrypt.verify_partial(vector.election, totals, key, short)


def test_an_election_without_ballots_has_zeros(make_booth, randomness: Callable) -> None:
    """Nobody voted: the totals are the identity and the counts zero, without a crash."""
    booth = make_booth(Question(answers=("A", "B"), blank=True, min=1, max=1, question="?"))
    assert decrypt.decrypt(booth.election, [], booth.private_key, randomness("none")) == [[0, 0, 0]]


def test_a_total_above_the_number_of_ballots_is_refused(crew, partial) -> None:
    """A count can't be larger than the number of ballots, nor negative."""
    generator = group.encode_point(group.GENERATOR)
    identity = group.encode_point(group.IDENTITY)
    minus = group.encode_point(group.multiply_base(-1))
    for beta in (generator, minus):
        with pytest.raises(TallyRefused):
            decrypt.combine(crew, [[Ciphertext(identity, beta)]], {1: partial}, 0)
    assert decrypt.combine(crew, [[Ciphertext(identity, generator)]], {1: partial}, 1) == [[1]]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 99, 100, 101])
def test_every_count_up_to_the_number_of_ballots_is_found(crew, partial, count: int) -> None:
    """The logarithm works at the edges of its steps."""
    identity = group.encode_point(group.IDENTITY)
    totals = [[Ciphertext(identity, group.encode_point(group.multiply_base(count)))]]
    for ballots in {count, count + 1, 101}:
        assert decrypt.combine(crew, totals, {1: partial}, ballots) == [[count]]


def test_the_wrong_private_key_gives_no_result(make_booth, randomness: Callable) -> None:
    """A wrong key is noticed before anything is announced."""
    booth = make_booth(Question(answers=("A", "B"), min=1, max=1, question="?"))
    cast = ballot.seal(booth.election, booth.credential, [[1, 0]], randomness("cast"))
    with pytest.raises(ProofRefused):
        decrypt.decrypt(booth.election, [cast], booth.private_key + 1, randomness("wrong"))


def test_a_result_of_another_shape_is_refused(two_answers) -> None:
    """A count per question and choice, none below zero, in one spelling."""
    for raw, refusal in (
        (b'{"result":[[100]]}', WrongShape),
        (b'{"result":[[100,100],[0]]}', WrongShape),
        (b'{"result":[[-1,201]]}', Malformed),
        (b'{"result":[[100,1e2]]}', Malformed),
        (b'{"result": [[100,100]]}', NotCanonical),
    ):
        with pytest.raises(refusal):
            decrypt.parse_result(two_answers.election, raw)


@pytest.fixture
def crew(randomness: Callable) -> Trustees:
    """One trustee."""
    _, key = trustee.generate(randomness("crew"))
    return trustees.parse(trustees.encode([key]))


@pytest.fixture
def partial() -> PartialDecryption:
    """Of a ciphertext whose α is the identity: the factor is the identity under every key."""
    return PartialDecryption([[group.encode_point(group.IDENTITY)]], [[Proof("0", "0")]])


def _published(vector) -> tuple[tally.EncryptedTally, str, PartialDecryption]:
    """The tally, the trustee's key and their partial decryption."""
    totals = tally.parse(vector.election, vector.encrypted_tally)
    return totals, vector.election.public_key, decrypt.parse_partial(vector.partial_decryptions[0])


def _with_factor(whole: PartialDecryption, point: str) -> PartialDecryption:
    first, *others = whole.decryption_factors
    return msgspec.structs.replace(whole, decryption_factors=[[point, *first[1:]], *others])
