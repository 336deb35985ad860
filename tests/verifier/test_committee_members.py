"""Members of a committee who try points outside the group, exponents in other spellings, and more.

The committee is made by `ballots`, and each member signs what they forged.
"""

import json
from typing import Any

import pytest
from castonce_verifier.faults import Fault
from castonce_verifier.group import Point
from castonce_verifier.trustees import read_trustees

from ballots import channel, committee, strict_json
from tests.unit.ballots import committees
from tests.unit.ballots.committees import Made
from tests.verifier.elections import randomness
from tests.verifier.forge import compact
from tests.verifier.mutations import ORDER, Path, at, changed, small_order_points, with_torsion

IDENTITY = "1".zfill(64)


@pytest.fixture(scope="module")
def made() -> Made:
    """Two of three, with all that the members know."""
    return committees.make(2, 3, randomness("members"))


def read(made: Made, whole: Any) -> None:
    """The verifier reads a record in which the committee stands alone."""
    key = Point(committee.verify(made.parameters))
    committees_read = read_trustees(compact([["Pedersen", whole]]), key)
    assert [len(one.keys) for one in committees_read] == [3]


def record(made: Made) -> Any:
    """The committee's record."""
    return json.loads(strict_json.encode(made.parameters))


def signed(made: Made, whole: Any, path: Path, value: Any) -> Any:
    """The record with one field of the first member's message changed, signed by them again."""
    name, place, *inner = path
    message = compact(changed(json.loads(at(whole, (name, place, "message"))), tuple(inner), value))
    keys = channel.keys_of(made.seeds[0])
    proof = json.loads(strict_json.encode(channel.sign(keys, message.decode(), randomness("sign"))))
    return changed(whole, (name, place), {"message": message.decode(), "signature": proof})


def test_the_committee_as_it_is_holds(made: Made) -> None:
    """Also with a message that was signed once more."""
    whole = record(made)
    read(made, whole)
    message = json.loads(whole["coefexps"][0]["message"])
    path = ("coefexps", 0, "coefexps", 0)
    read(made, signed(made, whole, path, message["coefexps"][0]))


POINTS: dict[str, Path] = {
    "key to sign with": ("certs", 0, "verification"),
    "key to encrypt to": ("certs", 0, "encryption"),
    "commitment": ("coefexps", 0, "coefexps", 1),
    "member's key": ("verification_keys", 0, "public_key"),
}


@pytest.mark.parametrize("what", POINTS)
def test_a_point_outside_the_group_is_refused(made: Made, what: str) -> None:
    """Small order, a part of small order, y >= p, other spellings."""
    whole, path = record(made), POINTS[what]
    is_message = path[0] != "verification_keys"
    text = whole[path[0]][0]["message"] if is_message else ""
    right = at(json.loads(text), path[2:]) if is_message else at(whole, path)
    wrong = dict.fromkeys((right.upper(), right[1:], right + "0", 7), "64 lower-case hex digits")
    outside = [*small_order_points(), with_torsion(right), "2".zfill(64)]
    for value, because in (wrong | dict.fromkeys(outside, "a point outside the group")).items():
        forged = signed(made, whole, path, value) if is_message else changed(whole, path, value)
        with pytest.raises(Fault, match=because):
            read(made, forged)


@pytest.mark.parametrize("what", ["key to sign with", "key to encrypt to", "member's key"])
def test_the_identity_is_nobody_s_key(made: Made, what: str) -> None:
    """Anybody knows its private key."""
    whole, path = record(made), POINTS[what]
    is_message = path[0] != "verification_keys"
    change = signed(made, whole, path, IDENTITY) if is_message else changed(whole, path, IDENTITY)
    with pytest.raises(Fault, match="identity"):
        read(made, change)


PROOFS: list[Path] = [
    ("certs", 1, "signature"),
    ("coefexps", 1, "signature"),
    ("signatures", 1),
    ("verification_keys", 1, "pok"),
    ("verification_keys", 1, "signature"),
]


@pytest.mark.parametrize("path", PROOFS)
@pytest.mark.parametrize("part", ["challenge", "response"])
def test_an_exponent_in_another_spelling_is_refused(made: Made, path: Path, part: str) -> None:
    """Through each parser of a proof or signature of a committee."""
    whole = record(made)
    right = at(whole, (*path, part))
    for other in (str(int(right) + ORDER), "0" + right, "+" + right, int(right), str(ORDER), "-1"):
        with pytest.raises(Fault, match="exponent"):
            read(made, changed(whole, (*path, part), other))
    with pytest.raises(Fault, match="doesn't hold"):
        read(made, changed(whole, (*path, part), str((int(right) + 1) % ORDER)))


def test_a_polynomial_of_another_degree_is_refused(made: Made) -> None:
    """A member who commits to one coefficient more would make two shares too few."""
    whole = record(made)
    coefficients = json.loads(whole["coefexps"][0]["message"])["coefexps"]
    for other in (coefficients[:1], [*coefficients, coefficients[0]], []):
        with pytest.raises(Fault, match="instead of 2"):
            read(made, signed(made, whole, ("coefexps", 0, "coefexps"), other))


CONTEXTS: list[tuple[str, Any]] = [
    ("group", "BELENIOS-2048"),
    ("size", 4),
    ("threshold", 1),
    ("index", 2),
    ("index", True),
    ("index", 1.0),
]


@pytest.mark.parametrize(("name", "value"), CONTEXTS)
def test_a_certificate_for_something_else_is_refused(made: Made, name: str, value: Any) -> None:
    """Of another committee, another place, or a number of another type; though signed."""
    forged = signed(made, record(made), ("certs", 0, "context", name), value)
    with pytest.raises(Fault, match=r"isn't of trustee 1 of this committee|isn't whole"):
        read(made, forged)


@pytest.mark.parametrize("threshold", [0, 1, 3, 4, "2", None])
def test_another_threshold_than_agreed_is_refused(made: Made, threshold: Any) -> None:
    """The members signed for two."""
    with pytest.raises(Fault):
        read(made, record(made) | {"threshold": threshold})


def test_a_huge_committee_is_refused_at_once(made: Made) -> None:
    """Checking it would take years."""
    whole = record(made)
    whole["certs"] *= 67
    with pytest.raises(Fault, match="has 201 trustees"):
        read(made, whole)
    whole["certs"].pop()
    with pytest.raises(Fault, match="isn't of trustee 1"):
        read(made, whole)


def test_a_message_that_is_no_text_or_another_spelling_is_refused(made: Made) -> None:
    """What is signed is a text with one spelling."""
    whole = record(made)
    for name in ("certs", "coefexps"):
        for other in (7, None, "", "[]", whole[name][0]["message"] + " "):
            with pytest.raises(Fault):
                read(made, changed(whole, (name, 0, "message"), other))
    spaced = whole["coefexps"][0]["message"].replace(":", ": ")
    keys = channel.keys_of(made.seeds[0])
    proof = json.loads(strict_json.encode(channel.sign(keys, spaced, randomness("spaced"))))
    forged = changed(whole, ("coefexps", 0), {"message": spaced, "signature": proof})
    with pytest.raises(Fault, match="compact"):
        read(made, forged)


def test_two_committees_and_a_trustee_make_one_key(made: Made) -> None:
    """The election's key is that of all; no part of it may be left out or counted twice."""
    whole = record(made)
    key = Point(committee.verify(made.parameters))
    with pytest.raises(Fault, match="one key for two trustees"):
        read_trustees(compact([["Pedersen", whole]] * 2), key)
    for nothing in ([], [["Single"]], [[]], ["Single"], {}, [["Single", {}, 1]]):
        with pytest.raises(Fault):
            read_trustees(compact(nothing), key)


def test_where_one_is_enough_all_hold_one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Belenios allows it, though we never make it; the key is nobody else's beside them."""
    monkeypatch.setattr(committee, "require_threshold", lambda *_: None)
    any_of_three = committees.make(1, 3, randomness("any"))
    whole = record(any_of_three)
    read(any_of_three, whole)
    for beside in (["Pedersen", whole], _copied_from(whole)):
        with pytest.raises(Fault, match="one key for two trustees"):
            read_trustees(compact([["Pedersen", whole], beside]), Point(bytes(32)))


def test_a_member_s_key_is_nobody_else_s(made: Made) -> None:
    """A trustee who copied it, with its proof, would keep nothing."""
    whole = record(made)
    for trustees in (["Pedersen", whole], _copied_from(whole)), (_copied_from(whole),) * 2:
        with pytest.raises(Fault, match="one key for two trustees"):
            read_trustees(compact(list(trustees)), Point(bytes(32)))


def _copied_from(whole: Any) -> Any:
    """A trustee alone with the key of a committee's first member."""
    member = whole["verification_keys"][0]
    return ["Single", {name: member[name] for name in ("pok", "public_key")}]


@pytest.mark.parametrize(
    ("name", "signer", "because"),
    [("verification", 0, "one key for signing"), ("encryption", 1, "one key for decrypting")],
)
def test_nobody_has_two_seats(made: Made, name: str, signer: int, because: str) -> None:
    """Who signs in both, or reads the shares of both, is enough alone where two are needed."""
    whole = record(made)
    first = json.loads(whole["certs"][0]["message"])
    second = json.loads(whole["certs"][1]["message"]) | {name: first[name]}
    message = compact(second).decode()
    proof = channel.sign(channel.keys_of(made.seeds[signer]), message, randomness("seats"))
    certificate = {"message": message, "signature": json.loads(strict_json.encode(proof))}
    with pytest.raises(Fault, match=because):
        read(made, changed(whole, ("certs", 1), certificate))


def test_there_are_few_trustees(made: Made) -> None:
    """Two hundred in all, however they are divided: before a single proof is looked at."""
    single = ["Single", {}]
    crowd = ["Pedersen", {"certs": [{}] * 120}]
    for values in ([single] * 201, [crowd, crowd], [crowd, *[single] * 81]):
        with pytest.raises(Fault, match="trustees, more than 200"):
            read_trustees(compact(values), Point(bytes(32)))
    for values in ([single] * 200, [crowd, *[single] * 80]):
        with pytest.raises(Fault, match="has fields"):
            read_trustees(compact(values), Point(bytes(32)))
