"""What keeps an election from its next step: never nothing, while nothing moves."""

import pytest
from msgspec.structs import replace

from services.elections.domain import ending, phases, waiting
from services.elections.domain.ending import Ending
from services.elections.domain.phases import PHASES, PostAnswer
from shared.contracts.elections import Phase
from shared.testing.promises import promise
from tests.unit.elections.test_ending import ALL, RECONCILED

WHOLE = Ending(counted=5, board_ended=5, running=5, accounts=ALL)


def _reasons(phase: Phase, found: Ending, records: int = 0, closed: int = 6) -> list[str]:
    standing = replace(RECONCILED, phase=phase, partitions_closed=closed)
    return [one.reason for one in waiting.waits(standing, found, records)]


@promise("P13")
@pytest.mark.parametrize(
    ("phase", "found", "reasons"),
    [
        ("post_closing", Ending(), ["postal_silent"]),
        ("reconciled", Ending(), ["count_unread"]),
        ("reconciled", replace(WHOLE, running=6), ["numbers_of_ballots_differ"]),
        ("reconciled", replace(WHOLE, board_ended=6), ["numbers_of_ballots_differ"]),
        ("reconciled", replace(WHOLE, board_ended=4), ["numbers_of_ballots_differ"]),
        ("reconciled", replace(WHOLE, running=4), ["ballots_missing"]),
        ("reconciled", replace(WHOLE, running=4, unusable=1), ["ballot_unusable"]),
        ("reconciled", replace(WHOLE, board_ended=None), ["board_not_ended"]),
        ("reconciled", replace(WHOLE, accounts=ALL - {"PacksAccounted"}), ["accounts_missing"]),
        (
            "reconciled",
            Ending(counted=5, running=4),
            ["ballots_missing", "board_not_ended", "accounts_missing"],
        ),
        ("reconciled", WHOLE, []),
        ("tallied", WHOLE, []),
        ("tallied", replace(WHOLE, counted=1, running=1, board_ended=1), ["one_ballot"]),
        ("tallied", replace(WHOLE, owners=(1, 2)), ["result_not_made"]),
        ("decrypted", WHOLE, ["archive_incomplete"]),
        ("decrypted", replace(WHOLE, accounts=ALL | {"ArchiveCompleted"}), []),
        ("declared", Ending(), []),
    ],
)
def test_what_the_end_waits_for_has_a_reason(
    phase: Phase, found: Ending, reasons: list[str]
) -> None:
    """A number that is behind, one that is too high, and everybody who still owes something."""
    assert _reasons(phase, found) == reasons


@promise("P13")
@pytest.mark.parametrize("phase", PHASES[4:8])
def test_a_record_that_is_set_aside_is_named_in_every_phase_of_the_end(phase: Phase) -> None:
    """It keeps the election where it is, whatever else it waits for."""
    assert "records_set_aside" in _reasons(phase, WHOLE, records=1)


@promise("P14")
@pytest.mark.parametrize("phase", ["defined", "open", "online_closed", "post_closing"])
def test_no_number_is_told_before_the_close(phase: Phase) -> None:
    """While votes may come in, nothing is said of how many there are."""
    standing = replace(RECONCILED, phase=phase)
    told = " ".join(one.words for one in waiting.waits(standing, WHOLE, 3))
    assert not any(character.isdigit() for character in told)


def test_open_partitions_are_named_until_the_last_has_closed() -> None:
    """Which parts of the log `votes` has closed, and no reason once it has closed all."""
    assert _reasons("post_closed", Ending(), closed=5) == ["partitions_open"]
    assert _reasons("post_closed", Ending(), closed=6) == []
    answered = replace(RECONCILED, phase="post_closing", post_answer=PostAnswer(is_ready=True))
    assert waiting.waits(answered, Ending(), 0) == []


@promise("P13")
def test_what_services_owe_is_an_alarm_when_nothing_moves() -> None:
    """For a minute they are waited for; what only people can end is an alarm at once."""
    owed = waiting.waits(RECONCILED, replace(WHOLE, board_ended=None), 1)
    assert waiting.alarms(owed, 0) == ["records_set_aside"]
    assert waiting.alarms(owed, waiting.PATIENCE_MS) == ["board_not_ended", "records_set_aside"]


@promise("P13")
def test_whoever_has_a_step_due_waits_for_nothing() -> None:
    """And whoever has none due, though the phase is one that ends by itself, has a reason."""
    for found in (WHOLE, Ending(), replace(WHOLE, running=4), replace(WHOLE, accounts=frozenset())):
        for records in (0, 1):
            due = ending.due(RECONCILED, found, is_quarantine_empty=not records)
            assert (due is None) is bool(waiting.waits(RECONCILED, found, records))
    assert phases.PHASES[4:8] == ("post_closed", "reconciled", "tallied", "decrypted")
