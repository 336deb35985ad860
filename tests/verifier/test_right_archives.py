"""What must be accepted: a verifier that refuses what is right is worth as little."""

import pytest
from castonce_verifier.archive import Archive
from castonce_verifier.crew import Crew
from castonce_verifier.recount import recount

from ballots.election import Question
from tests.verifier.elections import YES_NO, Poll
from tests.verifier.forge import BELENIOS, STRICT, Record, Rules, pack, unpack, verify


def test_an_archive_made_by_belenios_tool_holds(two_answers: bytes) -> None:
    """An election that other software made and counted is recounted to the same result."""
    report = verify(two_answers)
    assert report.result == [[100, 100]]
    assert (report.ballots, report.ballots_counted, report.trustees) == (200, 200, 2)
    assert report.fingerprint == "xx2sJOjc6aC3t1yOAtHmzE8TjBmuxYfSyifr+piRukY"
    assert report.last_event == unpack(two_answers)[-1].digest


@pytest.mark.parametrize("rules", [STRICT, BELENIOS])
def test_blank_votes_ranges_and_no_randomness_hold(mixed_questions: bytes, rules: Rules) -> None:
    """Every shape of homomorphic question, and a ballot whose α are all the identity."""
    report = verify(mixed_questions, rules)
    assert report.result == [[3, 2, 1], [2, 3, 2, 2], [3, 2, 3, 2], [6]]


def test_an_archive_of_ours_holds(small: list[Record]) -> None:
    """What `ballots` seals, tallies and decrypts, the second implementation finds right."""
    assert verify(pack(small)).result == [[2, 1]]


def test_an_election_in_which_nobody_voted_holds() -> None:
    """No ballot is no fault: all counts are zero."""
    assert verify(pack(Poll("nobody").records())).result == [[0, 0]]


def test_several_processes_find_the_same(mixed_questions: bytes, small: list[Record]) -> None:
    """The work may be shared; the outcome is the same."""
    poll = Poll("crowd", voter_count=40)
    for voter in range(40):
        poll.cast(voter, [voter % 2, 1 - voter % 2])
    seen: list[tuple[int, int]] = []
    with Crew(2) as crew:
        report = recount(
            Archive(pack(poll.records())), STRICT, crew, lambda *step: seen.append(step)
        )
    assert report.result == [[20, 20]]
    assert seen[0] == (0, 40)
    assert seen[-1] == (40, 40)


def test_in_belenios_mode_the_last_ballot_of_a_credential_counts() -> None:
    """Belenios allows to vote again; then only the last vote is in the tally."""
    poll = Poll("again")
    poll.cast(0, [1, 0])
    other = poll.cast(1, [1, 0])
    last = poll.cast(0, [0, 1])
    report = verify(pack(poll.records([other, last])), BELENIOS)
    assert report.result == [[1, 1]]
    assert (report.ballots, report.ballots_counted) == (3, 2)


def test_a_weight_counts_as_that_many_votes() -> None:
    """With weights in the list a ballot is worth as many votes as its credential."""
    poll = Poll("weights", weights=(5, 1, 2))
    counted = [*[poll.cast(0, [1, 0])] * 5, poll.cast(1, [0, 1]), *[poll.cast(2, [0, 1])] * 2]
    poll.ballots = list(dict.fromkeys(counted))
    report = verify(pack(poll.records(counted)))
    assert report.result == [[5, 3]]
    assert (report.ballots_counted, report.total_weight) == (3, 8)


def test_text_in_any_script_and_with_quotes_holds() -> None:
    """Questions may be written as people write."""
    answers = ('Größe \u2028 "a\\b"', "日本\x7f", "عربي \U0001f5f3")
    question = Question(answers=answers, blank=True, min=0, max=3, question="\t?\n")
    poll = Poll("script", questions=[*YES_NO, question])
    poll.cast(2, [0, 1], [0, 1, 1, 0])
    poll.cast(1, [1, 0], [1, 0, 0, 0])
    assert verify(pack(poll.records())).result == [[1, 1], [1, 1, 1, 0]]
