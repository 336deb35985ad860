"""Whole archives made by belenios-tool."""

import base64
import hashlib

import pytest

from ballots import ballot


@pytest.mark.parametrize("name", ["two_answers", "mixed_questions"])
def test_every_ballot_of_the_archive_verifies(request, name: str) -> None:
    """What the reference implementation made is accepted, with its tracker and credential."""
    vector = request.getfixturevalue(name)
    listed = {pair.public for pair in vector.credentials}
    for raw in vector.ballots:
        verified = ballot.verify(vector.election, raw)
        digest = base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")
        assert verified.tracker == digest == ballot.tracker(raw)
        assert verified.credential == ballot.peek(raw)
        assert verified.credential in listed


def test_the_archives_have_the_size_their_readme_says(two_answers, mixed_questions) -> None:
    """No ballot was lost on the way into this test."""
    assert len(two_answers.ballots) == len(set(two_answers.ballots)) == 200
    assert len(mixed_questions.ballots) == len(set(mixed_questions.ballots)) == 6


def test_a_ballot_sealed_without_randomness_is_still_a_ballot(mixed_questions) -> None:
    """belenios-tool accepts a ballot whose every α is the identity; so must we."""
    raw = mixed_questions.ballots[5]
    assert b'"alpha":"' + b"0" * 63 + b'1"' in raw
    ballot.verify(mixed_questions.election, raw)
