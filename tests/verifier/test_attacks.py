"""Attacks on an election by those who take part in it, named after what they are.

Every archive here is whole: hashes, events, signatures and all that the attacker can make right is.
"""

import json
from typing import Any

import pytest

from ballots import group, trustee
from ballots.election import Question
from tests.verifier.elections import Poll, Tally, assemble, randomness, resigned
from tests.verifier.forge import (
    BELENIOS,
    Record,
    Rules,
    compact,
    entry_number,
    pack,
    refusal,
    replaced,
    verify,
)
from tests.verifier.mutations import ORDER, Path, changed, small_order_points, with_torsion
from tests.verifier.mutations import at as value_at

ELECTION, TRUSTEES, CREDENTIALS, SETUP, FIRST_BALLOT, SECOND_BALLOT = 0, 1, 2, 3, 5, 7


def fresh(seed: str, **settings: Any) -> Poll:
    """An election in which two of three have voted."""
    poll = Poll(seed, **settings)
    poll.cast(0, [1, 0])
    poll.cast(1, [0, 1])
    return poll


def require_refused(poll_records: list[Record], place: int, because: str) -> None:
    """The archive is refused by this entry for this reason."""
    refused = refusal(pack(poll_records))
    assert (entry_number(refused), because in refused.reason) == (place + 1, True), refused


def test_a_second_ballot_of_a_credential_is_refused() -> None:
    """We never let anybody vote twice, so a second ballot on the board is an attack."""
    poll = fresh("second")
    poll.cast(0, [0, 1])
    records = poll.records(poll.ballots[1:])
    require_refused(records, 9, "a second ballot")
    # Also where nobody said which rule is to be followed.
    assert "a second ballot" in refusal(pack(records), Rules()).reason


def test_an_earlier_ballot_may_not_count_instead_of_the_last() -> None:
    """Where voting again is allowed, the tally must have the last ballot."""
    poll = fresh("earlier")
    poll.cast(0, [0, 1])
    refused = refusal(pack(poll.records(poll.ballots[:2])), BELENIOS)
    assert "the encrypted tally" in refused.entry


def test_a_ballot_of_an_unlisted_credential_is_refused() -> None:
    """A key pair that anybody can make gives no vote."""
    poll = fresh("unlisted")
    poll.cast(poll.new_credential(), [1, 0])
    require_refused(poll.records(), 9, "who has no vote here")


def test_a_ballot_of_another_election_is_refused() -> None:
    """Also where voters and keys are the same."""
    poll, other = fresh("same"), fresh("same")
    other.seed = "other"
    poll.raw_election = other.build("Other")
    require_refused(poll.records(), FIRST_BALLOT, "another election")


def test_a_ballot_of_another_text_of_the_election_is_refused(small: list[Record]) -> None:
    """A candidate's name changed after the vote leaves every ballot without an election."""
    body = small[ELECTION].body.replace(b'"Yes"', b'"Nay"')
    require_refused(replaced(small, ELECTION, body), FIRST_BALLOT, "another text")


def copies(poll: Poll) -> dict[str, Any]:
    """The first voter's ballot under the third one's name."""
    first = json.loads(poll.ballots[0])
    answer = first["answers"][0]
    shifted = {
        "alpha": moved(answer["choices"][0]["alpha"], group.GENERATOR),
        "beta": moved(answer["choices"][0]["beta"], poll.election.key),
    }
    backwards = {name: answer[name][::-1] for name in ("choices", "individual_proofs")}
    return {
        "identical": first["answers"],
        "re-randomised": changed(first["answers"], (0, "choices", 0), shifted),
        "permuted": [answer | backwards],
    }


def moved(text: str, by: group.Point) -> str:
    """The product of two points."""
    return group.encode_point(group.add(group.parse_point(text), by))


@pytest.mark.parametrize("kind", ["identical", "re-randomised", "permuted"])
def test_a_copied_ballot_is_refused(kind: str) -> None:
    """Nobody can vote as somebody else did without knowing how: proofs are bound to the voter."""
    poll = fresh("copied")
    whole = json.loads(poll.ballots[0])
    whole |= {"credential": poll.voters[2].public, "answers": copies(poll)[kind]}
    poll.ballots.append(resigned(whole, poll.voters[2]))
    require_refused(poll.records(), 9, "a proof that doesn't hold")


def test_an_answer_that_its_question_forbids_is_refused() -> None:
    """Two candidates where one is the most, with proofs that hold for the other question."""
    poll = Poll(
        "wide",
        questions=[Question(answers=("A", "B"), min=1, max=most, question="?") for most in (1, 2)],
    )
    whole = json.loads(poll.cast(0, [1, 0], [1, 1]))
    whole["answers"].reverse()
    poll.ballots = [resigned(whole, poll.voters[0])]
    require_refused(poll.records(), FIRST_BALLOT, "has a list of 2 instead of 1")


POINTS: dict[str, tuple[int, Path]] = {
    "election's key": (ELECTION, ("public_key",)),
    "trustee's key": (TRUSTEES, (0, 1, "public_key")),
    "credential": (CREDENTIALS, (0,)),
    "ballot's credential": (FIRST_BALLOT, ("credential",)),
    "alpha": (FIRST_BALLOT, ("answers", 0, "choices", 0, "alpha")),
    "beta": (FIRST_BALLOT, ("answers", 0, "choices", 1, "beta")),
    "decryption factor": (-8, ("decryption_factors", 0, 1)),
}
SCALARS = {
    "proof of a key": (TRUSTEES, (0, 1, "pok")),
    "signature": (FIRST_BALLOT, ("signature", "proof")),
    "individual proof": (FIRST_BALLOT, ("answers", 0, "individual_proofs", 1, 0)),
    "overall proof": (FIRST_BALLOT, ("answers", 0, "overall_proof", 0)),
    "decryption proof": (-8, ("decryption_proofs", 0, 1)),
}


@pytest.mark.parametrize("where", POINTS)
def test_a_point_outside_the_group_is_refused(small: list[Record], poll: Poll, where: str) -> None:
    """Small order, a part of small order, off the curve, y >= p: through every parser."""
    at, path = POINTS[where]
    place = at % len(small)
    whole = json.loads(small[place].body)
    right = value_at(whole, path)
    texts = [right.upper(), "0x" + right[2:], right[:-1], right + "0", " " + right[1:]]
    wrong = dict.fromkeys(texts, "isn't 64 lower-case hex digits")
    points = (*small_order_points(), with_torsion(right), "2".zfill(64))
    for text, because in (wrong | dict.fromkeys(points, "a point outside the group")).items():
        value = changed(whole, path, text)
        body = resigned(value, poll.voters[0]) if place == FIRST_BALLOT else compact(value)
        require_refused(replaced(small, place, body), place, because)


@pytest.mark.parametrize("where", ["election's key", "trustee's key", "credential"])
def test_the_identity_is_nobody_s_key(small: list[Record], where: str) -> None:
    """Anybody knows its private key."""
    place, path = POINTS[where]
    body = compact(changed(json.loads(small[place].body), path, "1".zfill(64)))
    require_refused(replaced(small, place, body), place, "identity")


def test_a_ballot_by_the_identity_is_refused(small: list[Record]) -> None:
    """Its signature could be made by anybody."""
    body = compact(json.loads(small[FIRST_BALLOT].body) | {"credential": "1".zfill(64)})
    require_refused(replaced(small, FIRST_BALLOT, body), FIRST_BALLOT, "identity")


@pytest.mark.parametrize("where", SCALARS)
@pytest.mark.parametrize("part", ["challenge", "response"])
def test_an_exponent_in_another_spelling_is_refused(
    small: list[Record], poll: Poll, where: str, part: str
) -> None:
    """The same number plus the order, with zeros or a sign in front, or as a JSON number."""
    at, path = SCALARS[where]
    place = at % len(small)
    whole = json.loads(small[place].body)
    value = value_at(whole, (*path, part))
    others = (str(int(value) + ORDER), "0" + value, "+" + value, value + " ", "٣", int(value))
    for other in (*others, str(ORDER), "-1", "", "9" * 10_000):
        forged = changed(whole, (*path, part), other)
        body = resigned(forged, poll.voters[0]) if path[0] == "answers" else compact(forged)
        require_refused(replaced(small, place, body), place, "exponent")


def test_a_false_decryption_factor_is_refused(small: list[Record]) -> None:
    """A trustee can't shift a vote from one candidate to the other in the decryption."""
    place = len(small) - 8
    whole = json.loads(small[place].body)
    (first, second), *_ = whole["decryption_factors"]
    result = replaced(small, len(small) - 2, b'{"result":[[1,2]]}')
    for factors in ([[moved(first, group.GENERATOR), second]], [[second, first]]):
        forged = replaced(result, place, compact(whole | {"decryption_factors": factors}))
        require_refused(forged, place, "whose proof doesn't hold")


def test_partial_decryptions_in_another_order_hold(poll: Poll) -> None:
    """Which trustee is first doesn't matter, if each is named rightly."""
    assert verify(pack(with_decryptions(poll, [2, 1], [1, 0]))).result == [[2, 1]]


@pytest.mark.parametrize(
    ("owners", "parts", "because"),
    [
        ([1, 1], [0, 0], "a second time"),
        ([1, 2], [1, 0], "whose proof doesn't hold"),
        ([1], [0], "no partial decryption by trustee [2]"),
        ([], [], "no partial decryption by trustee [1]"),
        ([0, 1], [0, 1], "who isn't there"),
        ([1, 2, 3], [0, 1, 0], ""),
    ],
)
def test_each_trustee_decrypts_once(
    poll: Poll, owners: list[int], parts: list[int], because: str
) -> None:
    """No trustee may be left out, be named for another, or decrypt twice."""
    assert because in refusal(pack(with_decryptions(poll, owners, parts))).reason


def test_a_trustee_s_second_decryption_is_refused(poll: Poll) -> None:
    """Another one than the first, as good as it: neither may stand for an absent trustee."""
    first, second = poll.records(), poll.records()
    chosen = [(1, first[-8].body), (1, second[-8].body), (2, first[-5].body)]
    setup = [record.body for record in first[:3]]
    for some in (chosen[:2], chosen):
        tally = Tally(first[-11].body, 3, 3)
        forged = assemble(setup, poll.ballots, tally, some, first[-2].body)
        assert "names trustee 1 a second time" in refusal(pack(forged)).reason


def with_decryptions(poll: Poll, owners: list[int], parts: list[int]) -> list[Record]:
    """The election with these of its partial decryptions under these names."""
    records = poll.records()
    partials = [records[-8].body, records[-5].body]
    chosen = [(owner, partials[part]) for owner, part in zip(owners, parts, strict=True)]
    setup = [record.body for record in records[:3]]
    tally = Tally(records[-11].body, 3, 3)
    return assemble(setup, poll.ballots, tally, chosen, records[-2].body)


@pytest.mark.parametrize(
    "result", ["[[1,2]]", "[[2,2]]", "[[2]]", "[[2,1],[0]]", "[[4,1]]", "[[2,1.0]]", "[[true,1]]"]
)
def test_a_result_that_was_not_decrypted_is_refused(small: list[Record], result: str) -> None:
    """Not even one that is right in another type of number."""
    place = len(small) - 2
    refused = refusal(pack(replaced(small, place, b'{"result":%s}' % result.encode())))
    assert entry_number(refused) == place + 1


def test_a_tally_with_a_ballot_counted_twice_is_refused() -> None:
    """Decrypted rightly by all trustees; only the product of the ballots gives it away."""
    poll = fresh("twice")
    forged = poll.records([*poll.ballots, poll.ballots[0]])
    require_refused(forged, len(forged) - 11, "isn't the product")


def test_weight_tampering_is_refused() -> None:
    """A weight in the list that isn't the one in the tally, and weights that are no numbers."""
    poll = fresh("heavy", weights=(2, 1, 1))
    records = poll.records([poll.ballots[0], *poll.ballots])
    assert verify(pack(records)).result == [[2, 1]]
    lines = json.loads(records[CREDENTIALS].body)
    lighter = compact([lines[0].replace(",2", ",1"), *lines[1:]])
    forged = replaced(records, CREDENTIALS, lighter)
    require_refused(forged, len(records) - 11, "isn't the product")
    for weight in ("0", "-1", "01", "1.0", "", "1,1", " 1", "9" * 17):
        body = compact([lines[0].split(",")[0] + "," + weight, *lines[1:]])
        require_refused(replaced(records, CREDENTIALS, body), CREDENTIALS, "a weight that is no")


@pytest.mark.parametrize("place", [0, 249, 250, 599])
def test_each_credential_of_a_long_list_is_looked_at(small: list[Record], place: int) -> None:
    """Lists are shared between processes in pieces: none is left out, and no piece's end."""
    listed = [group.encode_point(group.multiply_base(secret)) for secret in range(1, 601)]
    outside = with_torsion(listed[place])
    changed = compact([*listed[:place], outside, *listed[place + 1 :]])
    refused = refusal(pack(replaced(small, CREDENTIALS, changed)))
    assert refused.reason == f"has a point outside the group: {outside}"
    assert entry_number(refused) == CREDENTIALS + 1


def test_a_credential_listed_twice_is_refused(small: list[Record]) -> None:
    """With another weight or with the same."""
    lines = json.loads(small[CREDENTIALS].body)
    for more in (lines[0], lines[0] + ",7"):
        body = compact([*lines, more])
        require_refused(replaced(small, CREDENTIALS, body), CREDENTIALS, "twice")


def test_a_late_trustee_can_not_choose_a_key_that_cancels_the_others() -> None:
    """The rogue key makes the election's key one whose private part the attacker knows."""
    poll = Poll("rogue")
    (_, honest), (private, late) = poll.keys
    own = group.multiply_base(private)
    rogue = group.encode_point(group.subtract(own, group.parse_point(honest.public_key)))
    trustees = [["Single", json.loads(trustee.encode_key(key))] for key in (honest, late)]
    trustees[1][1]["public_key"] = rogue  # type: ignore[index]
    election = json.loads(poll.raw_election) | {"public_key": group.encode_point(own)}
    setup = [compact(election), compact(trustees), poll.credential_list()]
    forged = assemble(setup, [], Tally(b"[]", 0, 0), [], b"")
    require_refused(forged, TRUSTEES, "a proof or signature that doesn't hold")


def test_one_key_for_two_trustees_is_refused() -> None:
    """A copied key with its copied proof would be a trustee who keeps nothing."""
    poll = Poll("twins", trustee_count=1)
    poll.keys *= 2
    setup = [poll.build("Twins"), poll.trustees(), poll.credential_list()]
    forged = assemble(setup, [], Tally(b"[]", 0, 0), [], b"")
    require_refused(forged, TRUSTEES, "one key for two trustees")


def test_an_election_key_of_somebody_else_is_refused(small: list[Record]) -> None:
    """Whoever has its private part could read every ballot."""
    own = group.encode_point(group.multiply_base(group.random_scalar(randomness("own"))))
    body = compact(json.loads(small[ELECTION].body) | {"public_key": own})
    require_refused(replaced(small, ELECTION, body), TRUSTEES, "doesn't add up")


UNSUPPORTED: dict[str, tuple[int, Path, Any]] = {
    "version 2": (ELECTION, ("version",), 2),
    "finite fields": (ELECTION, ("group",), "BELENIOS-2048"),
    "mixed questions": (ELECTION, ("questions", 0), {"type": "NonHomomorphic", "value": {}}),
    "another kind of trustee": (TRUSTEES, (0, 0), "Quorum"),
}


@pytest.mark.parametrize("what", UNSUPPORTED)
def test_what_is_not_supported_is_refused_by_name(small: list[Record], what: str) -> None:
    """Never passed over."""
    place, path, value = UNSUPPORTED[what]
    body = compact(changed(json.loads(small[place].body), path, value))
    require_refused(replaced(small, place, body), place, "isn't supported")


def test_a_certificate_of_credentials_is_refused_by_name(small: list[Record]) -> None:
    """Belenios can put one before the setup; what it says isn't checked here."""
    setup = json.loads(small[SETUP].body) | {"credentials_certificate": "0" * 64}
    more = [*small[:3], Record("data", b"{}"), Record("data", compact(setup)), *small[4:]]
    require_refused(more, SETUP, "isn't supported")


QUESTION: Path = ("questions", 0)
MISSHAPEN: list[tuple[Path, Any]] = [
    (("uuid",), "short"),
    (("uuid",), "0OIl0OIl0OIl0OIl"),
    (("uuid",), "1" * 14 + "\n"),
    (("uuid",), "1" * 14 + "-"),
    (("name",), 1),
    (("description",), None),
    (("questions",), []),
    (("questions",), None),
    ((*QUESTION, "question"), 5),
    ((*QUESTION, "answers"), []),
    ((*QUESTION, "answers", 0), 5),
    ((*QUESTION, "min"), 2),
    ((*QUESTION, "min"), -1),
    ((*QUESTION, "min"), True),
    ((*QUESTION, "max"), 3),
    ((*QUESTION, "max"), 1.0),
    (QUESTION, {"answers": ["A"], "blank": 1, "min": 1, "max": 1, "question": "?"}),
    (QUESTION, {"answers": [], "min": 0, "max": 0, "question": "?"}),
]


@pytest.mark.parametrize(("path", "value"), MISSHAPEN)
def test_an_election_of_another_shape_is_refused(path: Path, value: Any) -> None:
    """Also where nobody voted, so that no ballot is there to contradict it."""
    records = Poll("nobody").records()
    body = compact(changed(json.loads(records[ELECTION].body), path, value))
    assert entry_number(refusal(pack(replaced(records, ELECTION, body)))) == ELECTION + 1


def test_another_fingerprint_than_the_announced_is_refused(small: list[Record]) -> None:
    """An archive in which everything holds may still be of an election that never was."""
    fingerprint = verify(pack(small)).fingerprint
    assert verify(pack(small), Rules(fingerprint)).fingerprint == fingerprint
    refused = refusal(pack(small), Rules("A" * 43))
    assert entry_number(refused) == ELECTION + 1
    assert fingerprint in refused.reason
