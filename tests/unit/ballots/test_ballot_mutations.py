"""A ballot with anything changed in it is refused.

Two attackers: one who can't sign (every change), and one with a credential of their own who signs
again after the change, so that only the proofs stand in the way.
"""

import copy
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from ballots import ballot, group, proofs, strict_json
from ballots.credentials import Credential
from ballots.errors import BallotError
from shared.testing.promises import promise

Path = tuple[str | int, ...]


def at(whole: Any, path: Path) -> Any:
    for step in path:
        whole = whole[step]
    return whole


def paths(whole: Any, path: Path = ()) -> Iterator[Path]:
    """Every node of the JSON, the root first."""
    yield path
    steps = (
        whole if isinstance(whole, dict) else range(len(whole)) if isinstance(whole, list) else ()
    )
    for step in steps:
        yield from paths(whole[step], (*path, step))


def changed(whole: Any, path: Path, value: Any) -> Any:
    """A copy with one node replaced."""
    if not path:
        return value
    result = copy.deepcopy(whole)
    at(result, path[:-1])[path[-1]] = value
    return result


def string_variants(text: str) -> Iterator[Any]:
    for place in sorted({0, min(1, len(text) - 1), len(text) // 2, len(text) - 1}):
        other = "1" if text[place] != "1" else "2"
        yield text[:place] + other + text[place + 1 :]
        yield text[:place] + text[place + 1 :]
    yield from ("0" + text, text + "0", text[::-1], text.upper(), text + "\n", " " + text, "", "0")
    yield from (None, 0, True, [text], {"a": text})
    if text.isdigit() and len(text) != 64:
        yield str(int(text) + group.ORDER)
        yield str(group.ORDER - int(text))
        yield int(text)
    if len(text) == 64:
        yield f"{int(text, 16) ^ 1 << 255:064x}"
        yield bytes.fromhex(text)[::-1].hex()


def list_variants(items: list[Any]) -> Iterator[Any]:
    for index, item in enumerate(items):
        yield items[:index] + items[index + 1 :]
        yield [*items[:index], item, *items[index:]]
    for index in range(1, len(items)):
        yield [*items[: index - 1], items[index], items[index - 1], *items[index + 1 :]]
    yield from ([], [*items, None], None, {})


def object_variants(fields: dict[str, Any]) -> Iterator[Any]:
    for name in fields:
        yield {key: value for key, value in fields.items() if key != name}
        yield {(key + "s" if key == name else key): value for key, value in fields.items()}
    names = list(fields)
    for left, right in pairwise(names):
        yield fields | {left: fields[right], right: fields[left]}
        swapped = [right if key == left else left if key == right else key for key in names]
        yield {key: fields[key] for key in swapped}
    yield fields | {"extra": "1"}
    yield from ({}, None, list(fields.values()))


def variants(node: Any) -> Iterator[Any]:
    if isinstance(node, str):
        yield from string_variants(node)
    elif isinstance(node, list):
        yield from list_variants(node)
    else:
        yield from object_variants(node)


def compact(whole: Any) -> bytes:
    return json.dumps(whole, separators=(",", ":")).encode()


def everything() -> float:
    return 0.0


def mutations(
    raw: bytes, share: float = 1.0, chance: Callable[[], float] = everything
) -> Iterator[tuple[Path, Any]]:
    """Single changes of every node (all, or a share); those that change nothing are left out."""
    whole = json.loads(raw)
    for path in paths(whole):
        for value in variants(at(whole, path)):
            if chance() < share:
                mutant = changed(whole, path, value)
                if compact(mutant) != raw:
                    yield path, mutant


def byte_mutations(raw: bytes) -> Iterator[bytes]:
    """Changes of the spelling: what JSON readers may take for the same ballot."""
    whole = json.loads(raw)
    yield from (b" " + raw, raw + b" ", raw + b"\n", raw + b"\0", b"\xef\xbb\xbf" + raw, raw[:-1])
    yield raw + raw
    yield json.dumps(whole).encode()
    yield json.dumps(whole, indent=1).encode()
    yield raw.replace(b"e", b"\\u0065", 1)
    yield raw.decode().encode("utf-16")
    yield raw.replace(b"/", b"\\/", 1) if b"/" in raw else raw[1:]
    for field, value in whole.items():
        repeated = json.dumps({field: value}, separators=(",", ":")).encode()[1:-1]
        yield b"{" + repeated + b"," + raw[1:]
        yield raw[:-1] + b"," + repeated + b"}"


def signed_again(mutant: Any, credential: Credential, randbytes: group.RandomBytes) -> bytes:
    """The mutant with the signature that its credential's owner can make over it."""
    unsigned = {name: value for name, value in mutant.items() if name != "signature"}
    digest = strict_json.digest_base64(compact(unsigned))
    proof = proofs.prove_knowledge(credential.private, f"sig|{digest}|", randbytes)
    return compact(
        unsigned
        | {
            "signature": {
                "hash": digest,
                "proof": {"challenge": proof.challenge, "response": proof.response},
            }
        }
    )


def refusal_of(election, raw: bytes, path: Path) -> str:
    """The code of the refusal; fails the test if there is none."""
    try:
        ballot.verify(election, raw)
    except BallotError as refusal:
        return refusal.code
    pytest.fail(f"a change at {path} was accepted")


def refuse_all_changes(vector, raw: bytes) -> Counter[str]:
    """Count the refusals by code over every change that someone without a key can make."""
    changes = [(path, compact(mutant)) for path, mutant in mutations(raw)]
    changes += [((), spelling) for spelling in byte_mutations(raw)]
    return Counter(refusal_of(vector.election, mutant, path) for path, mutant in changes)


def refuse_signed_changes(
    vector, raw: bytes, randbytes, share: float = 1.0, chance=everything
) -> Counter[str]:
    """Count the refusals by code over changes that the ballot's own voter signed again."""
    credential = vector.credential_of(ballot.peek(raw))
    unsigned = without_signature(json.loads(raw))
    return Counter(
        refusal_of(vector.election, signed_again(mutant, credential, randbytes), path)
        for path, mutant in mutations(raw, share, chance)
        if isinstance(mutant, dict) and without_signature(mutant) != unsigned
    )


def without_signature(whole: dict[str, Any]) -> bytes:
    return compact({name: value for name, value in whole.items() if name != "signature"})


def test_signing_again_alone_is_accepted(two_answers, randomness: Callable) -> None:
    """The second attacker's tool works: without a change its ballot verifies."""
    raw = two_answers.ballots[0]
    credential = two_answers.credential_of(ballot.peek(raw))
    again = signed_again(json.loads(raw), credential, randomness("again"))
    assert again != raw
    ballot.verify(two_answers.election, again)


@promise("P3")
def test_every_change_of_a_ballot_is_refused(two_answers) -> None:
    """No field, element, digit or spelling of a ballot can be changed by anyone."""
    refusals = refuse_all_changes(two_answers, two_answers.ballots[0])
    assert refusals["signature-refused"] > 100
    assert refusals["not-canonical"] > 10
    assert refusals["malformed"] > 200


@promise("P3")
def test_every_change_of_a_blank_ballot_is_refused(mixed_questions) -> None:
    """Several questions and blank proofs are covered by the signature too."""
    refusals = refuse_all_changes(mixed_questions, mixed_questions.ballots[0])
    assert refusals.total() > 2_000


@promise("P9")
def test_every_change_is_refused_even_when_signed_again(two_answers, randomness: Callable) -> None:
    """Whoever holds a credential still can't cast what the question doesn't allow."""
    refusals = refuse_signed_changes(two_answers, two_answers.ballots[0], randomness("signed"))
    assert refusals["proof-refused"] > 100
    assert refusals["invalid-point"] > 10
    assert refusals["invalid-scalar"] > 5


def test_sampled_changes_of_mixed_ballots_are_refused(
    mixed_questions, randomness: Callable
) -> None:
    """Blank and overall proofs of several questions, changed and signed again."""
    chance, refusals = random.Random(20), Counter[str]()
    for raw in mixed_questions.ballots:
        refusals += refuse_signed_changes(
            mixed_questions, raw, randomness("mixed"), 0.03, chance.random
        )
    assert refusals["proof-refused"] > 100


def test_sampled_changes_of_other_ballots_are_refused(two_answers, randomness: Callable) -> None:
    """A few changes to each ballot of a sample of the archive."""
    chance, refusals = random.Random(30), Counter[str]()
    for raw in chance.sample(two_answers.ballots, 10):
        refusals += refuse_signed_changes(
            two_answers, raw, randomness("other"), 0.05, chance.random
        )
    assert refusals["proof-refused"] > 50


@pytest.mark.long
def test_every_change_of_every_ballot_is_refused(two_answers, mixed_questions) -> None:
    """The whole archive, each field changed in every way."""
    for vector in (two_answers, mixed_questions):
        for raw in vector.ballots:
            refuse_all_changes(vector, raw)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_every_change_of_mixed_ballots_is_refused_when_signed_again(
    mixed_questions, randomness: Callable
) -> None:
    """The whole mixed archive, each field changed and signed again."""
    for raw in mixed_questions.ballots:
        refuse_signed_changes(mixed_questions, raw, randomness("all"))
