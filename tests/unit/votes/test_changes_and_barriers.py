"""What happens to rights before they are used, and to an election on its partition."""

from typing import Any

import msgspec
import pytest

from services.votes.domain.fold import TYPES
from shared.contracts.message import REGISTRY
from shared.contracts.topics import RIGHTS
from shared.contracts.votes import PartitionClosed
from shared.testing.promises import promise


def names(messages: list[Any]) -> list[str]:
    """Type names, with the reason where there is one."""
    return [type(m).__name__ + (f":{m.reason}" if hasattr(m, "reason") else "") for m in messages]


def test_the_fold_knows_every_type_of_the_law() -> None:
    """A type that is added to `rights` without a rule would be refused in silence."""
    on_rights = {kind for kind in REGISTRY.values() if kind.CONTRACT.topic is RIGHTS}
    assert on_rights == TYPES


def test_a_registration_counts_once(law: Any) -> None:
    """A repeated registration changes nothing."""
    law.set_up(0)
    before = law.kept.dump()
    assert law.said(law.registered(0)) == []
    assert law.kept.dump() == before


def test_a_grant_needs_a_right_a_list_and_a_place_in_it(law: Any) -> None:
    """Grants that come too early, or of a credential that was never listed, are refused."""
    law.fold([law.defined(), law.registered(0)])
    assert names(law.said(law.granted(0))) == ["RecordRefused:out_of_order"]
    law.fold([law.listed()])
    assert names(law.said(law.granted(1))) == ["RecordRefused:out_of_order"]
    forged = law.granted(0, credential="f" * 64)
    assert names(law.said(forged)) == ["RecordRefused:credential_not_listed"]
    assert names(law.said(law.granted(0, index=5))) == ["RecordRefused:credential_not_listed"]
    assert law.said(law.granted(0)) == []


@promise("P8")
def test_a_second_different_grant_is_refused(law: Any) -> None:
    """`codes` can't quietly give a right another credential: only a replacement can."""
    law.set_up(0)
    assert names(law.said(law.granted(0, pack=3))) == ["RecordRefused:already_done"]
    assert law.said(law.granted(0)) == []
    law.fold([law.replaced(0, 0, 9)])
    assert law.said(law.granted(0)) == []
    assert names(law.said(law.submitted(0, pack=9)))[0] == "RightUsedOnline"


def test_each_replacement_that_is_refused_has_its_reason(law: Any) -> None:
    """Unknown right, no pack yet, withdrawn, used, stale serial, a pack that stood before."""
    law.set_up(0, 1, 2, 3)
    law.fold([law.registered(4), law.withdrawn(1), law.submitted(2)])
    refusals = [names(law.said(message)) for message in (
        law.replaced(7, 7, 9), law.replaced(4, 4, 9), law.replaced(1, 1, 9), law.replaced(2, 2, 9),
        law.replaced(3, 8, 9), law.replaced(3, 3, 9), law.replaced(3, 9, 3),
    )]  # fmt: skip
    assert [one for (one,) in refusals] == [
        "PackReplacementRefused:unknown_right",
        "PackReplacementRefused:not_granted",
        "PackReplacementRefused:withdrawn",
        "PackReplacementRefused:already_used",
        "PackReplacementRefused:stale_serial",
        "PackReplacementAccepted",
        "PackReplacementRefused:stale_serial",
    ]
    forged = law.replaced(0, 0, 9, credential="f" * 64)
    assert names(law.said(forged)) == ["RecordRefused:credential_not_listed"]


@promise("P1")
def test_a_withdrawal_after_a_claim_is_refused(law: Any) -> None:
    """A vote that was cast can't be taken away by withdrawing the right; officials get a case."""
    law.set_up(0, 1)
    law.fold([law.submitted(0), law.envelope(1)])
    assert names(law.said(law.withdrawn(0))) == ["RightWithdrawalRefused:already_used"]
    assert names(law.said(law.withdrawn(1))) == ["RightWithdrawalRefused:already_used"]
    assert names(law.said(law.withdrawn(7))) == ["RightWithdrawalRefused:unknown_right"]


def test_a_withdrawal_is_decided_once(law: Any) -> None:
    """The same withdrawal again is not decided again; another one is told that it is too late."""
    law.set_up(0)
    withdrawal = law.record(law.withdrawn(0))
    assert names(law.said(withdrawal)) == ["RightWithdrawalAccepted"]
    assert law.said(law.again(withdrawal)) == []
    assert names(law.said(law.withdrawn(0))) == ["RightWithdrawalRefused:already_withdrawn"]


def test_a_replacement_is_decided_once(law: Any) -> None:
    """A copy of an old replacement doesn't bring its pack back."""
    law.set_up(0)
    first = law.record(law.replaced(0, 0, 8))
    law.fold([first, law.replaced(0, 8, 9)])
    assert law.said(law.again(first)) == []
    assert names(law.said(law.submitted(0, pack=9)))[0] == "RightUsedOnline"


@promise("P13")
def test_a_closed_partition_counts_what_it_holds_and_nothing_changes_after(law: Any) -> None:
    """The closing message balances, and what would change its counts later is refused."""
    law.set_up(0, 1, 2, 3)
    law.fold([law.submitted(0), law.envelope(1), law.withdrawn(2), law.envelope(3, scan_id="x")])
    law.fold([law.voided("x", 3), law.online_closed()])
    closed = law.said(law.post_closed())[0]
    assert isinstance(closed, PartitionClosed)
    counts = (closed.rights, closed.used_online, closed.used_by_post, closed.withdrawn)
    assert counts == (4, 1, 1, 1)
    late = law.said(
        law.registered(8), law.granted(3, pack=9), law.withdrawn(3), law.replaced(3, 3, 9)
    )
    assert sorted(names(late)) == [
        "PackReplacementRefused:closed",
        "RecordRefused:already_done",
        "RecordRefused:out_of_order",
        "RightWithdrawalRefused:closed",
    ]


def test_barriers_come_once_and_in_order(law: Any) -> None:
    """Repeated barriers change nothing; different, early or late ones are refused and alarm."""
    defined = law.record(law.defined())
    law.fold([defined, law.registered(0), law.listed(), law.granted(0)])
    early = law.said(law.online_closed(), law.post_closed())
    assert names(early) == ["RecordRefused:out_of_order"] * 2
    opened = law.record(law.opened())
    law.fold([opened])
    assert names(law.said(law.post_closed())) == ["RecordRefused:out_of_order"]
    before = law.kept.dump()
    repeated = [law.again(defined), law.again(opened), law.listed()]
    assert law.said(*repeated) == []
    assert law.kept.dump() == before
    second = law.said(
        law.defined(), law.listed(root="f" * 64), law.opened(election=law.election + " ")
    )
    assert names(second) == ["RecordRefused:already_done"] * 3
    law.fold([law.online_closed(), law.post_closed()])
    assert law.said(law.online_closed(), law.post_closed()) == []


@pytest.mark.parametrize("text", ["{}", "x" * 100, '{"uuid":1}'])
def test_an_election_that_can_not_be_voted_on_does_not_open(law: Any, text: str) -> None:
    """A text that is no election, or another one's, is refused: no ballot could be verified."""
    law.fold([law.defined()])
    assert names(law.said(law.opened(election=text))) == ["RecordRefused:malformed"]
    other = law.__class__("another")
    assert names(law.said(law.opened(election=other.election))) == ["RecordRefused:malformed"]


@promise("P8")
def test_keys_that_were_rotated_away_stay_away(law: Any) -> None:
    """After a rotation old signatures fail, and a copy of an old one brings no key back."""
    law.set_up(0, 1)
    new = law.__class__("new keys")
    first, second = law.record(law.rotated(law.keys)), law.record(law.rotated(new.keys))
    law.fold([first, second])
    assert law.said(law.again(first)) == []
    assert names(law.said(law.envelope(0))) == ["RecordRefused:bad_signature"]
    law.signers = new.signers | {"elections": law.signers["elections"]}
    assert names(law.said(law.envelope(0))) == ["EnvelopeAdmitted"]
    stale = law.submitted(1, permit=law.permit(1, signer="codes"))
    assert names(law.said(stale))[0] == "BallotRefused:permit_refused"
    assert msgspec.structs.asdict(law.kept.partitions[0, law.election_id].keys)["postal"] == (
        new.keys.postal
    )
