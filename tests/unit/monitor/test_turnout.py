"""The monitor's turnout: what operators see while a ballot is open."""

from services.monitor.domain import Turnout
from shared.contracts.votes import (
    EnvelopeAdmitted,
    EnvelopeVoidAccepted,
    RightUsedOnline,
)

ELECTION = "78jtVeEwZkgRBC"
RIGHT = "0" * 32


def online() -> RightUsedOnline:
    return RightUsedOnline(election_id=ELECTION, right_id=RIGHT, decided_at_ms=1)


def admitted() -> EnvelopeAdmitted:
    return EnvelopeAdmitted(
        election_id=ELECTION, right_id=RIGHT, decided_at_ms=1, scan_id="s1", serial="0" * 14
    )


def test_a_redelivered_decision_counts_once() -> None:
    """Turnout is exact although Faust delivers at least once."""
    turnout = Turnout()
    assert turnout.count(0, 5, online())
    assert not turnout.count(0, 5, online())
    assert not turnout.count(0, 4, online())
    assert turnout.count(1, 5, online())
    assert turnout.figures[ELECTION, "online"] == 2


def test_a_voided_envelope_leaves_the_turnout() -> None:
    """An envelope that was scanned wrongly is no longer part of the postal turnout."""
    turnout = Turnout()
    turnout.count(0, 0, admitted())
    reopened = EnvelopeVoidAccepted(
        election_id=ELECTION,
        right_id=RIGHT,
        decided_at_ms=2,
        scan_id="s1",
        void_id="v1",
        reopened=True,
    )
    turnout.count(0, 1, reopened)
    assert turnout.figures[ELECTION, "post"] == 0


def test_a_void_of_an_envelope_that_was_set_aside_changes_no_turnout() -> None:
    """Only the envelope that had claimed the right counts in the turnout."""
    turnout = Turnout()
    turnout.count(0, 0, admitted())
    kept = EnvelopeVoidAccepted(
        election_id=ELECTION,
        right_id=RIGHT,
        decided_at_ms=2,
        scan_id="s2",
        void_id="v2",
        reopened=False,
    )
    turnout.count(0, 1, kept)
    assert turnout.figures[ELECTION, "post"] == 1
