"""What somebody who can write anything to `rights`, but holds no key, can do: nothing."""

import random
from typing import Any

import msgspec
import pytest

from services.votes.domain import fold
from services.votes.domain.ledger import Ledger
from shared.contracts.elections import OnlineClosed
from shared.contracts.message import encode
from shared.contracts.votes import RightUsedOnline
from shared.testing.promises import promise

SIGNED = (
    "defined", "listed", "opened", "online_closed", "post_closed", "rotated", "registered",
    "granted", "replaced", "withdrawn", "envelope", "voided",
)  # fmt: skip


def message_of(law: Any, kind: str) -> Any:
    """One message of each signed kind, about right 1 or partition 0."""
    arguments = {
        "rotated": (law.__class__("other").keys,),
        "replaced": (1, 1, 9),
        "voided": ("scan", 1),
        "registered": (2,),
        "granted": (1,),
        "withdrawn": (1,),
        "envelope": (1,),
    }
    return getattr(law, kind)(*arguments.get(kind, ()))


def reasons(messages: list[Any]) -> list[str]:
    """Why records were refused."""
    return [message.reason for message in messages]


@promise("P1", "P13")
@pytest.mark.parametrize("kind", SIGNED)
@pytest.mark.parametrize("forger", ["gateway", "votes"])
def test_no_record_is_believed_without_its_services_signature(
    law: Any, kind: str, forger: str
) -> None:
    """Every signed type is refused under another's key, and nothing of it is applied."""
    law.set_up(0, 1)
    before = law.kept.dump()[:-1]
    said = law.said(law.record(message_of(law, kind), signer=forger))
    assert reasons(said) == ["bad_signature"]
    assert law.kept.dump()[:-1] == before


@pytest.mark.parametrize("kind", SIGNED)
def test_a_service_can_not_speak_for_another(law: Any, kind: str) -> None:
    """A valid signature of identity, codes or postal is worth nothing on another one's records."""
    law.set_up(0, 1)
    message = message_of(law, kind)
    for signer in {"identity", "codes", "postal"} - {message.CONTRACT.producer}:
        assert reasons(law.said(law.record(message, signer=signer))) == ["bad_signature"]
        assert reasons(law.said(law.record(message, source=signer))) == ["bad_signature"]


@promise("P13")
@pytest.mark.parametrize("kind", SIGNED)
def test_a_signed_record_counts_only_on_its_own_partition(law: Any, kind: str) -> None:
    """A copy of a valid record on another partition is refused there: a barrier closes one only."""
    law.set_up(0, 1)
    said = law.said(law.record(message_of(law, kind), partition=1))
    assert reasons(said) == ["wrong_partition"]


@pytest.mark.parametrize("change", ["value", "event id", "no signature", "short signature"])
def test_a_changed_record_is_refused(law: Any, change: str) -> None:
    """The signature covers the bytes and the event id."""
    law.set_up(0, 1)
    record = law.record(law.envelope(0))
    changes: dict[str, dict[str, Any]] = {
        "value": {"message": law.envelope(1), "value": encode(law.envelope(1))},
        "event id": {"event_id": "another"},
        "no signature": {"signature": None},
        "short signature": {"signature": b"short"},
    }
    fields = {name: getattr(record, name) for name in type(record).__slots__}
    forged = type(record)(**fields | changes[change])
    assert reasons(law.said(forged)) == ["bad_signature"]


def test_unreadable_records_are_refused_and_only_their_hash_is_kept(law: Any) -> None:
    """Garbage costs a row of fixed size, whatever its size was."""
    law.set_up(0)
    for value in (None, b"", b"\xff" * 900_000):
        assert reasons(law.said(law.malformed("undecodable", value))) == ["malformed"]
    assert [len(refused.value_hash) for refused in law.kept.refused] == [32] * 3


def test_only_a_validly_signed_unknown_version_halts(law: Any) -> None:
    """A partition stops for a service's own newer record, and never for somebody's imitation."""
    law.set_up(0)
    value = msgspec.json.encode({"election_id": law.election_id, "new": 1})
    for forged in (
        law.newer(value, "gateway", source="postal"),
        law.newer(value, "gateway"),
        law.newer(b"{}", "postal"),
        law.newer(value.replace(law.election_id.encode(), b"1" * 14), "postal"),
        law.malformed("unknown_version", value, headers=[("ce_type", None), ("ce_id", b"\xff")]),
    ):
        assert reasons(law.said(forged)) == ["malformed"]
    ledger = Ledger(law.kept.books(), law.powers())
    for signer in ("postal", "identity", "codes", "elections"):
        assert "upgrade votes" in str(fold.apply(ledger, law.newer(value, signer)))
    assert ledger.take_emissions() == []


def test_barriers_of_an_unknown_election_are_refused(law: Any) -> None:
    """Nothing is kept of an election that was never defined here."""
    unknown = OnlineClosed(election_id="1" * 14, partition=0)
    assert reasons(law.said(unknown)) == ["unknown_election"]
    assert law.kept.partitions == {}


@promise("P1", "P2")
def test_copies_of_everything_in_any_order_change_nothing(law: Any) -> None:
    """Whoever replays all old records, shuffled, gets the old answers and moves no vote."""
    law.set_up(0, 1, 2)
    records = [law.record(message) for message in (
        law.submitted(0), law.envelope(1, scan_id="a"), law.voided("a", 1), law.submitted(1),
        law.replaced(2, 2, 9), law.submitted(2, pack=9), law.withdrawn(0), law.online_closed(),
    )]  # fmt: skip
    law.fold(records)
    before = law.kept.dump()
    random.Random(7).shuffle(records)
    said = law.said(*[law.again(record) for record in records])
    assert law.kept.dump() == before
    assert not any(isinstance(message, RightUsedOnline) for message in said)
