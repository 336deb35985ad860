"""Every field of every entry, changed by itself, is refused by that entry.

All hashes, references and events behind the change are repaired; a changed ballot is once left with
its old signature, and once signed again by its own voter, so that its other checks must notice.
"""

import json
import random
from typing import Any

import pytest
from castonce_verifier.election import read_election
from castonce_verifier.faults import Fault
from castonce_verifier.strict_json import digest, natural

from ballots.election import Question
from tests.verifier.elections import Poll, resigned
from tests.verifier.forge import (
    Record,
    compact,
    entry_number,
    pack,
    refusal,
    replaced,
)
from tests.verifier.mutations import Path, mutants

SAMPLE = 150
ENDS = [("blank_proof",), ("overall_proof",)]
SETUP = ["election", "trustees", "credentials", "setup"]
FIRST_BALLOT = 5
TAIL = {
    "encrypted tally": -11,
    "tally's size": -10,
    "partial decryption": -5,
    "owner": -4,
    "result": -2,
}


def drawn(whole: Any, seed: int, size: int = SAMPLE) -> list[tuple[Path, Any]]:
    """Some of all mutants, always the same."""
    every = list(mutants(whole))
    return random.Random(seed).sample(every, min(size, len(every)))


def require_refused(records: list[Record], place: int, body: bytes, path: Path) -> None:
    """The archive with this content there is refused, and there."""
    refused = refusal(pack(replaced(records, place, body)))
    assert entry_number(refused) == place + 1, (path, refused)


@pytest.mark.parametrize("name", TAIL)
def test_a_changed_field_behind_the_ballots_is_refused(small: list[Record], name: str) -> None:
    """Tally, its size, decryptions, owners and result: each field, each in many ways."""
    place = len(small) + TAIL[name]
    for path, value in drawn(json.loads(small[place].body), 1):
        require_refused(small, place, compact(value), path)


@pytest.mark.parametrize("place", range(len(SETUP)), ids=SETUP)
def test_a_changed_field_of_the_setup_is_refused(small: list[Record], place: int) -> None:
    """By its own entry, or by the first entry that was made for what stood there before."""
    whole = json.loads(small[place].body)
    for path, value in drawn(whole, 2):
        if place == 2 and value == whole[::-1]:
            continue  # In which order voters are listed changes nothing.
        refused = refusal(pack(replaced(small, place, compact(value))))
        assert entry_number(refused) > place, (path, refused)


def test_a_changed_field_of_a_ballot_is_refused(small: list[Record]) -> None:
    """By somebody who can't sign."""
    for path, value in drawn(json.loads(small[FIRST_BALLOT].body), 3):
        require_refused(small, FIRST_BALLOT, compact(value), path)


def test_a_changed_field_of_a_signed_ballot_is_refused(small: list[Record], poll: Poll) -> None:
    """By the voter themselves: the proofs must notice, for the signature holds."""
    for path, value in drawn(json.loads(small[FIRST_BALLOT].body), 4):
        require_refused_though_signed(small, poll, path, value)


def require_refused_though_signed(
    records: list[Record], poll: Poll, path: Path, value: object
) -> None:
    """The first voter's ballot with this content and a signature that fits it is refused."""
    body = resigned(value, poll.voters[0]) if isinstance(value, dict) else b"[]"
    # Another signature on the same content is as good as the first.
    if unsigned(json.loads(body)) != unsigned(json.loads(records[FIRST_BALLOT].body)):
        require_refused(records, FIRST_BALLOT, body, path)


def unsigned(value: Any) -> bytes:
    """All that a signature is made over."""
    fields = value.items() if isinstance(value, dict) else ()
    return compact({name: field for name, field in fields if name != "signature"})


def test_a_changed_field_of_a_ballot_with_blank_votes_is_refused(mixed: list[Record]) -> None:
    """Blank proofs and ranges too."""
    for path, value in drawn(json.loads(mixed[FIRST_BALLOT].body), 5, 60):
        require_refused(mixed, FIRST_BALLOT, compact(value), path)


def test_a_changed_proof_of_a_signed_ballot_with_blank_votes_is_refused() -> None:
    """Who signs both a blank vote and a candidate must be caught by one of these two proofs."""
    question = Question(answers=("A", "B"), blank=True, min=1, max=2, question="?")
    poll = Poll("blank", questions=[question])
    whole = json.loads(poll.cast(0, [0, 1, 1]))
    records = poll.records()
    every = [(path, value) for path, value in mutants(whole) if path[2:3] in ENDS]
    for path, value in random.Random(7).sample(every, SAMPLE // 2):
        require_refused_though_signed(records, poll, path, value)


@pytest.mark.long
@pytest.mark.parametrize("is_resigned", [False, True])
def test_every_changed_field_of_a_ballot_is_refused(
    small: list[Record], poll: Poll, is_resigned: bool
) -> None:
    """All of the changes of which the tests above take some."""
    for path, value in mutants(json.loads(small[FIRST_BALLOT].body)):
        if is_resigned:
            require_refused_though_signed(small, poll, path, value)
        else:
            require_refused(small, FIRST_BALLOT, compact(value), path)


@pytest.mark.long
def test_every_changed_field_of_every_entry_is_refused(mixed: list[Record]) -> None:
    """The archive with all shapes of question: no field of any data entry is idle."""
    for place, record in enumerate(mixed):
        if record.kind != "data":
            continue
        whole = json.loads(record.body)
        for path, value in drawn(whole, place, 120):
            if not (place == 2 and value == whole[::-1]):
                refused = refusal(pack(replaced(mixed, place, compact(value))))
                assert entry_number(refused) >= place + 1, (path, refused)


@pytest.mark.parametrize("number", [0, 1, 2**53])
def test_numbers_up_to_2_to_53_are_read(number: int) -> None:
    """As the specification has it: what every implementation can hold."""
    assert natural(number) == number
    for other in (2**53 + 1, -1, True, 1.0, "1", None):
        with pytest.raises(Fault):
            natural(other)


def twice(body: bytes) -> bytes:
    """The last field of the outermost object, or of the first one within, stated twice."""
    inner = body[body.index(b"{") + 1 : body.index(b",")]
    return body.replace(b"{", b"{" + inner + b",", 1)


SPELLINGS = {
    "a space": lambda body: body.replace(b":", b": ", 1),
    "a newline at the end": lambda body: body + b"\n",
    "an escape": lambda body: body.replace(b'"a', b'"\\u0061', 1),
    "a field twice": lambda body: body.replace(b"{", b'{"alpha":"",', 1),
    "the same field twice": twice,
    "a byte that isn't UTF-8": lambda body: body.replace(b'":"', b'":"\xff', 1),
    "a mark of the byte order": lambda body: b"\xef\xbb\xbf" + body,
    "nothing": lambda _: b"",
    "brackets without end": lambda _: b"[" * 100_000,
    "deep brackets": lambda _: b"[" * 100_000 + b"]" * 100_000,
    "NaN": lambda _: b"NaN",
    "a number without end": lambda _: b"1" * 10_000,
    "a lone surrogate": lambda body: body.replace(b'":"', b'":"\\ud800', 1),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_another_spelling_of_an_entry_is_refused(small: list[Record], spelling: str) -> None:
    """One content has one spelling; JSON that can be read in two ways isn't read at all."""
    for place, record in enumerate(small):
        body = record.body
        if spelling == "the same field twice" and b"{" not in body:
            continue
        other = SPELLINGS[spelling](body)
        if record.kind == "data" and other != body:
            refused = refusal(pack(replaced(small, place, other)))
            # The election may be spaced, as its makers like; then the ballots don't fit it.
            assert entry_number(refused) in (place + 1, FIRST_BALLOT + 1), (place, refused)


def test_an_election_may_be_spelled_freely_but_says_nothing_twice(small: list[Record]) -> None:
    """It is no compact text, so that no other check would see the first of two keys."""
    raw = small[0].body
    assert read_election(raw.replace(b",", b", ")).uuid == read_election(raw).uuid
    for name in (b'"name"', b'"min"'):
        doubled = raw.replace(name, name + b":0," + name, 1)
        with pytest.raises(Fault, match="same field twice"):
            read_election(doubled)


@pytest.mark.parametrize("value", ["", "0" * 63, "0" * 65, "A" * 64, "g" * 64, 7, None, ["0"]])
def test_a_hash_has_one_spelling(value: object) -> None:
    """Sixty-four lower-case hex digits, in a text."""
    assert digest("0a" * 32) == "0a" * 32
    with pytest.raises(Fault, match="lacks a hash of 64 lower-case hex digits"):
        digest(value)
