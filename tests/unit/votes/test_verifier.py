"""What a verifying process answers, and how the service asks it."""

import io

import msgspec
import pytest

from services.votes import verifier
from services.votes.errors import VerifierFault
from shared.testing.law import Law
from shared.testing.promises import promise


@pytest.fixture(scope="module")
def law() -> Law:
    """An election with real credentials."""
    return Law("verifier", packs=2)


@promise("P8", "P9")
def test_only_whole_ballots_of_the_election_are_good(law: Law) -> None:
    """Changed, foreign, unreadable and oversize ballots are bad; the answers keep their order."""
    good = law.sealed(0)
    other = Law("another", packs=1).sealed(0)
    opened = msgspec.json.decode(good)
    opened["credential"] = law.credentials[1]
    stolen = msgspec.json.encode(opened)
    ballots = [good, good + b" ", stolen, other, b"", b"[" * 99_000, b"x" * 300_000, law.sealed(1)]
    asked = verifier.ask(law.parsed.fingerprint, law.election, ballots)
    answers = verifier.read_answer(verifier.answer(asked, {}))
    assert answers == [True, False, False, False, False, False, False, True]


def test_an_election_is_sent_once(law: Law) -> None:
    """Later questions name it; one that was never sent is a fault of ours, not a bad ballot."""
    elections: dict[str, object] = {}
    first = verifier.ask(law.parsed.fingerprint, law.election, [law.sealed(0)])
    later = verifier.ask(law.parsed.fingerprint, None, [law.sealed(1)])
    with pytest.raises(VerifierFault):
        verifier.answer(later, elections)
    assert verifier.read_answer(verifier.answer(first, elections)) == [True]
    assert verifier.read_answer(verifier.answer(later, elections)) == [True]


def test_a_process_answers_until_its_input_ends(law: Law) -> None:
    """Frame by frame, and no answer after the last question."""
    question = verifier.ask(law.parsed.fingerprint, law.election, [law.sealed(0), b"no"])
    answers = io.BytesIO()
    verifier.serve(io.BytesIO(verifier.frame(question) * 2), answers)
    answer = verifier.frame(msgspec.msgpack.encode([True, False]))
    assert answers.getvalue() == answer * 2


def test_what_can_not_be_verified_for_a_reason_nobody_foresaw_does_not_count(
    law: Law, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unforeseen error over one ballot is no reason to stop the others, nor to believe it."""

    def fail(*arguments: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(verifier.ballot, "verify", fail)
    assert not verifier.proofs_hold(law.parsed, law.sealed(0))


def test_a_machine_without_memory_gives_no_verdict(
    law: Law, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trouble with the machine ends the process: it must not become a verdict."""

    def fail(*arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(verifier.ballot, "verify", fail)
    with pytest.raises(MemoryError):
        verifier.proofs_hold(law.parsed, law.sealed(0))
