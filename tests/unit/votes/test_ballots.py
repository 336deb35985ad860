"""Ballots in the fold: first claim, reasons, stored outcomes, and who can make whom work."""

from typing import Any

import msgspec
import pytest

from shared.contracts.message import encode
from shared.contracts.permits import receipt_text
from shared.contracts.votes import (
    BallotAccepted,
    BallotRejected,
    RecordRefused,
    RightUsedOnline,
    SecondVoteAttempted,
)
from shared.keys import verify
from shared.testing.promises import promise


def names(messages: list[Any]) -> list[str]:
    """Type names, with the reason where there is one."""
    return [type(m).__name__ + (f":{m.reason}" if hasattr(m, "reason") else "") for m in messages]


@promise("P1", "P2")
def test_the_first_ballot_of_a_right_is_accepted_and_a_second_is_refused(law: Any) -> None:
    """One ballot per right counts: the one that stands first in the log."""
    law.set_up(0)
    first, second = law.submitted(0, mark="first"), law.submitted(0, mark="second")
    said = law.said(first, second)
    assert names(said) == [
        "RightUsedOnline",
        "BallotRefused:already_voted_online",
        "SecondVoteAttempted",
        *sorted(["BallotAccepted", "BallotRejected:already_voted_online"], key=_by_tracker(said)),
    ]
    assert [ballot.ballot for ballot in law.kept.ballots.values()] == [bytes(first.ballot)]


def _by_tracker(said: list[Any]) -> Any:
    trackers = {
        name: m.tracker for name, m in zip(names(said), said, strict=True) if hasattr(m, "tracker")
    }
    return trackers.__getitem__


@promise("P4")
def test_a_receipt_is_votes_signature_over_tracker_and_broker_stamp(law: Any) -> None:
    """The receipt verifies under the key of `votes` and names the record's own broker stamp."""
    law.set_up(0)
    record = law.record(law.submitted(0))
    accepted = next(m for m in law.said(record) if isinstance(m, BallotAccepted))
    receipt = accepted.receipt
    assert receipt.recorded_at_ms == record.stamp_ms
    text = receipt_text(law.election_id, accepted.tracker, record.stamp_ms)
    assert verify(law.keys.votes, text, receipt.signature)
    assert bytes(accepted.ballot) == bytes(record.message.ballot)


@promise("P4")
@pytest.mark.parametrize("barrier", ["open", "online_closed", "post_closed"])
def test_a_resubmitted_ballot_gets_its_stored_outcome_even_after_the_close(
    law: Any, barrier: str
) -> None:
    """The same ballot gets the same event, receipt included, whatever has happened since."""
    law.set_up(0)
    record = law.record(law.submitted(0))
    first = law.fold([record])
    barriers = {"open": [], "online_closed": [law.online_closed()]}
    barriers["post_closed"] = [law.online_closed(), law.post_closed()]
    law.fold(barriers[barrier])
    again = law.fold([law.again(record)])
    told = [emission for emission in first if isinstance(emission.message, BallotAccepted)]
    assert again == told


@promise("P4")
def test_a_resubmitted_ballot_is_answered_before_its_permit_is_looked_at(law: Any) -> None:
    """A retry with a stale or broken permit still gets the receipt, never another answer."""
    law.set_up(0)
    first = law.fold([law.submitted(0)])
    expired = law.permit(0, signer="gateway", expires_at_ms=1)
    assert law.fold([law.submitted(0, permit=expired)]) == first[1:]


@promise("P3", "P4")
@pytest.mark.parametrize("is_valid", [True, False])
@pytest.mark.parametrize("signer", ["identity", "gateway"])
def test_another_elections_outcome_is_no_answer(
    law: Any, make_law: Any, signer: str, is_valid: bool
) -> None:
    """A ballot that one election decided gets no receipt and no refusal signed for another."""
    law.set_up(0)
    other = make_law("another election")
    other.signers, other.kept, other.offsets = law.signers, law.kept, law.offsets
    other.set_up(1)
    first = law.submitted(0, is_valid=is_valid)
    law.fold([first])
    before = law.kept.dump()[:-1]
    permit = other.permit(0, signer=signer, right_id=first.right_id)
    copied = other.submitted(0, right_id=first.right_id, permit=permit, ballot=first.ballot)
    expected = {"identity": "BallotRefused:unknown_right", "gateway": "RecordRefused:bad_signature"}
    assert names(other.said(copied)) == [expected[signer]]
    assert law.kept.dump()[:-1] == before


@promise("P4")
def test_a_refused_ballot_stays_refused_when_the_reason_is_gone(law: Any) -> None:
    """Once "not cast" was said of a ballot it can't be cast any more, opening or not."""
    law.set_up(0, until="defined")
    record = law.record(law.submitted(0))
    first = law.fold([record])
    assert names([e.message for e in first]) == [
        "BallotRefused:not_open",
        "BallotRejected:not_open",
    ]
    law.fold([law.opened()])
    assert law.fold([law.again(record)]) == first[1:]
    assert names(law.said(law.submitted(0, mark="sealed anew"))) == [
        "RightUsedOnline",
        "BallotAccepted",
    ]


@pytest.mark.parametrize(
    ("phase", "reason"),
    [("defined", "not_open"), ("online_closed", "closed"), ("post_closed", "closed")],
)
@promise("P13")
def test_a_ballot_outside_the_barriers_is_refused(law: Any, phase: str, reason: str) -> None:
    """What lies before the opening or behind the close in the log doesn't count."""
    law.set_up(0, until=phase)
    assert names(law.said(law.submitted(0))) == [
        f"BallotRefused:{reason}",
        f"BallotRejected:{reason}",
    ]


def test_a_permit_is_compared_with_the_broker_stamp_of_the_record(law: Any) -> None:
    """A permit counts up to its last millisecond on the broker's clock, and not one longer."""
    law.set_up(0, 1)
    at_ms = law.clock_ms + 7
    good = law.record(law.submitted(0, permit=law.permit(0, expires_at_ms=at_ms)))
    assert good.stamp_ms == at_ms
    assert names(law.said(good))[0] == "RightUsedOnline"
    late = law.submitted(1, permit=law.permit(1, expires_at_ms=law.clock_ms + 6))
    assert names(law.said(late)) == [
        "BallotRefused:permit_expired",
        "BallotRejected:permit_expired",
    ]


@promise("P8", "P12")
@pytest.mark.parametrize("fault", ["signer", "right", "election"])
def test_a_permit_counts_only_from_identity_for_this_very_right(law: Any, fault: str) -> None:
    """A forged permit, another right's and another election's all fail."""
    law.set_up(0, 1)
    permits = {
        "signer": law.permit(0, signer="gateway"),
        "right": law.permit(1),
        "election": law.permit(0, election_id="1" * 14),
    }
    said = law.said(law.submitted(0, permit=permits[fault]))
    assert names(said) == ["BallotRefused:permit_refused", "BallotRejected:permit_refused"]


@promise("P4")
def test_somebody_elses_ballot_can_not_be_declared_refused(law: Any) -> None:
    """Under another right a ballot is refused, but never called "not cast": it may yet be."""
    law.set_up(0, 1)
    stolen = law.submitted(1, pack=0, mark="x")
    assert names(law.said(stolen)) == ["BallotRefused:credential_refused"]
    unknown = law.submitted(2, pack=0, mark="x", permit=law.permit(2))
    assert names(law.said(unknown)) == ["BallotRefused:unknown_right"]
    assert names(law.said(law.submitted(0, mark="x"))) == ["RightUsedOnline", "BallotAccepted"]


def test_a_ballot_that_nobody_vouches_for_is_a_refused_record(law: Any) -> None:
    """Neither permit nor credential: no decision about any right, nothing kept but coordinates."""
    law.set_up(0)
    before = law.kept.dump()
    junk = law.submitted(0, pack=5, permit=law.permit(0, signer="gateway"))
    said = law.said(junk)
    assert names(said) == ["RecordRefused:bad_signature"]
    assert law.kept.dump()[:-1] == before[:-1]
    assert len(law.kept.refused) == 1


def test_an_unreadable_ballot_is_told_so_and_nothing_of_it_is_kept(law: Any) -> None:
    """Bytes that are no ballot can never count, so everybody may be told; only coordinates cost."""
    law.set_up(0)
    before = law.kept.dump()
    for garbage in (b"1", b"[]", b'{"credential":7}', b"[" * 31 + b"]" * 31):
        said = law.said(law.submitted(0, ballot=msgspec.Raw(garbage)))
        assert names(said) == ["BallotRefused:ballot_refused", "BallotRejected:ballot_refused"]
    assert law.kept.dump() == before


@promise("P3")
def test_a_ballot_whose_proofs_fail_leaves_the_right_unused(law: Any) -> None:
    """A broken ballot is refused for ever, and the elector can still vote."""
    law.set_up(0)
    broken = law.record(law.submitted(0, is_valid=False))
    assert names(law.said(broken)) == [
        "BallotRefused:ballot_refused",
        "BallotRejected:ballot_refused",
    ]
    assert names(law.said(law.again(broken))) == ["BallotRejected:ballot_refused"]
    assert names(law.said(law.submitted(0))) == ["RightUsedOnline", "BallotAccepted"]


def test_only_a_permitted_ballot_of_the_standing_credential_costs_a_verification(law: Any) -> None:
    """Nobody without a permit and the code's credential can keep the verifiers busy."""
    law.set_up(0, 1)
    law.fold([law.replaced(1, 1, 9)])
    law.fold(
        [
            law.submitted(0, permit=law.permit(0, signer="gateway")),
            law.submitted(0, pack=1, mark="a"),
            law.submitted(1, pack=1, mark="b"),
            law.submitted(2, mark="c"),
            law.submitted(0, permit=law.permit(0, expires_at_ms=1), mark="d"),
        ]
    )
    assert law.verified == []
    law.fold([law.submitted(0, mark="e")])
    assert len(law.verified) == 1


@promise("P5")
def test_a_ballot_after_an_envelope_is_told_why_and_since_when(law: Any) -> None:
    """The voter who has posted is told so, with the envelope's time, and a case can follow."""
    law.set_up(0)
    envelope = law.record(law.envelope(0))
    law.fold([envelope])
    said = law.said(law.submitted(0))
    assert names(said) == [
        "BallotRefused:already_voted_by_post",
        "SecondVoteAttempted",
        "BallotRejected:already_voted_by_post",
    ]
    assert said[-1].first_at_ms == envelope.stamp_ms
    assert (said[1].first_channel, said[1].first_at_ms) == ("post", envelope.stamp_ms)


def test_nobody_is_accused_by_a_ballot_whose_proofs_fail(law: Any) -> None:
    """Who has seen a permit and a credential, but not the code, can make nobody look guilty."""
    law.set_up(0)
    law.fold([law.submitted(0)])
    said = law.said(law.submitted(0, mark="forged", is_valid=False))
    assert not any(isinstance(m, SecondVoteAttempted) for m in said)
    assert names(said)[0] == "BallotRefused:already_voted_online"


def test_a_withdrawn_right_and_a_replaced_credential_are_told_apart(law: Any) -> None:
    """Each elector hears the reason that concerns them."""
    law.set_up(0, 1)
    law.fold([law.withdrawn(0), law.replaced(1, 1, 9)])
    assert names(law.said(law.submitted(0)))[-1] == "BallotRejected:withdrawn"
    assert names(law.said(law.submitted(1)))[-1] == "BallotRejected:replaced"
    assert names(law.said(law.submitted(1, pack=9)))[-1] == "BallotAccepted"


@pytest.mark.parametrize("step", ["unknown election", "wrong partition"])
def test_a_ballot_out_of_place_is_a_refused_record(law: Any, step: str) -> None:
    """An unknown election, or a right of another partition, means nothing here."""
    law.set_up(0)
    ballot = law.submitted(0)
    if step == "unknown election":
        record = law.record(msgspec.structs.replace(ballot, election_id="1" * 14))
    else:
        record = law.record(ballot, partition=3)
    said = law.said(record)
    assert names(said) == [f"RecordRefused:{step.replace(' ', '_')}"]
    assert isinstance(said[0], RecordRefused)
    assert (said[0].partition, said[0].offset) == (record.partition, record.offset)


@promise("P1", "P2")
def test_a_fetch_with_everything_in_it_decides_as_single_records_do(make_law: Any) -> None:
    """A ballot, a replacement that it makes too late, and a ballot that only that would have
    hidden: the proofs of the last are asked for later, and the decisions are the same."""
    together, one_by_one = make_law(), make_law()
    for law in (together, one_by_one):
        law.set_up(0)
    messages = [together.submitted(0), together.replaced(0, 0, 9), together.submitted(0, mark="2")]
    records = [together.record(message) for message in messages]
    said = together.said(*records)
    singly = [message for record in records for message in one_by_one.said(record)]
    assert sorted(map(encode, said)) == sorted(map(encode, singly))
    assert together.kept.dump() == one_by_one.kept.dump()
    assert len(together.verified) == 2


@promise("P7")
def test_no_message_joins_a_right_to_a_tracker(law: Any) -> None:
    """Decisions and outcomes share no id, no tracker, no exact time, and no guessable event id."""
    law.set_up(0)
    record = law.record(law.submitted(0))
    emissions = law.fold([record])
    decision = next(e for e in emissions if isinstance(e.message, RightUsedOnline))
    outcome = next(e for e in emissions if isinstance(e.message, BallotAccepted))
    tracker, right_id = outcome.message.tracker, law.right_id(0)
    assert tracker.encode() not in encode(decision.message)
    assert right_id.encode() not in encode(outcome.message)
    assert str(record.stamp_ms).encode() not in encode(decision.message)
    assert decision.message.decided_at_ms == record.stamp_ms - record.stamp_ms % 60_000
    assert outcome.key == tracker
    assert outcome.partition is None
    assert (decision.key, decision.partition) == (right_id, record.partition)


@promise("P7")
def test_event_ids_can_not_be_tried_out(make_law: Any) -> None:
    """A decision's event id is the same whatever the ballot was: it betrays no tracker."""
    ids = []
    for mark in ("one", "two"):
        law = make_law()
        law.set_up(0)
        ids.append([emission.event_id for emission in law.fold([law.submitted(0, mark=mark)])])
    (decision, outcome), (other_decision, other_outcome) = ids
    assert decision == other_decision
    assert outcome != other_outcome


@promise("P7")
def test_the_order_of_what_one_fetch_says_joins_nothing(law: Any) -> None:
    """Decisions are sorted by right and outcomes by tracker, whatever order the ballots came in."""
    numbers = (3, 1, 4, 0, 5, 2)
    law.set_up(*numbers)
    emissions = law.fold([law.submitted(number) for number in numbers])
    keys = [emission.key for emission in emissions]
    assert keys[:6] == sorted(keys[:6])
    assert keys[6:] == sorted(keys[6:])
    assert [type(e.message) for e in emissions] == [RightUsedOnline] * 6 + [BallotAccepted] * 6


def test_a_rejection_names_no_first_time_unless_the_right_was_used(law: Any) -> None:
    """`first_at_ms` is zero for every other reason."""
    law.set_up(0, until="defined")
    rejected = law.said(law.submitted(0))[-1]
    assert isinstance(rejected, BallotRejected)
    assert rejected.first_at_ms == 0
