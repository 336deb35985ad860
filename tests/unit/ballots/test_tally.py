"""The sum of the ballots."""

import json
from collections.abc import Callable

import pytest

from ballots import ballot, group, tally
from ballots.answers import Ciphertext
from ballots.election import Question
from ballots.errors import (
    BallotError,
    DuplicateCredential,
    InvalidPoint,
    NotCanonical,
    WrongElection,
    WrongShape,
)
from shared.testing.promises import promise


@promise("P9")
@pytest.mark.parametrize("name", ["two_answers", "mixed_questions"])
def test_the_encrypted_tally_is_belenios_byte_for_byte(request, name: str) -> None:
    """Our sum of the ballots is the archive's."""
    vector = request.getfixturevalue(name)
    totals = tally.of_ballots(vector.election, vector.ballots)
    assert tally.encode(totals) == vector.encrypted_tally


@promise("P1")
def test_a_credential_is_counted_once(two_answers) -> None:
    """Belenios would let the last of several ballots count; a second one stops our tally."""
    first = two_answers.ballots[0]
    with pytest.raises(DuplicateCredential):
        tally.of_ballots(two_answers.election, [first, two_answers.ballots[1], first])


def test_ballots_of_another_election_are_not_counted(two_answers, mixed_questions) -> None:
    """A ballot belongs to one text of one election."""
    with pytest.raises(WrongElection):
        tally.of_ballots(two_answers.election, mixed_questions.ballots)


def test_a_point_outside_the_group_stops_the_tally(two_answers) -> None:
    """Sums would take it in silently: each point is checked again."""
    raw = two_answers.ballots[0]
    whole = json.loads(raw)
    alpha = whole["answers"][0]["choices"][1]["alpha"].encode()
    for false in (b"0" * 64, f"{2:064x}".encode(), f"{2**255 - 20:064x}".encode()):
        with pytest.raises(InvalidPoint):
            tally.of_ballots(two_answers.election, [raw.replace(alpha, false)])


def test_ballots_are_added_batch_by_batch(two_answers) -> None:
    """A running tally, kept as JSON between batches, ends as the tally of all at once."""
    kept = tally.encode(tally.nothing(two_answers.election))
    for start in range(0, 200, 37):
        totals = tally.parse(two_answers.election, kept)
        batch = two_answers.ballots[start : start + 37]
        kept = tally.encode(tally.add(two_answers.election, totals, batch))
    assert kept == two_answers.encrypted_tally


def test_a_sum_that_is_carried_on_is_the_tally(two_answers) -> None:
    """Without looking whether points are in the group, batch by batch, the sum is the same."""
    totals = tally.nothing(two_answers.election)
    for start in range(0, 200, 37):
        batch = two_answers.ballots[start : start + 37]
        totals = tally.carry_on(two_answers.election, totals, batch)
    assert tally.encode(totals) == two_answers.encrypted_tally


def test_whether_a_ballot_can_be_carried_on_does_not_depend_on_others(two_answers) -> None:
    """Two points outside the group whose sum is in it pass together as they do apart; who uses a
    sum reads it, and finds one that isn't in the group."""
    raw = two_answers.ballots[0]
    alpha = json.loads(raw)["answers"][0]["choices"][1]["alpha"]
    order_two = group.Unchecked((2**255 - 20).to_bytes(32, "little"))
    shifted = group.add_unchecked(group.decode_point(alpha), order_two)
    one = raw.replace(alpha.encode(), group.encode_point(shifted).encode())
    about, nothing = two_answers.election, tally.nothing(two_answers.election)
    with pytest.raises(InvalidPoint):
        tally.add(about, nothing, [one])
    alone = tally.carry_on(about, nothing, [one])
    with pytest.raises(InvalidPoint):
        tally.parse(about, tally.encode(alone))
    both = tally.carry_on(about, nothing, [one, one])
    assert tally.carry_on(about, alone, [one]) == both
    assert both == tally.add(about, nothing, [raw, raw])


def test_no_ballots_add_up_to_nothing(two_answers) -> None:
    """The tally of an election in which nobody voted is the identity everywhere."""
    nothing = tally.nothing(two_answers.election)
    assert tally.of_ballots(two_answers.election, []) == nothing
    assert tally.parse(two_answers.election, tally.encode(nothing)) == nothing


P = 2**255 - 19
OUTSIDE = {
    "not on the curve": 2,
    "of order four": 0,
    "of order two": P - 1,
    "identity, not canonical": 1 + P,
    "identity with a sign": 1 + 2**255,
    "of order two, with a sign": P - 1 + 2**255,
}


@pytest.mark.parametrize("number", OUTSIDE.values(), ids=OUTSIDE.keys())
@pytest.mark.parametrize("place", ["alpha", "beta"])
def test_a_point_outside_the_group_stops_a_batch(two_answers, number: int, place: str) -> None:
    """However a ballot came in: no total is ever made of what isn't in the group."""
    raw = two_answers.ballots[0]
    point = json.loads(raw)["answers"][0]["choices"][1][place].encode()
    ballots = [raw.replace(point, f"{number:064x}".encode()), two_answers.ballots[1]]
    with pytest.raises(InvalidPoint):
        tally.add(two_answers.election, tally.nothing(two_answers.election), ballots)


def test_a_point_with_torsion_stops_a_batch(two_answers) -> None:
    """A point of the curve outside the prime-order group, which additions would accept."""
    raw = two_answers.ballots[0]
    alpha = json.loads(raw)["answers"][0]["choices"][0]["alpha"]
    order_two = group.Unchecked((P - 1).to_bytes(32, "little"))
    tainted = group.add_unchecked(group.parse_point(alpha), order_two)
    ballots = [raw.replace(alpha.encode(), tainted[::-1].hex().encode()), two_answers.ballots[1]]
    with pytest.raises(InvalidPoint):
        tally.add(two_answers.election, tally.nothing(two_answers.election), ballots)


def test_a_tally_has_one_spelling_and_the_elections_shape(two_answers) -> None:
    """White space, missing and added slots, and points outside the group are refused."""
    read, raw = two_answers.election, two_answers.encrypted_tally
    slots = json.loads(raw)[0]
    false = raw.replace(slots[0]["beta"].encode(), f"{P - 1:064x}".encode())
    faults: list[tuple[bytes, type[BallotError]]] = [
        (raw.replace(b":", b": ", 1), NotCanonical),
        (_compact([slots[:1]]), WrongShape),
        (_compact([slots, slots]), WrongShape),
        (_compact([]), WrongShape),
        (false, InvalidPoint),
    ]
    for fault, refusal in faults:
        with pytest.raises(refusal):
            tally.parse(read, fault)


def test_totals_of_another_shape_take_no_ballots(two_answers) -> None:
    """A running tally of another election isn't continued."""
    one = group.encode_point(group.GENERATOR)
    with pytest.raises(WrongShape):
        tally.add(two_answers.election, [[Ciphertext(one, one)]], two_answers.ballots[:1])


def test_a_tally_of_ballots_without_randomness_is_legal(make_booth: Callable) -> None:
    """α may be the identity: the specification allows it, so a sum must not stumble."""
    booth = make_booth(Question(answers=("A", "B"), min=1, max=1, question="?"))
    raw = ballot.seal(booth.election, booth.credential, [[1, 0]], bytes)
    (totals,) = tally.of_ballots(booth.election, [raw])
    identity = group.encode_point(group.IDENTITY)
    assert [slot.alpha for slot in totals] == [identity, identity]


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
