"""Envelopes in the fold: first claim, reasons for setting aside, and voids."""

from typing import Any

import pytest

from shared.contracts.votes import EnvelopeVoidAccepted, SecondVoteAttempted
from shared.testing.promises import promise


def names(messages: list[Any]) -> list[str]:
    """Type names, with the reason where there is one."""
    return [type(m).__name__ + (f":{m.reason}" if hasattr(m, "reason") else "") for m in messages]


@promise("P1", "P5")
def test_an_envelope_claims_an_unused_right(law: Any) -> None:
    """The envelope is admitted, and from then on no ballot of that right counts."""
    law.set_up(0)
    assert names(law.said(law.envelope(0))) == ["EnvelopeAdmitted"]
    assert "BallotRefused:already_voted_by_post" in names(law.said(law.submitted(0)))


@promise("P1", "P6")
def test_an_envelope_after_an_online_vote_is_set_aside_and_reported(law: Any) -> None:
    """It is never counted, and officials see the attempt and the first claim's minute."""
    law.set_up(0)
    ballot = law.record(law.submitted(0))
    law.fold([ballot])
    said = law.said(law.envelope(0))
    assert names(said) == ["EnvelopeSetAside:voted_online", "SecondVoteAttempted"]
    attempt = said[1]
    assert isinstance(attempt, SecondVoteAttempted)
    assert (attempt.first_channel, attempt.attempt_channel) == ("online", "post")
    assert attempt.first_at_ms == ballot.stamp_ms - ballot.stamp_ms % 60_000


@promise("P2")
def test_of_two_envelopes_the_first_counts(law: Any) -> None:
    """A second scan of a used right is set aside, in the order of the log."""
    law.set_up(0)
    said = law.said(law.envelope(0), law.envelope(0))
    assert names(said) == [
        "EnvelopeAdmitted",
        "EnvelopeSetAside:voted_by_post",
        "SecondVoteAttempted",
    ]


@pytest.mark.parametrize(("phase", "reason"), [("defined", "not_open"), ("post_closed", "late")])
@promise("P13")
def test_an_envelope_outside_the_barriers_is_set_aside(law: Any, phase: str, reason: str) -> None:
    """Before the opening and behind the close of the post no envelope counts."""
    law.set_up(0, until=phase)
    assert names(law.said(law.envelope(0))) == [f"EnvelopeSetAside:{reason}"]


def test_an_envelope_between_the_two_closes_still_counts(law: Any) -> None:
    """The post stays open after the online channel has closed."""
    law.set_up(0, until="online_closed")
    assert names(law.said(law.envelope(0))) == ["EnvelopeAdmitted"]


def test_each_envelope_that_can_not_count_has_its_reason(law: Any) -> None:
    """Unknown right, unknown serial, replaced pack and withdrawn right are told apart."""
    law.set_up(0, 1, 2)
    law.fold([law.replaced(1, 1, 9), law.withdrawn(2), law.registered(3)])
    reasons = [names(law.said(envelope))[0] for envelope in (
        law.envelope(7), law.envelope(0, pack=5), law.envelope(1), law.envelope(2), law.envelope(3),
    )]  # fmt: skip
    assert reasons == [
        f"EnvelopeSetAside:{reason}"
        for reason in ("unknown_right", "unknown_serial", "replaced", "withdrawn", "unknown_serial")
    ]
    assert names(law.said(law.envelope(1, pack=9))) == ["EnvelopeAdmitted"]


@promise("P1", "P11")
def test_a_repeated_scan_changes_nothing(law: Any) -> None:
    """The same record, or another event of the same scan, is not decided twice."""
    law.set_up(0)
    envelope = law.record(law.envelope(0, scan_id="scan-1"))
    law.fold([envelope])
    before = law.kept.dump()
    assert law.said(law.again(envelope), law.envelope(0, scan_id="scan-1")) == []
    assert law.kept.dump() == before
    other = law.envelope(0, pack=5, scan_id="scan-1")
    assert names(law.said(other)) == ["RecordRefused:already_done"]


@promise("P1")
def test_a_void_of_the_claiming_scan_reopens_the_right(law: Any) -> None:
    """After two officials voided a wrong scan the elector can vote, once, by either channel."""
    law.set_up(0)
    law.fold([law.envelope(0, scan_id="wrong")])
    accepted = law.said(law.voided("wrong"))[0]
    assert isinstance(accepted, EnvelopeVoidAccepted)
    assert accepted.reopened
    assert names(law.said(law.submitted(0)))[0] == "RightUsedOnline"
    assert [place[1] for place in law.kept.claims] == [0, 1]


def test_a_void_of_another_scan_reopens_nothing(law: Any) -> None:
    """Only the scan that had claimed the right gives it back."""
    law.set_up(0)
    law.fold([law.envelope(0, scan_id="first"), law.envelope(0, scan_id="second")])
    accepted = law.said(law.voided("second"))[0]
    assert not accepted.reopened
    assert "BallotRefused:already_voted_by_post" in names(law.said(law.submitted(0)))


@promise("P6")
def test_a_void_after_an_online_vote_reopens_nothing(law: Any) -> None:
    """An online claim is nobody's to take back."""
    law.set_up(0)
    law.fold([law.submitted(0), law.envelope(0, scan_id="late")])
    assert not law.said(law.voided("late"))[0].reopened
    assert names(law.said(law.envelope(0)))[0] == "EnvelopeSetAside:voted_online"


def test_each_void_that_is_refused_has_its_reason(law: Any) -> None:
    """Unknown right, unknown scan, one official twice, already void, closed."""
    law.set_up(0)
    law.fold([law.envelope(0, scan_id="a"), law.envelope(0, scan_id="b")])
    one = ["officer-1", "officer-1"]
    said = [names(law.said(message)) for message in (
        law.voided("a", 7), law.voided("nothing"), law.voided("a", officials=one), law.voided("b"),
        law.voided("b"), law.online_closed(), law.post_closed(), law.voided("a"),
    )]  # fmt: skip
    assert [names_ for names_ in said if names_] == [
        ["EnvelopeVoidRefused:unknown_right"],
        ["EnvelopeVoidRefused:unknown_scan"],
        ["EnvelopeVoidRefused:same_official"],
        ["EnvelopeVoidAccepted"],
        ["EnvelopeVoidRefused:already_voided"],
        ["PartitionClosed"],
        ["EnvelopeVoidRefused:closed"],
    ]


@promise("P1")
def test_a_repeated_void_does_not_reopen_a_right_that_was_used_again(law: Any) -> None:
    """A copy of an old void, written by somebody who can write to the topic, takes no vote away."""
    law.set_up(0)
    void = law.record(law.voided("wrong"))
    law.fold([law.envelope(0, scan_id="wrong"), void])
    law.fold([law.envelope(0, scan_id="right")])
    before = law.kept.dump()
    assert law.said(law.again(void)) == []
    assert law.kept.dump() == before


def test_a_voided_envelope_can_be_scanned_again(law: Any) -> None:
    """The envelope on the table counts under its new scan."""
    law.set_up(0)
    law.fold([law.envelope(0, scan_id="a"), law.voided("a")])
    assert names(law.said(law.envelope(0))) == ["EnvelopeAdmitted"]
