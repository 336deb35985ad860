"""The `trustees` record: single trustees, committees, and keys that may not stand in it."""

import json
from collections.abc import Callable
from itertools import combinations

import pytest
from nacl import bindings as sodium

from ballots import (
    ballot,
    committee,
    decrypt,
    election,
    group,
    strict_json,
    tally,
    trustee,
    trustees,
)
from ballots.election import Question
from ballots.errors import (
    BallotError,
    InvalidPoint,
    Malformed,
    NotCanonical,
    ProofRefused,
    TooLarge,
    TrusteesRefused,
)
from shared.testing.promises import promise
from tests.unit.ballots import committees


@pytest.fixture(scope="module")
def keys(randomness: Callable) -> list[tuple[int, trustee.TrusteeKey]]:
    """Three single trustees."""
    return [trustee.generate(randomness(f"trustee {at}")) for at in range(3)]


@pytest.fixture(scope="module")
def made(randomness: Callable) -> committees.Made:
    """A committee of three, two of whom are enough."""
    return committees.make(2, 3, randomness("record"))


@pytest.mark.parametrize("name", ["two_answers", "mixed_questions", "committee"])
def test_belenios_records_are_read(request, name: str) -> None:
    """The election's key follows from the record, and owners are numbered through its items."""
    vector = request.getfixturevalue(name)
    crew = trustees.parse(vector.trustees)
    assert crew.election_key == vector.election.public_key
    assert crew.raw == vector.trustees
    assert crew.are_enough(vector.owners)
    assert not crew.are_enough(vector.owners[1:])
    for number, key in enumerate(crew.owners, 1):
        assert crew.public_key(number) == key.public_key
        assert crew.owner_of(key.public_key) == number


def test_a_record_of_ours_reads_back(keys, made) -> None:
    """Singles first, then committees."""
    raw = trustees.encode([key for _, key in keys[:2]], [made.parameters])
    crew = trustees.parse(raw)
    assert [bench.first for bench in crew.benches] == [1, 2, 3]
    assert [list(bench.owners) for bench in crew.benches] == [[1], [2], [3, 4, 5]]
    assert crew.needed == 4
    parts = [group.parse_point(key.public_key) for _, key in keys[:2]]
    whole = group.total([*parts, committee.verify(made.parameters)])
    assert crew.election_key == group.encode_point(whole)


@promise("P14")
def test_only_enough_trustees_open_a_result(keys, made, randomness: Callable) -> None:
    """Each single trustee and any two of the committee give the counts; fewer are refused."""
    crew = trustees.parse(trustees.encode([keys[0][1]], [made.parameters]))
    read = election.parse(
        election.build(
            uuid="1" * 14,
            name="N",
            description="",
            public_key=crew.election_key,
            questions=[
                Question(answers=("A", "B"), blank=True, min=1, max=2, question="?"),
                Question(answers=("C", "D"), min=0, max=1, question="!"),
            ],
        )
    )
    cast = [
        ballot.seal(read, committees.voter(at, randomness), choices, randomness(f"cast {at}"))
        for at, choices in enumerate(
            ([[0, 1, 1], [0, 1]], [[1, 0, 0], [0, 0]], [[0, 1, 0], [1, 0]])
        )
    ]
    totals = tally.of_ballots(read, cast)
    privates = {1: keys[0][0]} | {owner: made.private(owner - 1) for owner in (2, 3, 4)}
    partials = {
        owner: decrypt.partial_decryption(read, totals, private, randomness(f"open {owner}"))
        for owner, private in privates.items()
    }
    for owner, partial in partials.items():
        decrypt.verify_partial(read, totals, crew.public_key(owner), partial)
    for count in range(5):
        for owners in combinations(partials, count):
            present = {owner: partials[owner] for owner in owners}
            if 1 in owners and count >= 3:
                assert crew.are_enough(owners)
                assert decrypt.combine(crew, totals, present, 3) == [[1, 2, 1], [1, 1]]
            else:
                assert not crew.are_enough(owners)
                with pytest.raises(TrusteesRefused):
                    decrypt.combine(crew, totals, present, 3)


def test_a_share_under_another_members_number_is_refused(made, keys, randomness) -> None:
    """Shares exchanged between members prove nothing under the wrong number."""
    crew = trustees.parse(trustees.encode([], [made.parameters]))
    raw = election.build(
        uuid="1" * 14,
        name="N",
        description="",
        public_key=crew.election_key,
        questions=[Question(answers=("A",), min=0, max=1, question="?")],
    )
    read = election.parse(raw)
    cast = ballot.seal(read, committees.voter(0, randomness), [[1]], randomness("cast"))
    totals = tally.of_ballots(read, [cast])
    partial = decrypt.partial_decryption(read, totals, made.private(1), randomness("share"))
    decrypt.verify_partial(read, totals, crew.public_key(1), partial)
    for owner in (2, 3):
        with pytest.raises(ProofRefused):
            decrypt.verify_partial(read, totals, crew.public_key(owner), partial)
    for owner in (0, 4, -1):
        with pytest.raises(TrusteesRefused):
            crew.public_key(owner)


@promise("P14")
def test_a_late_trustee_can_not_cancel_the_others(keys, randomness: Callable) -> None:
    """Rushing: a key that is one's own divided by the others' would leave the election to one."""
    own, _ = trustee.generate(randomness("late"))
    others = group.total([group.parse_point(key.public_key) for _, key in keys[:2]])
    rushed = group.encode_point(group.subtract(group.multiply_base(own), others))
    pok = trustee.public_part(own, randomness("proof")).pok
    late = trustee.TrusteeKey(pok, rushed)
    with pytest.raises(ProofRefused, match="computed from other trustees' keys"):
        trustees.parse(trustees.encode([keys[0][1], keys[1][1], late]))


def test_a_copied_key_is_refused(keys, made) -> None:
    """With its proof: whoever has one private key would count as two trustees."""
    single = keys[0][1]
    member = made.parameters.verification_keys[0]
    copied = trustee.TrusteeKey(member.pok, member.public_key)
    for raw in (
        trustees.encode([single, single]),
        trustees.encode([copied], [made.parameters]),
        trustees.encode([], [made.parameters, made.parameters]),
    ):
        with pytest.raises(TrusteesRefused):
            trustees.parse(raw)


def test_keys_that_cancel_each_other_are_refused(randomness: Callable) -> None:
    """Together they are the identity: every ballot would be readable."""
    pair = [trustee.public_part(private, randomness(str(private))) for private in (5, -5)]
    with pytest.raises(TrusteesRefused):
        trustees.parse(trustees.encode(pair))


P = 2**255 - 19
FALSE_POINTS = {
    "identity": 1,
    "of order two": P - 1,
    "of order four": 0,
    "not canonical": P + 1,
    "not on the curve": 2,
    "out of range": 2**256 - 1,
}


@pytest.mark.parametrize("number", FALSE_POINTS.values(), ids=FALSE_POINTS.keys())
@pytest.mark.parametrize("place", ["single", "member", "verification", "encryption", "coefexps"])
def test_a_key_outside_the_group_is_refused_everywhere(keys, made, number: int, place: str) -> None:
    """Identity, small order, not canonical: in every place where a record has a point."""
    record = json.loads(trustees.encode([keys[0][1]], [made.parameters]))
    point = f"{number:064x}"
    if place == "single":
        record[0][1]["public_key"] = point
    elif place == "member":
        record[1][1]["verification_keys"][1]["public_key"] = point
    elif place == "coefexps":
        message = json.loads(record[1][1]["coefexps"][0]["message"])
        message["coefexps"][0] = point
        record[1][1]["coefexps"][0]["message"] = _compact(message).decode()
    else:
        message = json.loads(record[1][1]["certs"][1]["message"])
        message[place] = point
        record[1][1]["certs"][1]["message"] = _compact(message).decode()
    with pytest.raises(BallotError):
        trustees.parse(_compact(record))


def test_a_certificate_of_the_identity_is_refused_although_everybody_can_sign(
    randomness: Callable,
) -> None:
    """A proof for the identity holds without any secret."""
    identity = group.encode_point(group.IDENTITY)
    keys = committees.channel.keys_of("a" * 22)
    forged = committee.CertifiedKeys(
        committee.Context("Ed25519", 1, 1, 1), identity, keys.encryption
    )
    message = strict_json.encode(forged).decode()
    nobody = committees.channel.Keys(0, 0, identity, identity)
    signature = committees.channel.sign(nobody, message, randomness("identity"))
    with pytest.raises(InvalidPoint):
        committee.verify_certificates([committees.channel.SignedMessage(message, signature)])


def test_a_members_key_with_torsion_is_refused(made) -> None:
    """Adding a point of order two to a key leaves the equation of an even challenge as it is."""
    record = json.loads(trustees.encode([], [made.parameters]))
    key = record[0][1]["verification_keys"][0]
    point = bytes.fromhex(key["public_key"])[::-1]
    tainted = sodium.crypto_core_ed25519_add(point, (P - 1).to_bytes(32, "little"))
    key["public_key"] = tainted[::-1].hex()
    with pytest.raises(InvalidPoint):
        trustees.parse(_compact(record))


def test_every_changed_digit_of_a_record_is_refused(keys, made) -> None:
    """Proofs, keys, certificates, commitments, signatures, numbers: nothing in it is idle."""
    raw = trustees.encode([keys[0][1]], [made.parameters])
    changed = 0
    for at in range(0, len(raw), 11):
        if chr(raw[at]).isdigit():
            other = raw[:at] + str((raw[at] - 47) % 10).encode() + raw[at + 1 :]
            with pytest.raises(BallotError):
                trustees.parse(other)
            changed += 1
    assert changed > 150


def test_a_record_has_one_spelling(keys, made) -> None:
    """White space anywhere, repeated fields, other orders, unknown kinds and fields."""
    raw = trustees.encode([keys[0][1]], [made.parameters])
    single = raw[: raw.index(b"]") + 1] + b"]"
    assert trustees.parse(single).needed == 1
    for other in (
        b" " + single,
        single + b"\n",
        single.replace(b",", b" ,", 1),
        single.replace(b"}]]", b"}\n]]"),
        single.replace(b"}]]", b"} ]]"),
        single.replace(b'[["Single",{', b'[["Single",{"pok":null,'),
        single.replace(b"Single", b"Sing\\u006ce"),
        single.replace(b"Single", b"Lonely"),
        single[:-1],
        single.replace(b"}]]", b'},"more"]]'),
        raw.replace(b"]}]]", b'],"more":1}]]'),
        raw.replace(b'"threshold":2', b'"threshold":2.0', 1),
    ):
        assert other not in (single, raw)
        with pytest.raises((NotCanonical, Malformed)):
            trustees.parse(other)


def test_a_lowered_threshold_is_refused(made) -> None:
    """The number in the record is the one that every member signed."""
    raw = trustees.encode([], [made.parameters])
    for number in (b"1", b"3", b"0", b"-1"):
        with pytest.raises(TrusteesRefused):
            trustees.parse(raw.replace(b'{"threshold":2', b'{"threshold":' + number, 1))


def test_a_record_without_end_is_not_read(keys) -> None:
    """Too many trustees, or too many bytes, cost nobody an hour."""
    many = [trustee.public_part(at, bytes) for at in range(1, 102)]
    assert len(trustees.parse(trustees.encode(many[:100])).owners) == 100
    with pytest.raises(TrusteesRefused):
        trustees.parse(trustees.encode(many))
    with pytest.raises(TooLarge):
        trustees.parse(b" " * 500_001)


def test_names_are_kept(keys) -> None:
    """The format has room for a trustee's name."""
    named = trustee.TrusteeKey(keys[0][1].pok, keys[0][1].public_key, "Ada Ëxample")
    (owner,) = trustees.parse(trustees.encode([named])).owners
    assert owner.name == "Ada Ëxample"


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
