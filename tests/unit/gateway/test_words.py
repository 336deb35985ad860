"""What electors are told, and what a terminal accepts as a choice."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballots import election as belenios
from cli import outcomes
from cli.ballot_paper import typed as typed_numbers
from cli.outcomes import in_words
from cli.screen import CliError
from cli.vote import BallotFile, _read_ballot_file
from shared.contracts.permits import Receipt
from shared.testing.promises import promise

HELPLINE = "020 7946 0000"
WHEN_MS = 1_788_249_600_000
RECEIPT = Receipt(
    election_id="78jtVeEwZkgRBC", tracker="A" * 43, recorded_at_ms=WHEN_MS, signature="2" * 128
)


@promise("P5")
def test_after_a_postal_envelope_the_elector_hears_when_and_whom_to_ring() -> None:
    """Kindly: when it came, that the code no longer works, and what to do if nothing was posted."""
    words = in_words(outcomes.PostReceived(WHEN_MS), HELPLINE)
    assert "received a postal ballot for you on 1 September 2026" in words
    assert "If you posted nothing, please ring 020 7946 0000" in words


def test_a_second_vote_hears_that_the_first_one_counts() -> None:
    """No blame: the vote is recorded, since when, and whom to ring if it was somebody else."""
    words = in_words(outcomes.AlreadyVoted(WHEN_MS), HELPLINE)
    assert "Your vote was recorded on 1 September 2026" in words
    assert HELPLINE in words


@promise("P4")
def test_not_known_yet_never_says_not_cast() -> None:
    """A ballot that may still arrive is never called lost."""
    words = in_words(outcomes.NotKnownYet("T" * 43), HELPLINE)
    assert "don't know yet" in words
    assert "not cast" not in words.lower()
    assert "T" * 43 in words


@promise("P12")
def test_a_lockout_leaves_the_post_open_and_says_so() -> None:
    """Locked or wrong: the elector is told that the postal vote stays open."""
    assert "vote by post" in in_words(outcomes.Locked(), HELPLINE)
    assert "vote by post" in in_words(outcomes.WrongAnswers(1), HELPLINE)
    assert "try once more" in in_words(outcomes.WrongAnswers(1), HELPLINE)


@pytest.mark.parametrize(
    "outcome",
    [
        outcomes.Accepted(RECEIPT),
        outcomes.AlreadyVoted(WHEN_MS),
        outcomes.PostReceived(WHEN_MS),
        outcomes.Replaced(WHEN_MS),
        outcomes.Withdrawn(WHEN_MS),
        outcomes.Locked(),
        outcomes.WrongAnswers(4),
        outcomes.CodeNotAccepted(),
        outcomes.NotOpen(),
        outcomes.Closed(),
        outcomes.NotKnownYet("T" * 43),
        outcomes.Refused("permit_expired", ""),
    ],
)
def test_each_outcome_has_words(outcome) -> None:
    """Every ending of a visit is told in whole sentences."""
    assert in_words(outcome, HELPLINE).endswith(".")


QUESTION = belenios.Question(question="Who?", answers=("A", "B", "C"), min=1, max=2, blank=True)


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [
        ("1", [1]),
        ("3, 1", [3, 1]),
        ("0", [0]),
        ("", None),
        ("1 2 3", None),
        ("4", None),
        ("1 1", None),
        ("0 1", None),
        ("-1", None),
        ("one", None),
        ("²", None),
    ],
)
def test_only_choices_that_the_question_allows_are_taken(typed, chosen) -> None:
    """Anything else is asked again, before a ballot is made."""
    assert typed_numbers(typed, QUESTION) == chosen


@given(st.text(max_size=20))
def test_whatever_is_typed_is_understood_or_asked_again(typed: str) -> None:
    """No key press makes the terminal stumble."""
    chosen = typed_numbers(typed, QUESTION)
    assert chosen is None or chosen == [0] or set(chosen) <= {1, 2, 3}


def test_a_ballot_file_is_read_and_a_broken_one_explained(tmp_path) -> None:
    """A script's ballot comes from a file, never from the command line."""
    path = tmp_path / "ballot.json"
    path.write_bytes(msgspec.json.encode(BallotFile("C", {"postcode": "A"}, [[1]])))
    assert _read_ballot_file(path).choices == [[1]]
    path.write_text('{"code": 1}')
    with pytest.raises(CliError, match="can't be read"):
        _read_ballot_file(path)
