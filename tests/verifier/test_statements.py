"""Every field of every statement that a proof's hash covers: a proof made without it is refused.

The prover's hash is changed here, field by field, so that a ballot, a key, a signature or a
decryption is proved for something else than it says; all the rest of it is right.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from castonce_verifier.faults import Fault
from castonce_verifier.group import Point
from castonce_verifier.trustees import read_trustees

from ballots import committee, group, strict_json
from ballots.election import Question
from tests.unit.ballots import committees
from tests.verifier.elections import Poll, randomness
from tests.verifier.forge import Record, entry_number, pack, refusal, verify

Change = Callable[[str], str]

# The text of each hash, its kind first; {} parts are told apart by `fields`.
FIELDS = {
    "sig": ["kind", "hash", "A"],
    "pok": ["kind", "group", "public key", "A"],
    "decrypt": ["kind", "election", "public key", "A", "B"],
    "individual": ["kind", "election", "credential", "alpha", "beta", "A0", "B0", "A1", "B1"],
    "overall": [
        "kind",
        "election",
        "credential",
        *("first alpha", "first beta", "second alpha", "second beta"),
        *("alpha", "beta", "A0", "B0", "A1", "B1"),
    ],
    "bproof0": ["kind", "election", "credential", *"abcdef", "A0", "B0", "A1", "B1"],
    "bproof1": ["kind", "election", "credential", *"abcdef", "A0", "B0", "A1", "B1"],
}
CASES = [(kind, place) for kind, names in FIELDS.items() for place in range(len(names))]
PLACES = {"pok": 2, "sig": 6, "individual": 6, "overall": 6, "bproof0": 6, "bproof1": 6}
QUESTIONS = [
    Question(answers=("A", "B"), min=0, max=1, question="?"),
    Question(answers=("A", "B"), blank=True, min=1, max=1, question="?"),
]


def kind_of(text: str) -> str:
    """Which proof a hashed text belongs to."""
    name = text.partition("|")[0]
    if name != "prove":
        return name
    return "individual" if text.count("|") == 4 else "overall"


def fields(text: str) -> list[str]:
    """The parts of a hashed text, each with the sign behind it."""
    return text.replace("|", "|\0").replace(",", ",\0").split("\0")


@contextmanager
def proving(kind: str, change: Change) -> Iterator[list[str]]:
    """Inside, `ballots` hashes something else for proofs of this kind; yields what it hashed."""
    hashed: list[str] = []
    right = group.hash_to_scalar

    def wrong(text: str) -> int:
        if kind_of(text) == kind:
            hashed.append(text)
            text = change(text)
        return right(text)

    patch = pytest.MonkeyPatch()
    patch.setattr(group, "hash_to_scalar", wrong)
    try:
        yield hashed
    finally:
        patch.undo()


def changes(place: int) -> Sequence[Change]:
    """Left out, and replaced by something of the same kind."""

    def without(text: str) -> str:
        parts = fields(text)
        return "".join([*parts[:place], *parts[place + 1 :]])

    def other(text: str) -> str:
        parts = fields(text)
        return "".join([*parts[:place], "0" + parts[place][1:], *parts[place + 1 :]])

    return without, other


def made(kind: str, change: Change) -> tuple[list[Record], list[str]]:
    """An archive whose proofs of this kind are proofs of something else, and what was hashed."""
    with proving(kind, change) as hashed:
        poll = Poll("stated", questions=QUESTIONS, trustee_count=1)
        poll.cast(0, [1, 0], [0, 1, 0])
        records = poll.records()
    return records, hashed


@pytest.mark.parametrize("kind", FIELDS)
def test_these_are_the_fields_of_a_statement(kind: str) -> None:
    """The tests below would prove nothing if a field were missing from their list."""
    records, hashed = made(kind, lambda text: text)
    # Overall proofs of the two questions have the same number of alternatives here.
    assert {len(fields(text)) for text in hashed} == {len(FIELDS[kind])}
    assert verify(pack(records)).result == [[1, 0], [0, 1, 0]]


@pytest.mark.parametrize(("kind", "place"), CASES)
def test_a_proof_without_a_field_of_its_statement_is_refused(kind: str, place: int) -> None:
    """It could be moved to where that field is another one."""
    for change in changes(place):
        records, hashed = made(kind, change)
        if all(change(text) == text for text in hashed):
            continue  # The field began with a zero.
        expected = PLACES.get(kind, len(records) - 4)
        refused = refusal(pack(records))
        assert entry_number(refused) == expected, refused
        assert "doesn't hold" in refused.reason


COMMITTEE = {"pok": 4, "sigmsg": 3}


def made_committee(kind: str, change: Change) -> None:
    """The verifier reads a committee whose proofs of this kind are proofs of something else."""
    with proving(kind, change):
        parameters = committees.make(2, 3, randomness("committee")).parameters
        key = committee.verify(parameters)
    raw = strict_json.encode([("Pedersen", parameters)])
    assert len(read_trustees(raw, Point(key))[0].keys) == 3


@pytest.mark.parametrize("kind", COMMITTEE)
def test_a_committee_s_proof_without_a_field_is_refused(kind: str) -> None:
    """Members' keys, and whatever they sign: certificates, commitments, approvals."""
    made_committee(kind, lambda text: text)
    for place in range(COMMITTEE[kind]):

        def without(text: str, place: int = place) -> str:
            # Of signed messages only the first sign and the last separate fields.
            front, _, last = text.rpartition("|")
            name, _, message = front.partition("|")
            parts = text.split("|") if kind == "pok" else [name, message, last]
            return "|".join([*parts[:place], *parts[place + 1 :]])

        with pytest.raises(Fault, match="doesn't hold"):
            made_committee(kind, without)


SIGNED = {
    "certificate": r'{"context',
    "commitments": r'{"coefexps',
    "approval": r"certs_sig\|",
    "key": r"[0-9a-f]{64}\|",
}


@pytest.mark.parametrize("what", SIGNED)
def test_each_thing_that_a_member_signs_is_checked(what: str) -> None:
    """A member who signs one of the four wrongly is noticed."""

    def changed(text: str) -> str:
        return text + "x" if re.match(SIGNED[what], text.removeprefix("sigmsg|")) else text

    with pytest.raises(Fault, match="doesn't hold"):
        made_committee("sigmsg", changed)
