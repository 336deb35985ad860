"""Which decisions open a case."""

import pytest

from services.identity.domain.cases import OPENS_A_CASE, evidence_of
from services.identity.domain.withdrawal import OTHER, public_reason
from shared.contracts.votes import (
    BallotRefused,
    EnvelopeSetAside,
    EnvelopeVoidAccepted,
    PackReplacementRefused,
    RightUsedOnline,
    RightWithdrawalRefused,
    SecondVoteAttempted,
)
from shared.testing.promises import promise

RIGHT = {"election_id": "1" * 14, "right_id": "0" * 32, "decided_at_ms": 20}
SERIAL = "0123456789ABCD"


@promise("P6")
@pytest.mark.parametrize("first", ["online", "post"])
@pytest.mark.parametrize("attempt", ["online", "post"])
def test_every_second_vote_opens_a_case(first, attempt) -> None:
    """Each pair of channels is a kind of its own, with the time of the vote that counts."""
    said = SecondVoteAttempted(
        **RIGHT, first_channel=first, first_at_ms=10, attempt_channel=attempt
    )
    evidence = evidence_of(said)
    assert evidence is not None
    assert evidence.kind == f"{attempt}_after_{first}"
    assert evidence.kind in OPENS_A_CASE
    assert (evidence.at_ms, evidence.first_at_ms) == (20, 10)


@promise("P6")
@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("voted_online", "post_after_online"),
        ("voted_by_post", "post_after_post"),
        ("late", None),
        ("not_open", None),
        ("replaced", None),
        ("withdrawn", None),
        ("unknown_right", None),
        ("unknown_serial", None),
    ],
)
def test_an_envelope_on_a_used_right_is_evidence_and_a_late_one_is_not(reason, kind) -> None:
    """Late envelopes and those of lost packs are no suspicion; evidence has the scan, no serial."""
    said = EnvelopeSetAside(**RIGHT, scan_id="scan-1", serial=SERIAL, reason=reason)
    evidence = evidence_of(said)
    assert (evidence and evidence.kind) == kind
    assert evidence is None or evidence.reference == "scan-1"
    assert SERIAL not in repr(evidence)


@pytest.mark.parametrize(
    ("reason", "opens"), [("already_used", True), ("closed", False), ("already_withdrawn", False)]
)
def test_what_officials_asked_too_late_opens_a_case_only_after_a_vote(reason, opens) -> None:
    """A refused replacement or withdrawal is evidence when the right was used, else a mistake."""
    withdrawal = RightWithdrawalRefused(**RIGHT, withdrawal_id="w", reason=reason)
    replacement = PackReplacementRefused(
        **RIGHT, replacement_id="r", old_serial=SERIAL, serial=SERIAL, reason=reason
    )
    for said in (withdrawal, replacement):
        assert (evidence_of(said) is not None) == opens


def test_a_voided_scan_explains_a_case_but_opens_none() -> None:
    """A void is kept beside the evidence; alone it is nothing to look into."""
    said = EnvelopeVoidAccepted(**RIGHT, scan_id="scan-1", void_id="v", reopened=True)
    evidence = evidence_of(said)
    assert evidence is not None
    assert evidence.kind not in OPENS_A_CASE


def test_ordinary_decisions_are_no_evidence() -> None:
    """A vote, or a ballot that was refused for its form, opens no case."""
    assert evidence_of(RightUsedOnline(**RIGHT)) is None
    assert evidence_of(BallotRefused(**RIGHT, reason="ballot_refused")) is None


@promise("P7")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Died.", "died"),
        (" left ", "left"),
        ("Expelled", "expelled"),
        ("Mrs Canary Featherstone died", OTHER),
        ("", OTHER),
    ],
)
def test_an_officials_words_never_reach_the_log(words, told) -> None:
    """Only a word of a closed list leaves identity."""
    assert public_reason(words) == told
